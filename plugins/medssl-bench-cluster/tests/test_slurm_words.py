"""What Slurm says, and what is said to it; no program of it is run."""

from __future__ import annotations

import math
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from medssl_bench_cluster import slurm
from medssl_bench_cluster.engine import Resources, State, Submission, Unreachable
from medssl_bench_cluster.slurm import SlurmEngine, _minutes, _run, _script, _state


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("1:00:00", 60), ("1:00", 1), ("30:00", 30), ("2-00:00:00", 2880), ("1-12:30:00", 2190), ("infinite", math.inf),
     ("UNLIMITED", math.inf), ("", math.inf), ("n/a", math.inf)],
)  # fmt: skip
def test_time_limits(limit, minutes):
    assert _minutes(limit) == minutes


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (("PENDING", "0", "N/A", "Resources"), State("queued", "Resources")),
        (("PENDING", "0", "N/A", "PartitionTimeLimit"), State("queued", "PartitionTimeLimit", hopeless=True)),
        (
            ("PENDING", "0", "N/A", "DependencyNeverSatisfied"),
            State("queued", "DependencyNeverSatisfied", hopeless=True),
        ),
        (("CONFIGURING", "0", "N/A", "None"), State("queued")),
        (("RUNNING", "0", "N/A", "None"), State("running")),
        (("COMPLETING", "0", "N/A", "None"), State("running", cause="cancelled")),
        (("COMPLETING", "0", "N/A", "TimeLimit"), State("running")),
        (("COMPLETING", "0", "2026-11-30T17:43:11", "None"), State("running")),
        (("SUSPENDED", "0", "N/A", "None"), State("running")),
        (("COMPLETED", "0", "N/A", "None"), State("over", "COMPLETED")),
        (("FAILED", "19200", "N/A", "NonZeroExitCode"), State("over", "FAILED, status 75", cause="crash")),
        (("FAILED", "9", "N/A", "JobLaunchFailure"), State("over", "FAILED, SIGKILL", cause="lost")),
        (("FAILED", "139", "N/A", "None"), State("over", "FAILED, SIGSEGV", cause="crash")),
        (("OUT_OF_MEMORY", "9", "N/A", "OutOfMemory"), State("over", "OUT_OF_MEMORY", cause="memory")),
        (("TIMEOUT", "15", "N/A", "TimeLimit"), State("over", "TIMEOUT", cause="time")),
        (("NODE_FAIL", "0", "N/A", "None"), State("over", "NODE_FAIL", cause="lost")),
        (("PREEMPTED", "0", "2026-11-30T17:43:11", "None"), State("over", "PREEMPTED", cause="preempted")),
        (("CANCELLED", "0", "N/A", "None"), State("over", "CANCELLED", cause="cancelled")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_states(said, state):
    assert _state(*said) == state


def test_every_name_in_a_script_is_quoted(tmp_path):
    """The script is run by a shell: it gives the program exactly its arguments."""
    odd = ["it's", "$HOME", "a b", '"', "`id`", "; echo no", "\\", "new\nline", "*"]
    code = "import os, sys; print(repr((os.environ['SOME'], sys.argv[1:])))"
    submission = Submission("name", (sys.executable, "-c", code, *odd), tmp_path, environment={"SOME": "$PATH '"})
    done = subprocess.run(["/bin/sh"], input=_script(submission), capture_output=True, text=True, check=True)
    assert done.stdout == f"{('$PATH ' + chr(39), odd)!r}\n"


def test_options(monkeypatch):
    engine = SlurmEngine()
    sinfo = "debug*|1:00:00|3000\ndebug*|1:00:00|4000\nlong|infinite|2048\n"
    monkeypatch.setattr(slurm, "_run", lambda _command: sinfo)
    asks = Resources(2, 1, 1.5, None, 90, "", "lab", ("--nice=5",))
    submission = Submission("medssl-1", ("x",), Path("/a/50%j/log"), asks, after=("7", "9"))
    options = engine._options(submission)
    assert "--output=/a/50%%j/log" in options
    assert "--time=60" in options, "what is only wished is cut to what there is"
    assert "--mem=1536M" in options
    assert "--gpus-per-node=1" in options
    assert "--dependency=afterany:7:9" in options
    assert "--no-requeue" in options
    assert options[-1] == "--nice=5"
    assert not any(option.startswith("--partition") for option in options)
    asked = engine._options(Submission("n", ("x",), Path("/log"), Resources(minutes=900)))
    assert "--time=900" in asked, "what the user says is not"
    assert "--signal=B:TERM@90" in asked
    wishes = Resources(minutes=5, wished_mem_gb=9)
    assert "--mem=4000M" in engine._options(Submission("n", ("x",), Path("/log"), wishes)), "the largest node has that"
    wishes = Resources(partition="long", wished_mem_gb=1.5, wished_minutes=90)
    assert {"--mem=1536M", "--time=90"} <= set(engine._options(Submission("n", ("x",), Path("/log"), wishes)))
    shortest = engine._options(Submission("n", ("x",), Path("/log"), Resources(minutes=1)))
    assert not any(option.startswith("--signal") for option in shortest), "Slurm might send it at once"


def test_what_slurm_has_set_for_a_job_is_left_out_but_for_its_configuration(monkeypatch):
    for name in ("SLURM_JOB_ID", "SBATCH_PARTITION", "SLURM_CONF", "SQUEUE_FORMAT", "OTHER"):
        monkeypatch.setenv(name, "x")
    code = "import os; print(*sorted(set(os.environ) & {'SLURM_JOB_ID', 'SBATCH_PARTITION', 'SLURM_CONF', 'OTHER'}))"
    assert _run([sys.executable, "-c", code]).split() == ["OTHER", "SLURM_CONF"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; print('it is\\nbroken', file=sys.stderr); sys.exit(1)", "^it is broken$"),
        ("import sys; sys.exit(3)", "^status 3$"),
        ("import time; time.sleep(60)", "gave no answer in 0 s"),
    ],
)
def test_a_program_that_fails_is_asked_again_later(code, message):
    with pytest.raises(Unreachable, match=message):
        _run([sys.executable, "-c", code], seconds=0.3 if "sleep" in code else 20)


def test_a_program_that_is_not_there():
    with pytest.raises(Unreachable, match=shlex.quote("/nowhere/sbatch") + ": No such file"):
        _run(["/nowhere/sbatch"])
