"""The executor on a real Slurm of two nodes: the numbers of one machine, what cannot be, and what the page says.

Where Slurm's programs are not installed these tests are left out: apt-get install slurmctld slurmd slurm-client munge.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docs.pages import DOCS
from docs.reader import Reader
from endurance.small_suite import traces, write_suite
from long import LONG
from medssl_bench_cluster.engine import Resources, Submission
from medssl_bench_cluster.slurm import SlurmEngine
from runs import SECRET, Run, until
from slurm_cluster import SlurmCluster, missing

from medssl_bench.errors import UserError
from medssl_bench.store.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.skipif(bool(missing()), reason=missing())]


def test_the_numbers_and_files_of_one_machine(slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]) -> None:
    suite = write_suite(place, 2)
    before = len(slurm.jobs())
    run = Run("slurm", slurm.environment(), suite)
    status, said = run.end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)
    units = run.units()
    assert len(slurm.jobs()) - before == len(units) == 3, "a pretraining, what builds on it, and what builds on none"
    assert {unit["attempt"] for unit in units.values()} == {1}
    records = list(Store(run.store).records())
    assert {record.provenance["threads"] for record in records} == {1}
    files = [file for file in (run.store / "jobs").rglob("*") if file.is_file()]
    assert files
    assert not any(SECRET in file.read_text() for file in files)
    assert not list((run.store / "runs").iterdir())
    assert Run("slurm", slurm.environment(), suite).end()[0] == 0, "nothing is left to do"
    assert len(slurm.jobs()) - before == 3


@pytest.mark.parametrize(
    ("asks", "message"),
    [
        ({"cpus": 64}, "PartitionConfig|sbatch refuses medssl-test: .*not available"),
        ({"mem_gb": 5000.0}, "sbatch refuses medssl-test: .*Memory specification can not be satisfied"),
        ({"partition": "nowhere"}, "sbatch refuses medssl-test: .*invalid partition specified: nowhere"),
        ({"minutes": 600}, "PartitionTimeLimit|PartitionConfig"),
        ({"gpus": 3}, "sbatch refuses medssl-test: "),
        ({"options": ("--no-such-option",)}, "sbatch refuses medssl-test: .*no-such-option"),
    ],
    ids=str,
)
def test_what_slurm_says_of_what_it_does_not_have(
    asks: dict[str, Any], message: str, slurm: SlurmCluster, place: Path
) -> None:
    engine = SlurmEngine()
    try:
        handle = engine.submit(
            Submission("medssl-test", ("/bin/true",), place / "log", Resources(**{"cpus": 1, **asks}))
        )
        state = until(lambda: (state := engine.states([handle])[handle]).hopeless and state)
        said = state.why
        engine.cancel([handle])
    except UserError as error:
        said = str(error)
    assert re.search(message, said)
    until(lambda: not slurm.living(), 60)


def test_what_cannot_be_is_told_at_once_and_no_job_is_left_behind(slurm: SlurmCluster, tmp_path: Path) -> None:
    """It cannot be ever, is refused, or has no programs."""
    wanted = {
        "partition=nowhere": "error: sbatch refuses medssl-[0-9a-f]+: .*invalid partition specified: nowhere",
        "minutes=600": r"error: .*its job can never start \(PartitionTimeLimit\): change what it asks for",
        "cpus=1": "error: sbatch, squeue, scancel, scontrol, sinfo: not on the PATH",
    }
    runs = []
    for setting in wanted:
        folder = tmp_path / setting
        folder.mkdir()
        environment = {**slurm.environment(), **({"PATH": "/nowhere"} if setting == "cpus=1" else {})}
        runs.append(Run("slurm", environment, write_suite(folder, 2), setting))
    for run, message in zip(runs, wanted.values(), strict=True):
        status, said = run.end()
        assert (status, "Traceback" in said) == (2, False), said
        assert re.search(message, said), said
    until(lambda: not slurm.living(), 60)


def test_a_wrong_configuration_is_told_in_ten_seconds(slurm: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CONF", "/nowhere/slurm.conf")
    message = (
        r"^Slurm does not answer: scontrol gave no answer in 10 s; is its configuration right \(/nowhere/slurm.conf\)"
    )
    with pytest.raises(UserError, match=message):
        SlurmEngine().check()


@LONG
def test_a_drained_node_keeps_its_job_and_gets_no_other(
    slurm: SlurmCluster, suite: Path, local: Callable[[Path], Any]
) -> None:
    with slurm.drained("n0,n1"):
        run = Run("slurm", slurm.environment(), suite)
        until(lambda: re.search(r"\d queued \(.*(Nodes|Resources)", run.said))
        assert run.process.poll() is None
    unit = run.training()
    node = slurm.node_of(unit["handle"])
    with slurm.drained(node):
        assert slurm.jobs()[int(unit["handle"])] == "RUNNING", "what is at work goes on"
        status, said = run.end()
        assert status == 0, said
        (other,) = [found["handle"] for found in run.units().values() if found["handle"] != unit["handle"]]
        assert slurm.node_of(other) not in {"", node}
    assert run.attempts() == 1
    assert traces(suite, run.store) == local(suite)


@LONG
def test_the_page_on_clusters_says_what_happens(
    slurm: SlurmCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    Reader(DOCS / "how-to" / "cluster.md", capsys, monkeypatch).read()
