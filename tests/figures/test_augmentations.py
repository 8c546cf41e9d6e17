"""Grids of views: which images and views they show, and that nothing is fetched for them."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from figures.conftest import Ran

from medssl_bench.figures import augmentations
from medssl_bench.figures.augmentations import augmentation_figures, sample, views
from medssl_bench.figures.contact_sheet import contact_sheet, varied_images
from medssl_bench.figures.material import FigureSource
from medssl_bench.figures.pretraining import pretrainings
from medssl_bench.suite.suite import Suite


def test_one_figure_for_each_augmentation_and_data_set(source: FigureSource) -> None:
    found = list(augmentation_figures(source))
    assert [figure.id for figure in found] == ["augmentation-first-bloodmnist", "augmentation-waving-second"]
    assert "Recipes with it: first, waving." in found[0].caption, "they differ in their schedule alone"
    assert "Generated data." in found[0].caption
    assert [figure.comparison for figure in found] == [None, "chain"]


def test_originals_in_a_column_and_their_views_to_the_right(ran: Ran, source: FigureSource) -> None:
    (figure, _), (first, *_) = augmentation_figures(source), pretrainings(source)
    originals = sample(source, first)
    dataset = ran.suite.plugins.registry.build(ran.suite.tables[0].datasets[0].component, context=ran.context)
    train = dataset.load()["train"]
    expected = train.images[varied_images(train.labels, 6)]
    assert (originals.permute(0, 2, 3, 1) * 255).round().byte().numpy().tolist() == expected.tolist()
    drawn = views(source, first, originals)
    assert len(drawn) == 5
    assert all(view.shape == originals.shape for view in drawn)
    assert not torch.equal(drawn[0], drawn[1])
    (axes,) = figure.draw().axes
    shown = np.asarray(axes.images[0].get_array())
    assert np.array_equal(shown, np.asarray(contact_sheet(originals, drawn, gap=6)))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["original", *(f"view {n}" for n in range(1, 6))]


def test_the_next_report_finds_the_pictures_and_needs_neither_data_nor_plugins(
    ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = list(augmentation_figures(ran.source(cache=tmp_path)))
    assert all(figure.only_here for figure in first)
    pictures = [figure.render(["png"]) for figure in first]
    assert len(list((tmp_path / "views").iterdir())) == 2
    monkeypatch.setattr(augmentations, "_dataset", _refuse)
    monkeypatch.setattr(augmentations, "views", _refuse)
    second = list(augmentation_figures(ran.source(cache=tmp_path)))
    assert [(f.id, f.title, f.caption, f.marks) for f in second] == [(f.id, f.title, f.caption, f.marks) for f in first]
    assert not any(figure.only_here for figure in second)
    assert [pickle.loads(pickle.dumps(figure)).render(["png"]) for figure in second] == pictures


def test_a_picture_that_was_altered_is_made_again(ran: Ran, tmp_path: Path) -> None:
    for figure in augmentation_figures(ran.source(cache=tmp_path)):
        figure.draw()
    altered, _ = sorted((tmp_path / "views").iterdir())
    content = altered.read_bytes()
    altered.write_bytes(content[:-1] + b"?")
    found = list(augmentation_figures(ran.source(cache=tmp_path)))
    assert sorted(figure.only_here for figure in found) == [False, True]
    found[[figure.only_here for figure in found].index(True)].draw()
    assert altered.read_bytes() == content


def _refuse(*_given: object) -> None:
    raise AssertionError("the pictures are kept")


def test_images_that_would_have_to_be_fetched_are_left_out(ran: Ran, tmp_path: Path) -> None:
    text = ran.suite.path.read_text("utf-8")
    before, _, after = text.partition("[dataset.bloodmnist]")
    published = f"{before}[dataset.second]{after.partition('[dataset.second]')[2]}"
    (tmp_path / "published.toml").write_text(published, "utf-8")
    suite = Suite.load(tmp_path / "published.toml", ran.suite.plugins)
    context = replace(ran.context, data_dir=tmp_path, mirror="http://127.0.0.1:9")
    other = Ran(suite, _plan(suite, context), ran.store, context)
    reasons: list[str] = []
    found = list(augmentation_figures(other.source(left_out=reasons.append)))
    assert [figure.id for figure in found] == ["augmentation-waving-second"]
    assert reasons == ["augmentations of bloodmnist: the images are not in the data folder"]
    assert list(tmp_path.iterdir()) == [tmp_path / "published.toml"]


def _plan(suite, context):
    from medssl_bench.plan.build import build_plan

    return build_plan(suite, context)
