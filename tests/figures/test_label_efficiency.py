"""Label efficiency: the cells of the leaderboard at their numbers of labels."""

from __future__ import annotations

import pytest
from figures.conftest import table_of

from medssl_bench.figures.label_efficiency import efficiency_panel, label_efficiency_figures
from medssl_bench.figures.material import FigureSource


def test_points_are_the_cells_and_all_stands_at_its_number(source: FigureSource) -> None:
    _table, result = table_of(source, "main")
    (panel,) = [panel for panel in result.panels if panel.metric == "accuracy"]
    found = efficiency_panel(result, panel)
    assert found.ticks == {20: "20", 40: "40", 90: "all"}
    assert list(found.arms) == ["supervised", "frozen", "waving, unfrozen"]
    assert list(found.floors) == ["majority class", "untrained encoder"]
    for arm, points in {**found.arms, **found.floors}.items():
        for point, labels in zip(points, ("20", "40", "all"), strict=True):
            cell = panel.cells[arm, labels]
            assert cell.judged.own is not None
            assert (point.mean, point.spread, point.published) == (cell.mean, cell.judged.own.half(), cell.reference)
            assert point.spread > 0


def test_lines_bars_floors_and_published_numbers(source: FigureSource) -> None:
    accuracy, auroc = label_efficiency_figures(source, *table_of(source, "main"))
    assert accuracy.id == "main-label-efficiency-accuracy"
    assert "error bars are half of the 95 % interval, for other label draws and test images: 2 label draws x 60" in (
        accuracy.caption
    )
    assert accuracy.title == "Is $it$ worth it?: label efficiency, accuracy"
    assert accuracy.caption.endswith("Generated data. Epochs selected with all 40 validation labels.")
    assert "Hollow" not in accuracy.caption
    assert "Hollow markers: published, Someone & Co. (2023), Table 1_a." in auroc.caption
    drawn = accuracy.draw()
    (axes,) = drawn.axes
    assert axes.get_xscale() == "log"
    below = " ".join(axes.get_xlabel().split())
    assert below == "labelled training images epochs selected with all 40 validation labels"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["20", "40", "90\n(all)"]
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == [
        "majority class", "untrained encoder", "supervised", "frozen", "waving, unfrozen",
    ]  # fmt: skip
    dashed = [line for line in axes.lines if line.get_linestyle() in {"--", ":"}]
    assert len(dashed) == 2
    (hollow,) = [line for line in auroc.draw().axes[0].lines if line.get_markerfacecolor() == "none"]
    assert hollow.get_xydata().tolist() == [[90, 0.95]]
    assert len(axes.containers) == 3
    (panel,) = [p for p in table_of(source, "main")[1].panels if p.metric == "accuracy"]
    line, _, bars = axes.containers[0].lines
    assert line.get_ydata() == pytest.approx([panel.cells["supervised", b].mean for b in ("20", "40", "all")])
    low, high = bars[0].get_segments()[0]
    assert high[1] - low[1] == pytest.approx(2 * panel.cells["supervised", "20"].judged.own.half())


def test_one_budget_is_no_curve(source: FigureSource) -> None:
    reasons: list[str] = []
    source.left_out = reasons.append
    assert list(label_efficiency_figures(source, *table_of(source, "chain"))) == []
    assert reasons == ["chain: label efficiency by accuracy: no results of two label budgets or more"]
