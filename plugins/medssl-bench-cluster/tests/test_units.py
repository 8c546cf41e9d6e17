"""Packs: closed, siblings together, pretrainings alone, and named by what they hold."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from medssl_bench_cluster.units import Unit, units_of

from medssl_bench.plan.stage import Stage


def _home(units):
    return {key: unit for unit in units for key in unit.keys}


def _check(stages, units):
    """Every stage is in one unit, after its parents, and every unit stands after those it builds on."""
    assert sorted(key for unit in units for key in unit.keys) == sorted(stage.key for stage in stages)
    place = {unit.id: number for number, unit in enumerate(units)}
    home = _home(units)
    for unit in units:
        seen = set()
        for stage in unit.stages:
            for parent in stage.parents:
                if parent in unit.keys:
                    assert parent in seen
                elif parent in home:
                    assert place[home[parent].id] < place[unit.id]
            seen.add(stage.key)


@pytest.mark.parametrize("pack_seconds", [1.0, 250.0, 600.0, 1e9])
def test_packs_are_closed_and_siblings_stay_together(job, pack_seconds):
    seconds = {stage.key: 100.0 for stage in job.stages}
    units = units_of(job.stages, seconds, pack_seconds)
    _check(job.stages, units)
    home = _home(units)
    by_key = {stage.key: stage for stage in job.stages}
    for stage in job.stages:
        if stage.kind == "pretrain":
            assert home[stage.key].keys == {stage.key}
        for parent in stage.parents:
            if by_key[parent].kind == "embed":
                assert home[parent] is home[stage.key], "an embed is never parted from its probes"


def test_small_packs_are_as_long_as_they_may_be(job):
    seconds = {stage.key: 100.0 for stage in job.stages}
    trainings = [s for s in job.stages if "supervised" in s.title]
    assert len(trainings) == 12
    units = units_of(trainings, seconds, 400.0)
    assert [len(unit.stages) for unit in units] == [4, 4, 4]
    assert {unit.seconds for unit in units} == {400.0}


def test_siblings_whose_features_are_done_stay_together_and_trainings_on_a_done_encoder_do_not(job):
    """Trainings on one encoder can be done side by side; probes on the same features are faster together."""
    probes = [stage for stage in job.stages if stage.kind == "evaluate" and "probe" in stage.title]
    assert len({stage.parents for stage in probes}) == 2
    assert {len(unit.stages) for unit in units_of(probes, dict.fromkeys(_keys(probes), 500.0), 600.0)} == {6}
    trainings = [stage for stage in job.stages if "supervised" in stage.title]
    assert {len(unit.stages) for unit in units_of(trainings, dict.fromkeys(_keys(trainings), 500.0), 600.0)} == {1}


def _keys(stages):
    return [stage.key for stage in stages]


def test_the_name_is_of_what_it_holds(job):
    first, second = units_of(job.stages, {}), units_of(list(job.stages), {})
    assert [unit.id for unit in first] == [unit.id for unit in second]
    assert len({unit.id for unit in first}) == len(first)
    assert all(len(unit.id) == 16 for unit in first)


def test_parents_are_those_outside(job):
    units = units_of(job.stages, {})
    pretrained = next(unit for unit in units if unit.stages[0].kind == "pretrain")
    (followers,) = [unit for unit in units if pretrained.stages[0].key in unit.parents]
    assert followers.parents == {pretrained.stages[0].key}
    assert followers.title.endswith(f" and {len(followers.stages) - 1} more")


@pytest.fixture
def job(make_job):
    return make_job(draws=(0, 1, 2), labels=(20, 40))


class _Spec:
    def __init__(self, kind, start):
        self.kind, self.start = kind, start


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_whatever_builds_on_whatever_units_can_be_done_one_after_the_other(seed, number):
    """Also stages with parents of several encoders, of which there are none yet."""
    dice = random.Random(seed)
    stages = []
    for index in range(number):
        parents = tuple(stage.key for stage in stages if dice.random() < 0.15)
        start = parents[0] if parents and dice.random() < 0.5 else None
        spec = _Spec(dice.choice(["pretrain", "embed", "evaluate"]), start)
        stages.append(Stage(f"{index:064d}", f"stage {index}", {}, spec, parents))
    missing = {stage.key for stage in stages if dice.random() < 0.2}
    todo = [stage for stage in stages if stage.key not in missing]
    seconds = {stage.key: dice.choice([1.0, 300.0]) for stage in todo}
    _check(todo, units_of(todo, seconds, 600.0))


def test_a_unit_of_one_is_called_as_its_stage(job):
    assert Unit(job.stages[:1]).title == job.stages[0].title
