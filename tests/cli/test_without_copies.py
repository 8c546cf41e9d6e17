"""`--without-copies`: numbers without the test images that another part has too."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import SUITE, Result, arrays_of, write_squares
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from medssl_bench import run
from medssl_bench.datasets.grouped_splits import drawn_splits
from medssl_bench.errors import LeakWarning
from medssl_bench.store.store import Store

pytestmark = pytest.mark.filterwarnings("ignore::medssl_bench.errors.LeakWarning")

LEAKED = [1, 4, 7, 8, 20]


@pytest.fixture(scope="session")
def _leaked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the tiny suite once on data whose test split has copies of other parts, some of them turned."""
    folder = tmp_path_factory.mktemp("leaking")
    write_squares(folder / "squares.npz")
    arrays = arrays_of(folder / "squares.npz")
    images = arrays["test_images"].copy()
    for place in LEAKED[:3]:
        images[place] = np.rot90(arrays["train_images"][place], place)
    images[8] = arrays["val_images"][2]
    images[20] = arrays["train_images"][0][:, ::-1]
    np.savez(folder / "squares.npz", **{**arrays, "test_images": images})
    metrics = 'metrics = ["accuracy", "auroc", "balanced_accuracy"]'
    text = SUITE.replace('labels = [20, "all"]', f'labels = ["all"]\n{metrics}')
    (folder / "tiny.toml").write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakWarning)
        patched.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        result = run(folder / "tiny.toml", store=folder / "store", draws=[0])
    assert not result.failed
    assert any(
        "4 of 30 test images are copies of training images" in mark for mark in result.leaderboard.tables[0].marks
    )
    return folder


@pytest.fixture
def leaking(_leaked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the suite, its data, its store and the cache of its run into the working directory."""
    shutil.copytree(_leaked, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Path("tiny.toml")


def _cells(cli: Callable[..., Result], *arguments: str | Path) -> dict[tuple[str, str], dict]:
    result = cli("leaderboard", *arguments, "--draws", "0", "--format", "json")
    assert result.status == 0, result.err
    return {(cell["arm"], cell["metric"]): cell for cell in json.loads(result.out)}


def test_every_metric_is_that_of_the_scores_without_the_copies(cli: Callable[..., Result], leaking: Path) -> None:
    kept = np.setdiff1d(np.arange(30), LEAKED)
    whole, found = _cells(cli, leaking), _cells(cli, leaking, "--without-copies")
    assert whole.keys() == found.keys()
    for arm in ("supervised", "frozen", "majority class"):
        (record,) = [r for r in Store(Path("store")).records() if r.title.startswith(f"table · squares · {arm} · ")]
        with np.load(Store(Path("store")).folder(record.key) / "predictions.npz") as arrays:
            truth, scores = arrays["y_true"][kept, 0], arrays["y_score"][kept].astype(np.float64)
        scores /= scores.sum(axis=1, keepdims=True)
        for metric, wanted in {
            "accuracy": accuracy_score(truth, scores.argmax(axis=1)),
            "balanced_accuracy": balanced_accuracy_score(truth, scores.argmax(axis=1)),
            "auroc": roc_auc_score(truth, scores, multi_class="ovr"),
        }.items():
            assert found[arm, metric]["mean"] == pytest.approx(wanted, abs=1e-6)
            assert whole[arm, metric]["mean"] == record.metrics[metric]
    assert any(whole[place]["mean"] != found[place]["mean"] for place in whole)
    frozen, base = found["frozen", "accuracy"], found["supervised", "accuracy"]
    assert frozen["difference"] == pytest.approx(frozen["mean"] - base["mean"])
    assert found["frozen", "accuracy"]["leaks"].endswith("computed WITHOUT the 5 test images that are copies")
    assert "WITHOUT" not in whole["frozen", "accuracy"]["leaks"]


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "latex"])
def test_every_form_says_so(cli: Callable[..., Result], leaking: Path, form: str) -> None:
    text = " ".join(cli("leaderboard", leaking, "--draws", "0", "--without-copies", "--format", form).out.split())
    assert "WITHOUT the 5 test images that are copies" in text
    assert "WITHOUT" not in cli("leaderboard", leaking, "--draws", "0", "--format", form).out


def test_copies_are_looked_for_where_the_images_are(cli: Callable[..., Result], leaking: Path, monkeypatch) -> None:
    """What a run has found is in the cache; elsewhere the images are read, if they are there."""
    known = _cells(cli, leaking, "--without-copies")
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path("another").absolute()))
    assert _cells(cli, leaking, "--without-copies") == known
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path("third").absolute()))
    Path("squares.npz").unlink()
    result = cli("leaderboard", leaking, "--draws", "0", "--without-copies")
    assert result.status == 2
    assert "error: --without-copies: which test images of 'squares' are copies is not known here" in result.err
    assert cli("leaderboard", leaking, "--draws", "0").status == 0


def test_data_without_copies_keep_their_numbers_and_marks(cli: Callable[..., Result], ran: Path) -> None:
    assert cli("leaderboard", ran, "--without-copies").out == cli("leaderboard", ran).out


def test_a_report_leaves_the_copies_out_of_its_curves_too(cli: Callable[..., Result], leaking: Path) -> None:
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.figures.material import FigureSource
    from medssl_bench.figures.predictions import shown_predictions
    from medssl_bench.plan.build import build_plan
    from medssl_bench.session.left_out import copies_in_test
    from medssl_bench.session.selected import make_selection
    from medssl_bench.suite.suite import Suite

    result = cli("report", leaking, "--draws", "0", "--without-copies", "--no-figures", "-o", "report")
    assert result.status == 0, result.err
    for name in ("report.html", "tables/leaderboard.csv", "tables/leaderboard.md"):
        assert "WITHOUT the 5 test images that are copies" in Path("report", name).read_text("utf-8")
    suite, context, store = Suite.load(leaking), dataset_context(None), Store(Path("store"))
    plan = build_plan(suite, context, make_selection(draws=[0]), store)
    without = copies_in_test(plan, suite.plugins.registry, context)
    (places,) = without.values()
    assert places.tolist() == LEAKED
    for left_out, images in ((without, 25), (None, 30)):
        source = FigureSource(suite, plan, store, context, without=left_out)
        (shown,) = shown_predictions(source, suite.tables[0], "ROC curves")
        assert shown.images == images


@pytest.mark.slow
def test_each_fold_is_without_its_own_copies(cli: Callable[..., Result], leaking: Path) -> None:
    leaking.write_text(leaking.read_text("utf-8").replace('labels = ["all"]', 'labels = ["all"]\nfolds = 3'), "utf-8")
    assert cli("run", leaking, "--draws", "0", "--only", "supervised").status == 0
    records = [r for r in Store(Path("store")).records() if r.kind == "evaluate" and "· supervised ·" in r.title]
    arrays = arrays_of(Path("squares.npz"))
    images = np.concatenate([arrays[f"{name}_images"] for name in ("train", "val", "test")])
    labels = np.concatenate([arrays[f"{name}_labels"] for name in ("train", "val", "test")]).reshape(-1, 1)
    parts = drawn_splits(labels, None, {0: 1, 1: 1, 2: 1}, seed=0)
    alike = [min(np.rot90(turned, turn).tobytes() for turned in (x, x[:, ::-1]) for turn in range(4)) for x in images]

    found = _cells(cli, leaking, "--without-copies")["supervised", "accuracy"]

    assert len(found["values"]) == 3
    left_out = 0
    for value in found["values"]:
        tested = parts[value["fold"]]
        others = {alike[place] for place in np.setdiff1d(np.arange(len(images)), tested)}
        kept = np.array([alike[place] not in others for place in tested])
        left_out += int((~kept).sum())
        (record,) = [r for r in records if f"fold {value['fold']} ·" in r.title]
        with np.load(Store(Path("store")).folder(record.key) / "predictions.npz") as scored:
            right = scored["y_score"].argmax(axis=1) == scored["y_true"][:, 0]
        assert value["value"] == pytest.approx(right[kept].mean(), abs=1e-6)
    assert left_out > 3
    assert "fold 0: computed WITHOUT the" in found["leaks"]
