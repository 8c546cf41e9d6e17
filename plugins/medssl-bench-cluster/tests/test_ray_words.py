"""What of Ray needs no cluster: what it is asked for, what it says, and what is wrong before it is asked."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from medssl_bench_cluster.engine import Resources, State, Submission, Unreachable
from medssl_bench_cluster.ray_engine import Ray, RayEngine, _asks, _state
from ray_cluster import MISSING

from medssl_bench.cli.main import main
from medssl_bench.errors import UserError

with_ray = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def _asked(**resources) -> dict[str, float]:
    return _asks(Submission("medssl-test", ("true",), Path("log"), Resources(**resources)))


def test_what_a_job_asks_for():
    assert _asked(cpus=2) == {"CPU": 2}
    assert _asked(cpus=2, gpus=1, mem_gb=1.5, wished_mem_gb=9, wished_minutes=9, options=("a100=0.5",)) == {
        "CPU": 2, "GPU": 1, "memory": 1.5 * 2**30, "a100": 0.5
    }  # fmt: skip


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"minutes": 5}, "minutes: Ray knows none"),
        ({"partition": "gpu"}, "partition: Ray knows none"),
        ({"account": "me"}, "account: Ray knows none"),
        ({"options": ("--constraint=a100",)}, "expected NAME=NUMBER, not '--constraint=a100'"),
        ({"options": ("a100",)}, "expected NAME=NUMBER, not 'a100'"),
    ],
)
def test_what_ray_does_not_have_is_refused(resources, message):
    with pytest.raises(UserError, match=f"executor ray: .*{message}"):
        _asked(**resources)


def test_how_a_process_ended():
    assert _state("over", "0", "status") == State("over")
    assert _state("over", "75", "status") == State("over", "status 75", cause="crash")
    assert _state("over", "-9", "status") == State("over", "SIGKILL", cause="lost")
    assert _state("over", "-15", "status") == State("over", "SIGTERM", cause="lost")
    assert _state("over", "-11", "status") == State("over", "SIGSEGV", cause="crash")
    assert _state("over", "-63", "status") == State("over", "signal 63", cause="crash")
    assert _state("over", "x" * 1000, "lost") == State("over", "x" * 300, cause="lost")


_HEAD = (
    "The actor died unexpectedly before finishing this task.\n\tclass_name: Job\n\tpid: 7\n\tname: a\n\tip: 1.2.3.4\n"
)


@with_ray
@pytest.mark.parametrize(
    ("text", "why", "cause"),
    [
        (
            _HEAD + "The actor is dead because its node has died. Id: 20cd\n\tthe node was terminated unexpectedly",
            "The actor is dead because its node has died. Id: 20cd the node was terminated unexpectedly",
            "lost",
        ),
        (
            _HEAD + "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR. Some "
            "common causes include: (1) the process was killed by the OOM killer",
            "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR.",
            "lost",
        ),
        (
            _HEAD + "The actor is dead because it was killed by `ray.kill`.",
            "The actor is dead because it was killed by `ray.kill`.",
            "cancelled",
        ),
        (
            "1 worker(s) were killed due to the node running low on memory. \nMemory on the node: 15.2GB / 16.0GB",
            "1 worker(s) were killed due to the node running low on memory. Memory on the node: 15.2GB / 16.0GB",
            "memory",
        ),
        (
            "The actor died because of an error raised in its creation task, \x1b[36mJob\x1b[39m\n   ^^^^\nIt: no",
            "It: no",
            "crash",
        ),
    ],
)  # fmt: skip
def test_why_an_actor_died(text, why, cause):
    from medssl_bench_cluster.ray_client import _why

    assert _why(text) == (why, cause)


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    with pytest.raises(UserError, match=r"^Ray is not installed here: pip install 'medssl-bench-cluster\[ray\]'$"):
        RayEngine("127.0.0.1:6379").check()


@with_ray
@pytest.mark.parametrize(
    ("address", "said"),
    [("", "RAY_ADDRESS is not set"), ("auto", "'auto' is none"), ("ray://head:1", "'ray://head:1' is none")],
)
def test_an_address_is_needed(address, said):
    with pytest.raises(UserError, match=rf"where is the head of the cluster \({said}\)\? Give HOST:PORT"):
        RayEngine(address).check()


@with_ray
def test_an_address_where_nothing_is():
    engine = RayEngine("127.0.0.1:1")
    with pytest.raises(
        UserError,
        match=r"^Ray does not answer at 127\.0\.0\.1:1: Connection refused; start the run on a node of the cluster$",
    ):
        engine.check()
    with pytest.raises(Unreachable, match="Connection refused"):
        engine.states(["a"])


def test_jobs_that_wait_for_others_are_refused():
    with pytest.raises(ValueError, match="detach: a job of Ray cannot wait for others"):
        Ray(detach=True)


def test_the_ledger_knows_where_the_cluster_is(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert Ray().component() == {"name": "ray", "address": "10.0.0.1:6379"}
    assert Ray(address="10.0.0.2:6379").component() == {"name": "ray", "address": "10.0.0.2:6379"}


def test_doctor_repeats_what_ray_warns_of(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert Ray().build().health() == []
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    (ray, bad, good), security, statistics = Ray().build().health()
    assert (ray, good) == ("ray", False)
    assert "not installed" in bad or bad.startswith("Ray does not answer at 127.0.0.1:1: Connection refused;")
    assert "RAY_AUTH_MODE=token" in security[1]
    assert "--disable-usage-stats" in statistics[1]


def test_doctor_says_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setattr(sys, "argv", ["medssl-bench", "doctor", "--store", str(tmp_path / "s"), "--device", "cpu"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "BAD ray: Ray " in said
    assert "ok  ray security: who can reach the ports of Ray can run any code there" in said
