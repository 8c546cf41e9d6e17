"""Every stage stands once in a plan, and serves whatever can build on it."""

from __future__ import annotations

from typing import Any

import pytest
from plan.conftest import SUITE, PlanOf, changed, keys, of_kind, stage_of

TABLE = 'baseline = "tuned"\n'


def test_one_pretraining_serves_every_arm_budget_draw_evaluator_and_comparison(plan_of: PlanOf) -> None:
    text = changed(("draws = [0]", "draws = [0, 1, 2]"))
    second = text[text.index("[[comparison]]") :].replace('"table"', '"again"').replace("linear_probe", "knn")
    plan = plan_of(text + second)
    assert len(of_kind(plan, "pretrain")) == 1
    assert len(of_kind(plan, "embed")) == 2, "of the pretrained and of the untrained encoder"
    (pretrained,) = of_kind(plan, "pretrain")
    assert len([stage for stage in plan.stages.values() if pretrained.key in stage.parents]) == 1 + 3 + 1, (
        "the features, and the fine-tuning on three draws of 100 labels and on all"
    )
    tuned = {trial.stage for trial in plan.trials if trial.arm == "tuned"}
    assert tuned == {trial.stage for trial in plan.trials if trial.arm == "tuned" and trial.table == "again"}


def test_seeds_and_draws_multiply_only_what_they_vary(plan_of: PlanOf) -> None:
    plan = plan_of(changed(("seeds = [0]", "seeds = [0, 1]"), ("draws = [0]", "draws = [0, 1, 2]")))
    assert len(plan.trials) == 5 * 2 * 2 * 3
    stages = {
        (arm, labels): {trial.stage for trial in plan.trials if (trial.arm, trial.labels) == (arm, labels)}
        for arm in ("majority class", "untrained encoder", "scratch", "probed", "tuned")
        for labels in ("100", "all")
    }
    assert {key: len(found) for key, found in stages.items() if key[1] == "100"} == {
        ("majority class", "100"): 1,
        ("untrained encoder", "100"): 6,
        ("scratch", "100"): 6,
        ("probed", "100"): 6,
        ("tuned", "100"): 6,
    }
    assert {len(found) for key, found in stages.items() if key[1] == "all"} == {1, 2}, "all labels are all labels"
    assert len(stages["majority class", "all"]) == 1
    assert len(of_kind(plan, "pretrain")) == 2
    assert len(of_kind(plan, "embed")) == 4


def test_drawn_validation_labels_multiply_all_labels_too(plan_of: PlanOf) -> None:
    text = changed(("draws = [0]", "draws = [0, 1, 2]"), (TABLE, f"{TABLE}validation_labels = 20\n"))
    plan = plan_of(text)
    assert len({trial.stage for trial in plan.trials if (trial.arm, trial.labels) == ("scratch", "all")}) == 3
    none = plan_of(text.replace("validation_labels = 20", "validation_labels = 0"))
    (stage,) = {trial.stage for trial in none.trials if (trial.arm, trial.labels) == ("scratch", "all")}
    assert none.stages[stage].spec.selection == "last"


def test_a_sequence_of_seeds_shares_nothing_with_another(plan_of: PlanOf) -> None:
    first, second = (plan_of(SUITE, seeds=seeds) for seeds in ((0,), (1,)))
    assert not keys(first, "pretrain") & keys(second, "pretrain")
    both = plan_of(SUITE, seeds=(0, 1))
    assert both.stages.keys() == first.stages.keys() | second.stages.keys(), "no seed depends on which others run"


def test_stages_stand_after_what_they_build_on(plan_of: PlanOf) -> None:
    text = changed((TABLE, f'{TABLE}analyses = ["silhouette"]\n'))
    text = text.replace("epochs = 10\n", 'epochs = 10\nteacher = { arm = "scratch" }\n')
    plan = plan_of(text)
    seen: set[str] = set()
    for stage in plan.stages.values():
        assert set(stage.parents) <= seen, stage.title
        seen.add(stage.key)
    assert set(plan.wanted()) <= seen
    assert {stage.kind for stage in plan.stages.values()} == {"pretrain", "embed", "evaluate", "analyse"}


def test_a_chain_starts_each_pretraining_from_the_one_before(plan_of: PlanOf) -> None:
    chain = '[{ recipe = "nat", on = "pathmnist" }, "nat"]'
    plan = plan_of(changed(('["nat"]\n  evaluator = "linear', f'{chain}\n  evaluator = "linear')))
    embedded = plan.stages[stage_of(plan, arm="probed", labels="100").parents[0]]
    last = plan.stages[embedded.parents[0]]
    first = plan.stages[last.parents[0]]
    assert (last.kind, first.kind, first.parents) == ("pretrain", "pretrain", ())
    assert first.identity["dataset"]["name"] == "pathmnist"
    assert last.identity["dataset"]["name"] == "bloodmnist"
    assert first.spec.encoder is not None
    assert (last.spec.encoder, last.spec.start) == (first.spec.encoder, first.key)
    assert embedded.spec.encoder == first.spec.encoder, "what builds on the last needs the first no more"
    assert "encoder" not in last.identity, "its weights come from the first"
    assert last.title == "pretrain · nat · bloodmnist · seed 0 after nat · pathmnist · seed 0"
    assert len(of_kind(plan, "pretrain")) == 3, "the fine-tuned arm has its own, from scratch"


def test_pretraining_on_another_set_serves_every_set(plan_of: PlanOf) -> None:
    text = changed(
        ('["nat"]\n  evaluator = "linear', '[{ recipe = "nat", on = "pathmnist" }]\n  evaluator = "linear'),
        ('["bloodmnist"]', '["bloodmnist", "dermamnist"]'),
    )
    pretrained = [stage.title for stage in of_kind(plan_of(text), "pretrain")]
    assert sorted(pretrained) == [f"pretrain · nat · {name}mnist · seed 0" for name in ("blood", "derma", "path")]


def test_a_teacher_is_the_arm_of_the_same_cell(plan_of: PlanOf) -> None:
    plan = plan_of(changed(("epochs = 10\n", 'epochs = 10\nteacher = { arm = "scratch" }\n')))
    for labels in ("100", "all"):
        teacher = stage_of(plan, arm="scratch", labels=labels)
        pretrained = plan.stages[stage_of(plan, arm="tuned", labels=labels).parents[0]]
        assert pretrained.parents == (teacher.key,)
        assert pretrained.spec.teacher == teacher.key


def test_analyses_are_of_the_encoder_that_an_arm_ends_with(plan_of: PlanOf) -> None:
    text = changed((TABLE, f'{TABLE}analyses = ["silhouette"]\n'), ("draws = [0]", "draws = [0, 1]"))
    plan = plan_of(text)
    found = {(cell.arm, cell.labels, cell.draw) for cell in plan.analyses}
    assert found == {
        ("untrained encoder", None, None), ("probed", None, None),
        ("scratch", "100", 0), ("scratch", "100", 1), ("scratch", "all", 0), ("scratch", "all", 1),
        ("tuned", "100", 0), ("tuned", "100", 1), ("tuned", "all", 0), ("tuned", "all", 1),
    }  # fmt: skip
    assert len(of_kind(plan, "analyse")) == 2 + 2 * 3, "the majority has no encoder; all labels are one encoder"
    probed = next(cell for cell in plan.analyses if cell.arm == "probed")
    assert plan.stages[probed.stage].parents == stage_of(plan, arm="probed", labels="100").parents


@pytest.mark.parametrize(
    ("wanted", "analysed"),
    [
        ('arms = ["probed"]', {("probed", None, None)}),
        ('arms = ["untrained encoder"]', {("untrained encoder", None, None)}),
        (
            'arms = ["tuned", "probed"], labels = ["all"], draws = [1]',
            {("probed", None, None), ("tuned", "all", 1)},
        ),
        (
            "labels = [100], draws = [0]",
            {
                ("untrained encoder", None, None), ("probed", None, None), ("scratch", "100", 0), ("tuned", "100", 0),
            },
        ),
    ],
)  # fmt: skip
def test_analyses_are_of_what_the_suite_says(wanted: str, analysed: set[Any], plan_of: PlanOf) -> None:
    """Labels and draws choose among encoders that labels have trained; one that none has trained is always there."""
    text = changed((TABLE, f'{TABLE}analyses = ["silhouette"]\n'), ("draws = [0]", "draws = [0, 1]"))
    every = plan_of(text)
    plan = plan_of(text.replace(TABLE, f"{TABLE}analyses_of = {{ {wanted} }}\n"))
    assert {(cell.arm, cell.labels, cell.draw) for cell in plan.analyses} == analysed
    assert plan.stages.keys() < every.stages.keys(), "what is analysed has the key that it had"
    assert keys(plan, "evaluate") == keys(every, "evaluate")


def test_analyses_of_some_seeds_and_data_sets(plan_of: PlanOf) -> None:
    text = changed(
        ("seeds = [0]", "seeds = [0, 1]"),
        ('["bloodmnist"]', '["bloodmnist", "chestmnist"]'),
        (TABLE, f'{TABLE}analyses = ["silhouette"]\nanalyses_of = {{ datasets = ["bloodmnist"], seeds = [1] }}\n'),
    )
    plan = plan_of(text)
    assert {(cell.dataset, cell.seed) for cell in plan.analyses} == {("bloodmnist", 1)}, "it cannot judge on the other"
    assert not plan_of(text, seeds=(0,)).analyses


@pytest.mark.parametrize(
    ("settings", "draws"),
    [
        ("validation_labels = 20", 2),
        ('validation_labels = 20\nselection = "last"', 1),
        ('validation_labels = 20\nselection = "test"', 1),
        ('selection = "validation"', 1),
        ('validation_labels = 20\nselection = "last"\nshuffle_labels = true', 2),
    ],
)
def test_a_draw_of_validation_labels_counts_where_they_choose_the_epoch(
    settings: str, draws: int, plan_of: PlanOf
) -> None:
    text = changed(("draws = [0]", "draws = [0, 1]"), ('labels = [100, "all"]', f'labels = [100, "all"]\n{settings}'))
    trials = plan_of(text).trials
    for arm in ("scratch", "probed", "tuned"):
        assert len({t.stage for t in trials if (t.arm, t.labels) == (arm, "all")}) == draws
        assert len({t.stage for t in trials if (t.arm, t.labels) == (arm, "100")}) == 2


def test_neighbours_choose_nothing_by_validation_labels(plan_of: PlanOf) -> None:
    text = changed(
        ("draws = [0]", "draws = [0, 1]"),
        ('labels = [100, "all"]', 'labels = [100, "all"]\nvalidation_labels = 20'),
        ('"linear_probe"', '"knn"'),
    )
    trials = plan_of(text).trials
    assert len({t.stage for t in trials if (t.arm, t.labels) == ("probed", "all")}) == 1
    assert len({t.stage for t in trials if (t.arm, t.labels) == ("scratch", "all")}) == 2


@pytest.mark.parametrize(
    ("settings", "selection"),
    [
        ("validation_labels = 0", "last"),
        ('validation_labels = 0\nselection = "test"', "test"),
        ('selection = "test"', "test"),
        ("validation_labels = 20", "validation"),
    ],
)
def test_the_epoch_is_chosen_as_the_suite_says(settings: str, selection: str, plan_of: PlanOf) -> None:
    plan = plan_of(changed(('labels = [100, "all"]', f'labels = [100, "all"]\n{settings}')))
    assert stage_of(plan, arm="scratch", labels="100").spec.selection == selection
    assert stage_of(plan, arm="majority class", labels="100").spec.selection == "last"


PUBLIC = """
  [[comparison.arm]]
  name = "public"
  encoder = { name = "resnet18", weights = "pretrained" }
  evaluator = "EVALUATOR"
"""


@pytest.mark.parametrize(("evaluator", "judgements"), [("knn", 1), ("logistic", 1), ("linear_probe", 2)])
def test_no_seed_multiplies_features_that_it_does_not_draw(plan_of: PlanOf, evaluator: str, judgements: int) -> None:
    """A value that two seeds share is one value: it must not make a deviation look smaller than it is."""
    text = changed(("seeds = [0]", "seeds = [0, 1]")) + PUBLIC.replace("EVALUATOR", evaluator)
    plan = plan_of(text)
    judged = {trial.stage for trial in plan.trials if (trial.arm, trial.labels) == ("public", "100")}
    assert len(judged) == judgements
    assert len({parent for stage in judged for parent in plan.stages[stage].parents}) == 1
    alone = plan_of(text, seeds=(0,))
    assert stage_of(alone, arm="public", labels="100").key in plan.stages, "the key of seed 0 is as it was"
