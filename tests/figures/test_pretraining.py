"""Curves of pretrainings: which stand together, and what is drawn of them."""

from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.figures.material import FigureSource
from medssl_bench.figures.pretraining import pretraining_figures, pretrainings
from medssl_bench.plan.lookup import chain_stages


def test_every_pretraining_is_found_once_with_where_it_started(source: FigureSource) -> None:
    found = pretrainings(source)
    assert [(one.recipe, one.dataset, one.before) for one in found] == [
        ("first", "bloodmnist", ()),
        ("waving", "bloodmnist", ()),
        ("waving", "second", ("first on bloodmnist",)),
    ]
    assert found[2].start == found[0].stage
    assert found[0].tables == ("main", "chain")
    assert {one.stage for one in found} == {s.key for s in source.plan.stages.values() if s.kind == "pretrain"}


def test_recipes_of_one_data_set_and_start_stand_side_by_side(source: FigureSource) -> None:
    alone, after = pretraining_figures(source)
    assert (alone.id, alone.comparison) == ("pretraining-bloodmnist", None)
    assert (after.id, after.comparison) == ("pretraining-second-after-first-on-bloodmnist", "chain")
    assert "recipes first, waving; seed 0" in alone.caption
    assert "Generated data." in alone.caption
    axes = alone.draw().axes
    assert len(axes) == 10, "loss, accuracy, spread, rank and learning rate of two recipes"
    assert [ax.get_title() for ax in axes[:2]] == ["first", "waving"]
    names = ["loss", "contrastive accuracy", "spread", "effective rank", "learning rate"]
    assert [ax.get_ylabel() for ax in axes[::2]] == names
    assert len({ax.get_ylim() for ax in axes[8:]}) == 1, "one scale for both"


def test_lines_are_the_history(source: FigureSource) -> None:
    figure = next(pretraining_figures(source))
    stage = pretrainings(source)[1].stage
    rows = source.history(stage)
    loss, accuracy, spread, rank, rate = figure.draw().axes[1::2]
    raw, smooth, val_raw, val_smooth = loss.lines
    assert raw.get_xdata() == pytest.approx([1, 2, 3, 4])
    assert raw.get_ydata() == pytest.approx([row["loss"] for row in rows])
    assert val_raw.get_xdata().tolist() == [1, 3, 4], "validated every second epoch and at the end"
    assert val_raw.get_ydata() == pytest.approx([row["val_loss"] for row in rows if "val_loss" in row])
    assert smooth.get_ydata()[1] == pytest.approx(0.4 * rows[1]["loss"] + 0.6 * rows[0]["loss"])
    assert raw.get_alpha() < 1
    assert smooth.get_alpha() is None
    assert val_smooth.get_label() == "validation images"
    assert accuracy.lines[0].get_ydata() == pytest.approx([row["top1"] for row in rows])
    looks = [row for row in rows if "val_loss" in row]
    shown = {line.get_label(): line.get_ydata() for line in (*spread.lines, *rank.lines)}
    assert "features of validation images" in shown
    assert spread.lines[4].get_ydata() == pytest.approx([row["val_feature_spread"] for row in looks])
    assert rank.lines[0].get_ydata() == pytest.approx([row["val_rank"] for row in looks])
    rates = rate.lines[0].get_ydata()
    assert rates == pytest.approx([row["lr"] for row in rows])
    assert rates[0] == pytest.approx(rates[2]), "a half period of one epoch: it swings"
    assert rates[1] < rates[0]
    for ax in (loss, accuracy, rate):
        for line in ax.lines:
            assert np.nanmax(line.get_ydata()) <= ax.get_ylim()[1]
            assert np.nanmin(line.get_ydata()) >= ax.get_ylim()[0]


def test_a_chain_is_followed_to_its_beginning(source: FigureSource) -> None:
    first, waving, second = (found.stage for found in pretrainings(source))
    chains = {(t.table, t.arm): chain_stages(source.plan, t) for t in source.plan.trials}
    assert chains["chain", "twice"] == [first, second]
    assert chains["main", "frozen"] == [first]
    assert chains["main", "waving, unfrozen"] == [waving]
    assert chains["main", "supervised"] == chains["main", "untrained encoder"] == chains["main", "majority class"] == []
