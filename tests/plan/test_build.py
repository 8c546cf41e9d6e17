"""What a plan holds: every stage once, and no more of them than results differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from plan.conftest import SUITE, PlanOf, changed, keys, of_kind, stage_of

from medssl_bench.errors import SuiteError, UserError
from medssl_bench.plan.lookup import encoder_stage, find_trial, training_stages
from medssl_bench.suite.suite import Suite

TABLE = 'baseline = "tuned"\n'


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        (("epochs = 10\n", 'epochs = 10\nteacher = { arm = "tuned" }\n'), "12: pretraining.nat.teacher.arm",
         "arm 'tuned' of comparison 'table' would be its own teacher"),
        (("epochs = 10\n", 'epochs = 10\nteacher = { arm = "probed" }\n'), "12: pretraining.nat.teacher.arm",
         "arm 'probed' of comparison 'table' trains no encoder"),
        (("epochs = 10\n", 'epochs = 10\nteacher = { arm = "tund" }\n'), "12: pretraining.nat.teacher.arm",
         "there is no arm 'tund' in comparison 'table' (did you mean 'tuned'?)"),
        (("epochs = 10\n", 'epochs = 10\nteacher = { arm = "scratch", labels = 99999 }\n'),
         "12: pretraining.nat.teacher.labels", "BloodMNIST, train split: 99999 images are asked of a set of 11959"),
        (("epochs = 10\n", "epochs = { pathmnist = 10 }\n"), "11: pretraining.nat.epochs",
         "this says nothing of data set 'bloodmnist' and has no default"),
        (("epochs = 10\n", "epochs = 10\nimages = 11960\n"), "12: pretraining.nat.images",
         "BloodMNIST, train split: 11960 images are asked of a set of 11959"),
        (('[100, "all"]', "[100, 11960]"), "16: comparison[0].labels[1]",
         "BloodMNIST, train split: 11960 images are asked of a set of 11959; ask for fewer"),
        ((TABLE, f"{TABLE}validation_labels = 2000\n"), "18: comparison[0].validation_labels",
         "BloodMNIST, val split: 2000 images are asked of a set of 1712"),
        (('["bloodmnist"]\nlabels = [100, "all"]', '["chestmnist"]\nlabels = [{ per_class = 5 }]'),
         "16: comparison[0].labels[0]", "ChestMNIST is a multi-label set: its images have no one class"),
        (('["bloodmnist"]\nlabels = [100, "all"]', '["chestmnist"]\nlabels = [{ count = 5, stratified = true }]'),
         "16: comparison[0].labels[0]", "ChestMNIST is a multi-label set"),
    ],
)  # fmt: skip
def test_what_the_data_or_the_comparison_cannot_give(
    change: tuple[str, str], where: str, message: str, plan_of: PlanOf
) -> None:
    with pytest.raises(SuiteError) as caught:
        plan_of(changed(change))
    (problem,) = caught.value.problems
    assert f"suite.toml:{where}: {message}" in str(problem)


def test_what_an_evaluator_cannot_judge_is_told_at_its_arm(plan_of: PlanOf) -> None:
    text = changed(('["bloodmnist"]', '["bloodmnist", "chestmnist"]'), (TABLE, f'{TABLE}analyses = ["silhouette"]\n'))
    with pytest.raises(SuiteError) as caught:
        plan_of(text)
    (problem,) = caught.value.problems
    assert "suite.toml:18: comparison[0].analyses[0]: 'silhouette' cannot judge on 'ChestMNIST': " in str(problem)


def test_cells_that_are_skipped_and_clipped(plan_of: PlanOf) -> None:
    budgets = '[{ count = 20000, short = "skip" }, { count = 30000, short = "clip" }, 100]'
    plan = plan_of(changed(('[100, "all"]', budgets), ('["bloodmnist"]', '["bloodmnist", "pathmnist"]')))
    found = {(trial.dataset, trial.labels) for trial in plan.trials}
    assert found == {
        ("bloodmnist", "30000"), ("bloodmnist", "100"),
        ("pathmnist", "20000"), ("pathmnist", "30000"), ("pathmnist", "100"),
    }  # fmt: skip


def test_what_is_done_with_small_sets_is_told_to_the_worker_and_is_in_no_key(plan_of: PlanOf) -> None:
    clip = changed(
        ('[100, "all"]', '[{ count = 100, short = "clip" }]'),
        (TABLE, f'{TABLE}validation_labels = {{ count = 20, short = "clip" }}\n'),
        ("epochs = 10\n", 'epochs = 10\nimages = { count = 500, short = "clip" }\n'),
    )
    plain = clip.replace(', short = "clip"', "")
    clipped, strict = plan_of(clip), plan_of(plain)
    assert clipped.stages.keys() == strict.stages.keys()
    spec = stage_of(clipped, arm="tuned").spec
    assert (spec.labels.short, spec.validation_labels.short) == ("clip", "clip")
    assert of_kind(clipped, "pretrain")[0].spec.images.short == "clip"
    assert of_kind(strict, "pretrain")[0].spec.images.short == "error"


def test_scaled_plans_share_nothing_that_is_trained(plan_of: PlanOf) -> None:
    full, half = plan_of(SUITE), plan_of(SUITE, epochs_scale=0.5)
    assert half.epochs_scale == 0.5
    for kind in ("pretrain", "evaluate"):
        assert not keys(full, kind) & keys(half, kind)
        assert all(stage.identity["epochs_scale"] == 0.5 for stage in of_kind(half, kind))
        assert all("epochs_scale" not in stage.identity for stage in of_kind(full, kind))
    assert of_kind(half, "pretrain")[0].identity["duration"] == {"epochs": 5}
    assert stage_of(half, arm="scratch", labels="100").spec.evaluator.parameters["epochs"] == 250
    assert stage_of(half, arm="probed", labels="100").spec.evaluator.parameters["epochs"] == 500
    assert all(stage.spec.epochs_scale == 0.5 for stage in half.stages.values())
    assert of_kind(plan_of(SUITE, epochs_scale=1e-6), "pretrain")[0].identity["duration"] == {"epochs": 1}
    halved = plan_of(changed(("epochs = 10\n", "epochs = 5\n")))
    assert not keys(halved, "pretrain") & keys(half, "pretrain"), "half of 10 epochs is not 5 epochs of a full run"


def test_a_probe_keeps_its_length_however_much_else_is_scaled(plan_of: PlanOf) -> None:
    """Cut to 5 epochs it would measure its own training, not the encoder."""
    plan = plan_of(SUITE, epochs_scale=0.01)
    epochs = {s.title: s.spec.evaluator.parameters.get("epochs") for s in of_kind(plan, "evaluate")}
    assert {number for title, number in epochs.items() if "probed" in title or "untrained" in title} == {500}
    assert {number for title, number in epochs.items() if "scratch" in title or "tuned" in title} == {5}


def test_metrics_of_multi_label_sets_have_a_revision_of_their_own(plan_of: PlanOf) -> None:
    plan = plan_of(changed(('["bloodmnist"]', '["bloodmnist", "chestmnist"]')))
    found = {stage.title: stage.identity.get("metrics") for stage in of_kind(plan, "evaluate")}
    assert {revision for title, revision in found.items() if "chestmnist" in title} == {2}
    assert {revision for title, revision in found.items() if "bloodmnist" in title} == {None}


def test_the_scale_of_the_suite_holds_unless_another_is_given(plan_of: PlanOf) -> None:
    text = changed(('name = "small"\n', 'name = "small"\nepochs_scale = 0.25\n'))
    assert plan_of(text).epochs_scale == 0.25
    assert plan_of(text, epochs_scale=0.5).epochs_scale == 0.5
    assert plan_of(text, epochs_scale=1.0).stages.keys() == plan_of(SUITE).stages.keys()


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.01])
def test_a_scale_makes_no_warm_up_too_long(scale: float, plan_of: PlanOf) -> None:
    """The duration that another data set would have does not count, nor what rounding makes of a short one."""
    durations = "epochs = { bloodmnist = 10, default = 5 }\nschedule.warmup = 9"
    tune = 'schedule = { name = "cosine", warmup = 9 }, tune = { epochs = [10, 20] }'
    text = changed(("epochs = 10", durations), ('"probed"\n', f'"a"\nevaluator = {{ name = "finetune", {tune} }}\n'))
    text = text.replace('  pretraining = ["nat"]\n  evaluator = "linear_probe"\n', "")

    (stage,) = of_kind(plan_of(text, epochs_scale=scale), "pretrain")

    assert stage.spec.schedule.parameters["warmup"] == round(9 * scale)
    with pytest.raises(SuiteError, match=r"warmup = 10 takes all of the training \(epochs = 10\)"):
        plan_of(text.replace("warmup = 9", "warmup = 10"), epochs_scale=scale)


def test_durations_by_data_set(plan_of: PlanOf) -> None:
    text = changed(
        ("epochs = 10\n", "steps = { bloodmnist = 7, default = 3 }\n"),
        ('["bloodmnist"]', '["bloodmnist", "pathmnist"]'),
    )
    found = {stage.identity["dataset"]["name"]: stage for stage in of_kind(plan_of(text), "pretrain")}
    assert {name: stage.identity["duration"] for name, stage in found.items()} == {
        "bloodmnist": {"steps": 7}, "pathmnist": {"steps": 3},
    }  # fmt: skip
    assert {name: stage.images for name, stage in found.items()} == {"bloodmnist": 7 * 256, "pathmnist": 3 * 256}


@pytest.mark.parametrize(
    ("duration", "images"),
    [
        ("epochs = 10", 10 * 46 * 256),
        ("epochs = 10\nbatch_size = 20000", 10 * 11959),
        ("epochs = 10\nimages = 100", 10 * 100),
        ("epochs = 2\nimages = 300", 2 * 256),
        ('epochs = 2\nimages = "10%"', 2 * 4 * 256),
        ("images_seen = 12345", 12345),
        ("steps = 3\nimages = 100", 300),
    ],
)
def test_images_that_a_pretraining_processes(duration: str, images: int, plan_of: PlanOf) -> None:
    (stage,) = of_kind(plan_of(changed(("epochs = 10\n", f"{duration}\n"))), "pretrain")
    assert stage.images == images


@pytest.mark.parametrize(
    ("only", "trials"),
    [
        (("scratch",), 2), (("scratch", "tuned"), 4), (("table",), 10), (("bloodmnist",), 10),
        (("bloodmnist", "tuned"), 2), (("majority class", "table"), 2),
    ],
)  # fmt: skip
def test_only_plans_what_is_named_and_what_that_needs(only: tuple[str, ...], trials: int, plan_of: PlanOf) -> None:
    whole, part = plan_of(SUITE), plan_of(SUITE, only=only)
    assert len(part.trials) == trials
    assert set(part.trials) <= set(whole.trials)
    assert part.stages.keys() <= whole.stages.keys()


def test_only_what_there_is(plan_of: PlanOf) -> None:
    with pytest.raises(UserError, match=r"--only 'scrach' is no comparison, arm or data set.*\(did you mean 'scratch'"):
        plan_of(SUITE, only=("scrach",))
    other = SUITE[SUITE.index("[[comparison]]") :].replace('"table"', '"other"').replace('"scratch"', '"fresh"')
    with pytest.raises(UserError, match="--only 'table' --only 'fresh': no trial of the suite is all of these"):
        plan_of(SUITE + other, only=("table", "fresh"))


def test_a_recipe_that_is_not_used_is_not_planned(plan_of: PlanOf) -> None:
    unused = '[pretraining.unused]\naugmentation = "plain"\nepochs = { nothing = 1 }\nimages = 999999\n'
    assert plan_of(SUITE + unused).stages.keys() == plan_of(SUITE).stages.keys()


def _with_files(suite: str) -> str:
    """Return the suite on two files of one's own."""
    text = suite.replace('["bloodmnist"]', '["first", "second"]')
    return text + "".join(
        f'[dataset.{n}]\nname = "npz"\npath = "{n}.npz"\ntitle = "{n}"\n' for n in ("first", "second")
    )


def _write(path: Path, seed: int) -> None:
    generator = np.random.default_rng(seed)
    arrays = {}
    for split, count in (("train", 200), ("val", 12), ("test", 12)):
        arrays[f"{split}_images"] = generator.integers(0, 255, (count, 28, 28), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, None]
    np.savez(path, **arrays)


def test_data_that_nobody_has_seen_is_pending(plan_of: PlanOf, tmp_path: Path) -> None:
    plan = plan_of(_with_files(SUITE))
    assert all(stage.pending and stage.key.startswith("pending-") for stage in plan.stages.values())
    assert len(of_kind(plan, "pretrain")) == 2, "two files that nobody has seen are not one"
    assert all(stage.images is None for stage in of_kind(plan, "pretrain"))
    assert plan.datasets == {"first": None, "second": None}
    _write(tmp_path / "first.npz", seed=0)
    pending = {stage.pending for stage in plan_of(_with_files(SUITE)).stages.values()}
    assert pending == {True, False}


def test_files_count_by_content_not_by_name_or_description(plan_of: PlanOf, tmp_path: Path) -> None:
    _write(tmp_path / "first.npz", seed=0)
    (tmp_path / "second.npz").write_bytes((tmp_path / "first.npz").read_bytes())
    text = _with_files(SUITE)
    plan = plan_of(text)
    assert len(of_kind(plan, "pretrain")) == 1, "one content under two names"
    described = text.replace(
        'title = "first"', 'title = "Other"\nlicence = "CC0"\nsource = "x"\nclasses = ["a", "b", "c"]'
    )
    assert plan_of(described).stages.keys() == plan.stages.keys()
    assert plan_of(text.replace('title = "first"', 'task = "ordinal"')).stages.keys() != plan.stages.keys()
    _write(tmp_path / "first.npz", seed=1)
    assert len(of_kind(plan_of(text), "pretrain")) == 2


def test_names_of_the_suites_own_tables_are_in_no_key(plan_of: PlanOf) -> None:
    named = changed(
        ('["bloodmnist"]', '["own"]'), ('encoder = "resnet18"', 'encoder = "mine"'), ('"linear_probe"', '"probe"')
    )
    tables = '[dataset.own]\nname = "bloodmnist"\n[encoder.mine]\nname = "resnet18"\n'
    tables += '[evaluator.probe]\nname = "linear_probe"\n'
    assert plan_of(named + tables).stages.keys() == plan_of(SUITE).stages.keys()


def test_finding_all_trainings_that_shape_a_model(plan_of: PlanOf) -> None:
    plan = plan_of(changed(("epochs = 10\n", 'epochs = 10\nteacher = { arm = "scratch" }\n')))
    probed = find_trial(plan, arm="probed")
    (pretrained,) = [stage for stage in of_kind(plan, "pretrain") if stage.key == encoder_stage(plan, probed)]
    teacher = find_trial(plan, arm="scratch", labels="100").stage
    assert training_stages(plan, probed) == [teacher, pretrained.key, probed.stage]
    scratch = find_trial(plan, arm="scratch")
    assert training_stages(plan, scratch) == [scratch.stage]


def test_finding_the_stage_of_an_encoder(plan_of: PlanOf) -> None:
    plan = plan_of(SUITE)
    (pretrained,) = of_kind(plan, "pretrain")
    probed = find_trial(plan, arm="probed")
    assert encoder_stage(plan, probed) == pretrained.key
    tuned = find_trial(plan, arm="tuned", labels="all", seed=0, draw=None)
    assert encoder_stage(plan, tuned) == tuned.stage
    assert encoder_stage(plan, find_trial(plan, arm="untrained encoder")) is None
    with pytest.raises(UserError, match=r"--arm 'probd': the suite has no such trial \(did you mean 'probed'\?\)"):
        find_trial(plan, arm="probd")
    with pytest.raises(UserError, match=r"--labels 99: the suite has no such trial; there are: '100', 'all'"):
        find_trial(plan, arm="probed", labels=99)
    with pytest.raises(
        UserError, match="give --arm, one of: 'majority class', 'untrained encoder', 'scratch', 'probed', 'tuned'"
    ):
        find_trial(plan)


def test_finding_something_where_there_is_nothing(plan_of: PlanOf) -> None:
    plan = plan_of(changed(('[100, "all"]', '[{ count = 99999, short = "skip" }]')))
    assert plan.trials == []
    with pytest.raises(UserError, match="the suite has no trials: its data sets are too small for every label budget"):
        find_trial(plan, arm="probed")


def test_a_plan_is_made_quickly(suite_of: Callable[[str], Suite], plan_of: PlanOf) -> None:
    import time

    text = changed(
        ('["bloodmnist"]', '["bloodmnist", "pathmnist", "dermamnist"]'), ('[100, "all"]', '[100, 250, "all"]')
    )
    start = time.perf_counter()
    plan = plan_of(text, seeds=tuple(range(5)), draws=tuple(range(10)))
    assert len(plan.trials) == 5 * 3 * 3 * 50
    assert time.perf_counter() - start < 10
