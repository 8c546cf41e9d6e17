"""Embeddings against scikit-learn, and against what the store's silhouette says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from figures.conftest import SUITE, Ran, table_of
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from medssl_bench import run
from medssl_bench.evaluators.components import clipped, drawn_points
from medssl_bench.figures import ReportFigure, all_figures, embedding_map
from medssl_bench.figures.embedding import embedded_arms, embedding_of
from medssl_bench.figures.embedding_panels import embedding_figures, sweep_figures
from medssl_bench.figures.material import FigureSource
from medssl_bench.plan.build import build_plan
from medssl_bench.store.arrays import names_in_npz
from medssl_bench.store.store import Store
from medssl_bench.store.tensors import load_arrays
from medssl_bench.suite.suite import Suite


def _stage(source: FigureSource, arm: str) -> str:
    table, _ = table_of(source, "main")
    (found,) = [one for one in embedded_arms(source, table, "bloodmnist") if arm in one.arms]
    return found.stage


def test_arms_and_the_encoders_they_end_with(source: FigureSource) -> None:
    table, _ = table_of(source, "main")
    found = embedded_arms(source, table, "bloodmnist")
    assert [(one.arms, one.labels) for one in found] == [
        (("untrained encoder",), None),
        (("supervised",), "40"),
        (("frozen",), None),
        (("waving, unfrozen",), "40"),
    ]
    assert {str(one.chance) for one in found} == {"seed 0, draw 0"}
    (supervised,) = [source.plan.stages[one.stage] for one in found if one.arms == ("supervised",)]
    assert "40 labels · seed 0 · draw 0" in source.plan.stages[supervised.spec.start].title


def test_pca_is_scikit_learns_fitted_on_training_features(source: FigureSource) -> None:
    stage = _stage(source, "frozen")
    features = load_arrays(source.store.folder(stage) / "features.safetensors")
    found = embedding_of(source, stage, "pca")
    assert found is not None
    reference = PCA(2, svd_solver="full").fit(features["train"].astype(np.float64))
    expected = reference.transform(features["test"].astype(np.float64))[found.index]
    assert np.abs(found.points) == pytest.approx(np.abs(expected), abs=1e-5), "but for the sign of an axis"
    assert found.explained_variance == pytest.approx(reference.explained_variance_ratio_.sum(), abs=1e-6)
    assert found.index.tolist() == drawn_points(60, 2000).tolist()
    assert len(found.classes) == 8


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_silhouettes_computed_here_are_those_of_the_store(source: FigureSource, method: str) -> None:
    for arm in ("frozen", "supervised"):
        stage = _stage(source, arm)
        (recorded,) = [
            source.store.record(key)
            for key, other in source.plan.stages.items()
            if other.kind == "analyse" and stage in other.parents
        ]
        found = embedding_of(source, stage, method)
        (computed,) = [kept for name, kept in source.kept.items() if name.startswith(f"{stage}-{method}")]
        number = {"pca": 2, "tsne": 50}[method]
        assert computed["silhouette"] == pytest.approx(recorded.metrics[f"silhouette_{number}"], abs=1e-9)
        assert found.silhouette == recorded.metrics[f"silhouette_{number}"]
        assert found.explained_variance == pytest.approx(computed["explained_variance"], abs=1e-9)


def test_labels_are_those_of_the_test_images(ran: Ran, source: FigureSource) -> None:
    stage = _stage(source, "frozen")
    registry = ran.suite.plugins.registry
    component = ran.suite.tables[0].datasets[0].component
    labels = registry.build(component, context=ran.context).load()["test"].labels[:, 0]
    found = embedding_of(source, stage)
    assert found is not None
    assert found.labels.tolist() == labels[found.index].tolist()


def test_tsne_is_scikit_learns_after_pca(source: FigureSource) -> None:
    stage = _stage(source, "frozen")
    features = load_arrays(source.store.folder(stage) / "features.safetensors")
    found = embedding_of(source, stage, "tsne", perplexity=5)
    assert found is not None
    reduced = PCA(50, svd_solver="covariance_eigh").fit(features["train"].astype(np.float64))
    points = reduced.transform(features["test"].astype(np.float64)[found.index])
    expected = TSNE(2, perplexity=5, init="pca", random_state=0).fit_transform(points)
    assert found.points == pytest.approx(expected, abs=1e-3)


def test_computed_points_are_kept_in_memory_and_on_disk(ran: Ran, tmp_path: Path) -> None:
    first = ran.source(cache=tmp_path)
    stage = _stage(first, "frozen")
    found = embedding_of(first, stage, "tsne", perplexity=5)
    assert found is not None
    (file,) = (tmp_path / "embeddings").iterdir()
    assert file.name.startswith(stage)
    assert embedding_of(first, stage, "tsne", perplexity=5).points is found.points
    second = ran.source(cache=tmp_path)
    again = embedding_of(second, stage, "tsne", perplexity=5)
    assert again.points.tolist() == found.points.tolist()
    other = embedding_of(second, stage, "tsne", perplexity=10)
    assert not np.allclose(other.points, found.points)


def test_without_features_there_is_no_embedding(ran: Ran, source: FigureSource, tmp_path: Path) -> None:
    stage = _stage(source, "frozen")
    empty = ran.source()
    empty.store = type(ran.store)(tmp_path / "none")
    assert embedding_of(empty, stage) is None


def test_perplexities_that_few_points_allow() -> None:
    assert clipped(30, 2000) == 30
    assert clipped(30, 61) == 20
    assert clipped(30, 3) == 1


def test_points_that_an_embedding_analysis_left_are_taken_from_it(ran: Ran, analysed: Ran, tmp_path: Path) -> None:
    shutil.copytree(analysed.store.path, tmp_path / "store")
    source = FigureSource(analysed.suite, analysed.plan, Store(tmp_path / "store"), analysed.context)
    stage = _stage(source, "frozen")
    fresh = {method: embedding_of(ran.source(), stage, method) for method in ("pca", "tsne")}
    (source.store.folder(stage) / "features.safetensors").unlink()
    for method, expected in fresh.items():
        found = embedding_of(source, stage, method)
        assert found is not None
        assert found.points == pytest.approx(expected.points, abs=1e-3)
        assert (found.silhouette, found.explained_variance) == (expected.silhouette, expected.explained_variance)


@pytest.fixture(scope="module")
def analysed(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The same suite with an `embedding` analysis, and its store."""
    return _analysed(ran, tmp_path_factory.mktemp("analysed"))


def _analysed(ran: Ran, folder: Path) -> Ran:
    text = SUITE.replace('analyses = ["silhouette"]', 'analyses = ["silhouette", "embedding"]')
    shutil.copytree(ran.store.path, folder / "store")
    (folder / "tiny.toml").write_text(text, "utf-8")
    suite = Suite.load(folder / "tiny.toml", ran.suite.plugins)
    result = run(suite, store=folder / "store", data_dir=ran.context.data_dir, device="cpu")
    assert not result.failed
    assert {outcome.stage.kind for outcome in result.outcomes} <= {"analyse", "embed"}
    return Ran(suite, build_plan(suite, ran.context), Store(folder / "store"), ran.context)


def _refuse(*_given: object) -> None:
    raise AssertionError("a report computes nothing that an analysis has kept")


def test_figures_of_an_analysed_suite_compute_nothing(
    ran: Ran, analysed: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = _main_embeddings(ran.source(cache=tmp_path))
    drawn = {name: figure.draw() for name, figure in computed.items()}
    monkeypatch.setattr(embedding_map, "_computed", _refuse)
    kept = _main_embeddings(analysed.source())
    for name, figure in computed.items():
        assert (kept[name].id, kept[name].title, kept[name].caption) == (figure.id, figure.title, figure.caption)
        assert all(found.is_kept() for found in kept[name].maps)
        for ours, theirs in zip(kept[name].draw().axes, drawn[name].axes, strict=True):
            assert ours.get_title() == theirs.get_title()
            for some, others in zip(ours.collections, theirs.collections, strict=True):
                assert np.asarray(some.get_offsets()) == pytest.approx(np.asarray(others.get_offsets()), abs=1e-3)


def _main_embeddings(source: FigureSource) -> dict[str, ReportFigure]:
    (arms,) = embedding_figures(source, *table_of(source, "main"))
    (sweep,) = sweep_figures(source)
    return {"arms": arms, "sweep": sweep}


def test_features_may_be_deleted_once_the_maps_are_kept(analysed: Ran, tmp_path: Path) -> None:
    shutil.copytree(analysed.store.path, tmp_path / "store")
    store = Store(tmp_path / "store")
    for file in store.path.rglob("features.safetensors"):
        file.unlink()
    source = FigureSource(analysed.suite, analysed.plan, store, analysed.context)
    for figure in _main_embeddings(source).values():
        assert all(found.is_kept() for found in figure.maps)
    assert len(_main_embeddings(source)["arms"].draw().axes) == 8


def test_one_encoder_keeps_the_sweep_and_no_key_says_so(ran: Ran, analysed: Ran) -> None:
    swept = {found.arm for found in analysed.plan.analyses if analysed.plan.stages[found.stage].spec.sweep}
    assert swept == {"frozen"}, "the first that is pretrained"
    assert not any("sweep" in stage.identity for stage in analysed.plan.stages.values())
    (stage,) = {key for key in ran.plan.stages if getattr(ran.plan.stages[key].spec, "sweep", False)}
    assert stage in analysed.plan.stages
    files = [file for file in analysed.store.path.rglob("arrays.npz") if "sweep_5" in names_in_npz(file)]
    assert len(files) == 1


@pytest.fixture(scope="module")
def unswept(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The same once more, as a version that kept no sweep left it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medssl_bench.plan.build.mark_sweep", lambda _suite, _plan: None)
        found = _analysed(ran, tmp_path_factory.mktemp("unswept"))
    return Ran(found.suite, build_plan(found.suite, found.context), found.store, found.context)


def test_a_sweep_that_no_analysis_kept_is_computed_of_the_features(
    analysed: Ran, unswept: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(unswept.plan.stages) == set(analysed.plan.stages)
    assert not any("sweep_5" in names_in_npz(file) for file in unswept.store.path.rglob("arrays.npz"))
    figures = _main_embeddings(unswept.source(cache=tmp_path))
    assert all(found.is_kept() for found in figures["arms"].maps)
    assert not any(found.is_kept() for found in figures["sweep"].maps)
    kept = _main_embeddings(analysed.source())["sweep"]
    assert [found.perplexity for found in figures["sweep"].maps] == [found.perplexity for found in kept.maps]
    for ours, theirs in zip(figures["sweep"].draw().axes, kept.draw().axes, strict=True):
        assert ours.get_title() == theirs.get_title()
        for some, others in zip(ours.collections, theirs.collections, strict=True):
            assert np.asarray(some.get_offsets()) == pytest.approx(np.asarray(others.get_offsets()), abs=1e-3)
    monkeypatch.setattr(embedding_map, "_computed", _refuse)
    again = _main_embeddings(unswept.source(cache=tmp_path))["sweep"]
    assert all(found.is_kept() for found in again.maps)
    assert len(again.draw().axes) == len(kept.maps)


def test_a_sweep_that_nothing_kept_is_left_out_once_the_features_are_gone(unswept: Ran, tmp_path: Path) -> None:
    shutil.copytree(unswept.store.path, tmp_path / "store")
    for file in (tmp_path / "store").rglob("features.safetensors"):
        file.unlink()
    left_out: list[str] = []
    figures = all_figures(
        unswept.suite, unswept.plan, Store(tmp_path / "store"), unswept.context, left_out=left_out.append
    )
    assert {"main-embedding-bloodmnist"} == {figure.id for figure in figures if figure.maps}
    assert "main: t-SNE of bloodmnist by perplexity: no analysis kept these maps, and the features were deleted" in (
        left_out
    )
