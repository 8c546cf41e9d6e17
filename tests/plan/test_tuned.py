"""Plans of suites with ``tune``: their keys, their scale, and the data sets on which nothing can be chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from plan.conftest import PlanOf, changed, stage_of
from plan.test_checks import _check, _info

from medssl_bench.errors import SuiteError
from medssl_bench.plugin.manager import Plugins

PROBE = 'evaluator = "linear_probe"\n'


def tuned(evaluator: str, *more: tuple[str, str]) -> str:
    return changed((PROBE, f"evaluator = {evaluator}\n"), *more)


def test_what_has_no_tune_keeps_its_keys(plan_of: PlanOf) -> None:
    plain = plan_of(changed())
    plan = plan_of(tuned('{ name = "linear_probe", tune = { lr = [0.1, 0.2] } }'))

    for arm in ("scratch", "tuned", "majority class"):
        assert stage_of(plan, arm=arm).key == stage_of(plain, arm=arm).key
    assert stage_of(plan, arm="probed").key != stage_of(plain, arm="probed").key
    assert stage_of(plan, arm="probed").parents == stage_of(plain, arm="probed").parents, "features are the same"
    floor = stage_of(plan, arm="untrained encoder").spec.evaluator
    assert floor.tune == {"lr": [0.1, 0.2]}, "the floor has the probe of the comparison, and its tries"


def test_an_evaluator_that_chooses_nothing_by_itself_has_the_draw_of_validation_labels(plan_of: PlanOf) -> None:
    budget = ('labels = [100, "all"]\n', 'labels = ["all"]\nvalidation_labels = 20\n')
    once = (("seeds = [0]\n", ""), ("draws = [0]\n", "draws = [0, 1]\n"))

    def keys(evaluator: str) -> set[str]:
        plan = plan_of(tuned(evaluator, budget, *once))
        return {trial.stage for trial in plan.trials if trial.arm == "probed"}

    assert len(keys('"knn"')) == 1
    assert len(keys('{ name = "knn", tune = { k = [1, 5] } }')) == 2


def test_epochs_of_candidates_are_scaled_too(plan_of: PlanOf) -> None:
    schedules = '[{ name = "cosine", warmup = 10 }, "constant"]'
    text = tuned(f'{{ name = "finetune", tune = {{ epochs = [40, 100], schedule = {schedules} }} }}')

    component = stage_of(plan_of(text, epochs_scale=0.5), arm="probed").spec.evaluator

    assert component.tune["epochs"] == [20, 50]
    assert [each.parameters["warmup"] for each in component.tune["schedule"]] == [5, 0]


def test_a_data_set_without_validation_images_is_refused(plugins: Plugins) -> None:
    registry, info = plugins.registry, _info()
    component = registry.resolve("evaluator", {"name": "knn", "tune": {"k": [1, 5]}}, Path())
    without = replace(info, counts={**info.counts, "val": 0})

    assert _check(info).evaluator(registry, component) == ""
    wrong = _check(without).evaluator(registry, component)
    assert wrong == "'knn' cannot judge on 'Set': tune needs validation images, and it has none"
    patient = registry.resolve("evaluator", {"name": "finetune", "patience": 5}, Path())
    assert _check(without).evaluator(registry, patient).endswith("patience needs validation images, and it has none")


def test_an_analysis_is_not_tuned(plan_of: PlanOf) -> None:
    analyses = ('baseline = "tuned"\n', 'analyses = [{ name = "silhouette", tune = { points = [50, 60] } }]\n')
    with pytest.raises(SuiteError, match=r"analyses\[0\]: evaluator 'silhouette': .*tune: it predicts nothing"):
        plan_of(changed(analyses))
