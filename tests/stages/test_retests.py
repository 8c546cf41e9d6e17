"""Trained classifiers on corrupted test images and on other data sets: without a training, each stage by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from leased import leased

import medssl_bench
from medssl_bench.augmentations.corruptions.make import corrupted
from medssl_bench.datasets import DatasetContext, Task
from medssl_bench.metrics.classification import measure
from medssl_bench.models.prediction.finished import finished_classifier
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.class_map import ClassMap
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.stage import Plan
from medssl_bench.stages import corrupt
from medssl_bench.stages.recompute import recompute
from medssl_bench.stages.workshop import Workshop
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

RETESTS = """
corrupted = { ops = ["gaussian_noise", "contrast_down"], severities = [2, 5] }
test_on = ["copied", { dataset = "other", classes = { a = "x", b = ["y", "z"] } }]
"""

SUITE = """
schema = 1
name = "again"
floors = []
draws = [0, 1]

[dataset.waves]
name = "npz"
path = "waves.npz"
classes = ["a", "b", "c"]

[dataset.copied]
name = "npz"
path = "copied.npz"
classes = ["a", "b", "c"]

[dataset.other]
name = "npz"
path = "other.npz"
classes = ["w", "x", "y", "z"]

[[comparison]]
id = "table"
datasets = ["waves"]
labels = [20]
baseline = "tuned"
encoder = { name = "timm", model = "test_resnet" }
RETESTS
  [[comparison.arm]]
  name = "probe"
  evaluator = { name = "linear_probe", epochs = 8, lr = 0.1 }

  [[comparison.arm]]
  name = "logistic"
  evaluator = "logistic"

  [[comparison.arm]]
  name = "tuned"
  evaluator = { name = "finetune", epochs = 4, lr = 0.01, precision = "bfloat16" }

  [[comparison.arm]]
  name = "neighbours"
  evaluator = { name = "knn", k = 1 }
"""


def write_data(folder: Path) -> None:
    rng = np.random.default_rng(0)
    shade = np.array([60, 120, 190])

    def images(labels: np.ndarray) -> np.ndarray:
        base = shade[labels % 3][:, None, None, None]
        return (base + rng.normal(0, 40, (len(labels), 16, 16, 3))).clip(0, 255).astype(np.uint8)

    arrays = {}
    for split, count in {"train": 40, "val": 12, "test": 30}.items():
        labels = np.arange(count) % 3
        arrays |= {f"{split}_images": images(labels), f"{split}_labels": labels[:, None]}
    np.savez(folder / "waves.npz", **arrays)
    fewer = {**arrays, "train_images": images(np.arange(9)), "train_labels": np.arange(9)[:, None] % 3}
    np.savez(folder / "copied.npz", **fewer)  # the same test images
    other = {name: array.copy() for name, array in arrays.items()}
    for split in ("train", "val", "test"):
        other[f"{split}_labels"] = (np.arange(len(other[f"{split}_labels"])) % 4)[:, None]
        other[f"{split}_images"] = images(np.arange(len(other[f"{split}_images"])))
    other["test_images"][:2] = np.rot90(arrays["train_images"][:2], axes=(1, 2))
    np.savez(folder / "other.npz", **other)


def plan_of(folder: Path, retests: str = RETESTS) -> Plan:
    (folder / "suite.toml").write_text(SUITE.replace("RETESTS", retests), "utf-8")
    return build_plan(Suite.load(folder / "suite.toml"), DatasetContext(folder / "data", folder / "cache"))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Plan]]:
    """Run the suite, first without other images, then with; the second run may train nothing."""
    folder = tmp_path_factory.mktemp("again")
    write_data(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "xdg"))
        plan_of(folder, "")
        assert not medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu", progress=False).failed
        plan = plan_of(folder)
        calls: list[str] = []
        patch.setattr(corrupt, "corrupted", lambda *given: (calls.append(given[1]), corrupted(*given))[1])
        result = medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu", progress=False)
        assert [outcome.reason for outcome in result.failed] == []
        assert {outcome.stage.kind for outcome in result.outcomes} == {"corrupt", "transfer"}
        assert len(result.outcomes) == 6 * (2 + 2)
        assert calls == ["gaussian_noise"] * 2 + ["contrast_down"] * 2, "each severity once for all classifiers"
        yield folder, plan


def records(folder: Path, plan: Plan, what: str, on: str, arm: str) -> list[Record]:
    store = Store(folder / "store")
    found = [r.stage for r in plan.retests if (r.what, r.on, r.trial.arm) == (what, on, arm)]
    return [record for key in found if (record := store.record(key))]


def workshop_of(folder: Path) -> Workshop:
    import torch

    suite = Suite.load(folder / "suite.toml")
    context = DatasetContext(folder / "data", folder / "cache")
    return Workshop(suite.plugins.registry, Store(folder / "store"), context, torch.device("cpu"))


def test_it_changes_no_key_of_a_trial(ran: tuple[Path, Plan]) -> None:
    folder, plan = ran
    without = plan_of(folder, "")
    assert [trial.stage for trial in without.trials] == [trial.stage for trial in plan.trials]
    assert without.stages.keys() == {key for key, s in plan.stages.items() if s.kind not in {"corrupt", "transfer"}}
    assert {found.trial.arm for found in plan.retests} == {"probe", "logistic", "tuned"}
    plan_of(folder)


@pytest.mark.parametrize("arm", ["probe", "logistic", "tuned"])
def test_the_same_test_images_in_another_set_get_the_same_scores(ran: tuple[Path, Plan], arm: str) -> None:
    folder, plan = ran
    store = Store(folder / "store")
    for found in (r for r in plan.retests if (r.on, r.trial.arm) == ("copied", arm)):
        there = np.load(store.folder(found.stage) / "predictions.npz")
        here = np.load(store.folder(found.trial.stage) / "predictions.npz")
        assert np.array_equal(there["y_true"], here["y_true"])
        np.testing.assert_allclose(there["y_score"], here["y_score"], atol=2e-6)
        record = store.record(found.stage)
        assert record
        assert record.metrics["copies"] == record.metrics["left_out"] == 0


def test_corrupted_images_get_the_scores_of_the_exported_classifier(ran: tuple[Path, Plan]) -> None:
    folder, plan = ran
    workshop = workshop_of(folder)
    for found in (r for r in plan.retests if r.on == "gaussian_noise" and r.trial.draw == 1):
        spec = plan.spec(found.trial.stage, EvaluateSpec)
        data = workshop.dataset(spec.dataset)
        classifier = finished_classifier(found.trial.stage, spec, data.info, workshop)
        record = workshop.store.record(found.stage)
        assert record
        assert record.metrics["severities"] == [2, 5]
        test = data.splits["test"]
        for place, severity in enumerate((2, 5)):
            scores = classifier.predict(corrupted(test.images, "gaussian_noise", severity))
            for name, value in measure(Task.MULTI_CLASS, test.labels, scores).items():
                assert record.metrics[name][place] == pytest.approx(value), (found.trial.arm, name)


def test_influence_values_have_the_mean_over_severities(ran: tuple[Path, Plan]) -> None:
    folder, plan = ran
    store = Store(folder / "store")
    for record in records(folder, plan, "corrupt", "contrast_down", "probe"):
        arrays = np.load(store.folder(record.key) / "influence.npz")
        for name in ("accuracy", "auroc", "balanced_accuracy"):
            assert arrays[name].shape == (30,)
            assert arrays[name].mean() == pytest.approx(np.mean(record.metrics[name]))


def test_other_classes_are_mapped_and_copies_of_training_images_are_told(ran: tuple[Path, Plan]) -> None:
    folder, plan = ran
    for record in records(folder, plan, "transfer", "other", "tuned"):
        assert (record.metrics["images"], record.metrics["left_out"], record.metrics["copies"]) == (22, 8, 2)
        assert record.flags == {"copies_in_training": "2 of 30 test images are copies of training images"}
        arrays = np.load(Store(folder / "store").folder(record.key) / "predictions.npz")
        labels = np.arange(30) % 4
        assert np.array_equal(arrays["y_true"][:, 0], np.array([0, 1, 1])[labels[labels > 0] - 1])
        np.testing.assert_allclose(arrays["y_score"].sum(1), 1, atol=1e-6)
        assert arrays["y_score"].shape == (22, 2)


def test_one_more_corruption_is_all_that_is_done(ran: tuple[Path, Plan]) -> None:
    folder, before = ran
    after = plan_of(folder, RETESTS.replace('"contrast_down"]', '"contrast_down", "motion_blur"]'))
    new = after.stages.keys() - before.stages.keys()
    assert {after.stages[key].title.split(" · ")[1] for key in new} == {"motion_blur"}
    assert before.stages.keys() < after.stages.keys()
    plan_of(folder)


def test_a_trial_without_its_linear_layer_says_so_and_the_others_go_on(ran: tuple[Path, Plan], tmp_path: Path) -> None:
    folder, plan = ran
    shutil.copytree(folder, tmp_path / "old")
    store = Store(tmp_path / "old" / "store")
    trial = next(trial for trial in plan.trials if trial.arm == "probe")
    record = store.record(trial.stage)
    assert record
    shutil.copy(store.folder(trial.stage) / "predictions.npz", tmp_path)
    shutil.rmtree(store.folder(trial.stage))
    with leased(store, trial.stage) as lease:
        shutil.copy(tmp_path / "predictions.npz", lease.files)
        store.finish(replace(record, files={}), lease)
    for found in plan.retests:
        if found.what == "corrupt" and found.trial.arm == "probe":
            shutil.rmtree(store.folder(found.stage))
    result = medssl_bench.run(tmp_path / "old" / "suite.toml", store=store.path, device="cpu", progress=False)
    assert {outcome.stage.key for outcome in result.failed} == {
        r.stage for r in plan.retests if r.what == "corrupt" and r.trial.stage == trial.stage
    }
    assert len(result.done) == 2
    assert all("linear layer of this trial was not kept" in outcome.reason for outcome in result.failed)
    (notes,) = (found.notes for found in result.leaderboard.robustness)
    assert any(note.startswith("2 stages failed: the linear layer of this trial was not kept") for note in notes)


def test_it_can_be_computed_again(ran: tuple[Path, Plan], tmp_path: Path) -> None:
    folder, plan = ran
    for on in ("gaussian_noise", "other"):
        what = "transfer" if on == "other" else "corrupt"
        record = records(folder, plan, what, on, "tuned")[0]
        (tmp_path / on).mkdir()
        assert recompute(record, workshop_of(folder), tmp_path / on).different == []


def test_here_is_the_metric_of_the_shared_classes(ran: tuple[Path, Plan]) -> None:
    folder, _ = ran
    board = medssl_bench.load_leaderboard(folder / "suite.toml", folder / "store")
    store = Store(folder / "store")
    for found in board.transfers:
        if found.metric != "accuracy":
            continue
        for pair in found.arms.values():
            for value in pair.here.values:
                spec = store.record(pair.there.stages[value.chance])
                assert spec
                kept = np.load(store.folder(spec.spec["parents"][0]) / "predictions.npz")
                classes = spec.spec["classes"]["own"]
                mine = np.isin(kept["y_true"][:, 0], classes)
                decided = np.array(classes)[kept["y_score"][mine][:, classes].argmax(1)]
                assert value.value == pytest.approx((decided == kept["y_true"][mine, 0]).mean())
    plain = {cell.arm: cell.mean for cell in board.cells() if cell.metric == "accuracy"}
    copied = {
        arm: pair.here.mean
        for t in board.transfers
        if (t.other, t.metric) == ("copied", "accuracy")
        for (arm, _), pair in t.arms.items()
    }
    assert copied == pytest.approx({arm: plain[arm] for arm in copied}), "all classes are shared"


MAP = ClassMap(names=("a", "b"), own=(0, 2), other=(1, -1, 0, 0))


def test_labels_and_scores_of_shared_classes() -> None:
    labels = np.array([[0], [1], [2], [3]])
    assert MAP.images(Task.MULTI_CLASS, labels).tolist() == [0, 2, 3]
    assert MAP.labels(Task.MULTI_CLASS, labels[[0, 2, 3]])[:, 0].tolist() == [1, 0, 0]
    scores = np.array([[0.2, 0.7, 0.1], [0.0, 1.0, 0.0]], np.float32)
    np.testing.assert_allclose(MAP.scores(Task.MULTI_CLASS, scores), [[2 / 3, 1 / 3], [0.5, 0.5]])


def test_several_labels_an_image_leave_none_out_and_are_not_scaled() -> None:
    labels = np.array([[0, 1, 0, 1], [1, 0, 0, 0]])
    assert MAP.images(Task.MULTI_LABEL, labels).tolist() == [0, 1]
    assert MAP.labels(Task.MULTI_LABEL, labels).tolist() == [[1, 0], [0, 1]]
    scores = np.array([[0.2, 0.7, 0.9]], np.float32)
    np.testing.assert_allclose(MAP.scores(Task.MULTI_LABEL, scores), [[0.2, 0.9]])
