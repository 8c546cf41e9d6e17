"""What jobs ask for: the profile, the command line, what like stages took, and what is wrong with a profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from medssl_bench_cluster.engine import Resources
from medssl_bench_cluster.resources import Profile, Requests
from medssl_bench_cluster.units import Unit

from medssl_bench.errors import UserError
from medssl_bench.store.record import Record

TEXT = """
[slurm]
cpus = 8
partition = "cpu"
options = ["--nice=10"]

[slurm.pretrain]
gpus = 1
partition = "gpu"
minutes = 90

[slurm.embed]
mem_gb = 16

[other]
cpus = 1
"""


def _profile(tmp_path: Path, text: str = TEXT, **overrides) -> Profile:
    file = tmp_path / "cluster.toml"
    file.write_text(text)
    return Profile.load("slurm", file, overrides)


def test_a_kind_has_what_is_said_of_all_and_of_it(tmp_path):
    profile = _profile(tmp_path)
    assert profile.of(["evaluate"]) == Resources(cpus=8, partition="cpu", options=("--nice=10",))
    assert profile.of(["pretrain"]) == Resources(cpus=8, gpus=1, minutes=90, partition="gpu", options=("--nice=10",))


def test_several_kinds_ask_for_the_largest_numbers_and_the_names_of_the_first(tmp_path):
    found = _profile(tmp_path).of(["evaluate", "pretrain", "embed"])
    assert (found.cpus, found.gpus, found.mem_gb, found.minutes, found.partition) == (8, 1, 16, 90, "cpu")


def test_the_command_line_counts_first(tmp_path):
    found = _profile(tmp_path, cpus=2, partition=None, gpus=0).of(["pretrain"])
    assert (found.cpus, found.gpus, found.partition) == (2, 0, "gpu")


def test_without_a_profile_of_the_user_there_are_defaults(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert Profile.load("slurm", None, {}).of(["embed"]) == Resources()
    (tmp_path / "medssl-bench").mkdir()
    (tmp_path / "medssl-bench" / "cluster.toml").write_text("[slurm]\ncpus = 3\n")
    assert Profile.load("slurm", None, {}).of(["embed"]).cpus == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[slurm]\ncpu = 3\n", r"cluster.toml: slurm.cpu: unknown \(did you mean 'cpus'\?\)"),
        ("[slurm.pretain]\ncpus = 3\n", r"slurm.pretain: unknown \(did you mean 'pretrain'\?\)"),
        ("[slurm.pretrain]\ngpu = 3\n", r"pretrain.gpu: unknown \(did you mean 'gpus'\?\)"),
        ("[slurm]\ncpus = 0\n", "cpus = 0: give a number above 0"),
        ("[slurm]\ngpus = -1\n", "gpus = -1: give 0 or more"),
        ('[slurm]\ncpus = "many"\n', "cpus: Input should be a valid integer"),
        ("[slurm]\nwished_minutes = 3\n", "slurm.wished_minutes: unknown"),
        ("slurm = 3\n", "slurm: expected a table"),
        ("[slurm]\npretrain = 3\n", "pretrain: expected a table"),
        ("[slurm\n", "the profile is not valid TOML"),
    ],
)
def test_what_is_wrong_with_a_profile_is_told_in_one_line(text, message, tmp_path):
    with pytest.raises(UserError, match=message) as caught:
        _profile(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_profile_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.toml: the profile cannot be read: No such file"):
        Profile.load("slurm", tmp_path / "nowhere.toml", {})


def test_minutes_and_memory_that_are_not_given_are_those_of_like_stages(job, tmp_path):
    unit = Unit(job.stages[:3], 600.0)
    profile = Profile({}, {})
    alone = Requests(profile, {}).of(unit)
    assert (alone.minutes, alone.wished_minutes, alone.wished_mem_gb) == (None, 35, None)
    records = [
        Record("0" * 64, stage.kind, "t", "done", {}, cost={"speed_group": stage.speed_group, "peak_memory_bytes": n})
        for n, stage in zip((2**30, 3 * 2**30, 2**30), unit.stages, strict=True)
    ]
    found = Requests(profile, {}, records).of(unit)
    assert (found.mem_gb, found.wished_mem_gb) == (None, 6), "1.5 x 3 GiB, and 1, rounded up"
    found = Requests(Profile({"mem_gb": 2}, {}), {}, records).of(unit)
    assert (found.mem_gb, found.wished_mem_gb) == (2, None)
    assert Requests(profile, {}, records[:0]).of(unit).wished_mem_gb is None
    assert Requests(profile, {}, limits_time=False).of(unit).wished_minutes is None
