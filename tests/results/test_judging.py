"""Intervals and verdicts of a real store's predictions, from the cells to what is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from results.conftest import PROBE, SUITE, Lab, with_printed

from medssl_bench import hookimpl
from medssl_bench.metrics import Metric
from medssl_bench.plan.stage import Trial
from medssl_bench.plugin.registry import Plugin, Register
from medssl_bench.results import records
from medssl_bench.results.cells import Cell
from medssl_bench.results.formats.console import render
from medssl_bench.results.formats.markdown import to_markdown
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.statistics.interval import estimate
from medssl_bench.statistics.verdict import Verdict

N = 400
_ORDER = np.random.default_rng(0).permutation(N)
"""Which test images are the easy ones."""


def _right(trial: Trial, shares: dict[str, float]) -> NDArray[np.bool_]:
    """Return which images are right: the easiest, by seed and draw some more, and one in ten by chance."""
    number = int(N * shares[trial.arm]) + 4 * trial.seed + (6 * trial.draw if trial.labels != "all" else 0)
    right = np.zeros(N, bool)
    right[_ORDER[:number]] = True
    chance = np.random.default_rng([len(trial.arm), trial.seed, trial.draw if trial.labels != "all" else 99])
    flipped: NDArray[np.bool_] = right ^ (chance.random(N) < 0.1)
    return flipped


def filled(
    lab: Lab,
    shares: dict[str, float] | None = None,
    group: NDArray[np.int64] | None = None,
    without: str = "",
    labelled: dict[str, int] | None = None,
) -> Lab:
    given = {"majority class": 0.2, "supervised": 0.5, PROBE: 0.7} | (shares or {})
    for trial in lab.plan.trials:
        if trial.arm != without and not lab.store.is_done(trial.stage):
            lab.predict(trial, _right(trial, given), group, **{"labelled": labelled[trial.labels]} if labelled else {})
    return lab


def cells_of(board: Leaderboard, metric: str = "accuracy") -> dict[tuple[str, str], Cell]:
    return {(cell.arm, cell.labels): cell for cell in board.cells() if cell.metric == metric}


def text_of(lab: Lab) -> str:
    from io import StringIO

    from rich.console import Console

    console = Console(file=StringIO(), width=120)
    console.print(render(lab.board))
    return " ".join(console.file.getvalue().split())


def test_a_difference_has_the_interval_of_its_images(lab: Lab) -> None:
    filled(lab)
    cell = cells_of(lab.board)[PROBE, "100"]
    shares = {"supervised": 0.5, PROBE: 0.7}
    trials = {(t.arm, t.seed, t.draw): t for t in lab.plan.trials if t.labels == "100"}
    values = np.array(
        [
            [_right(trials[PROBE, s, d], shares) * 1.0 - _right(trials["supervised", s, d], shares) for d in (0, 1)]
            for s in (0, 1)
        ]
    )
    assert cell.judged.difference == estimate(values)
    assert cell.difference == pytest.approx(values.mean())
    assert cell.judged.own is not None
    assert cell.judged.own.mean == pytest.approx(cell.mean)
    assert cell.judged.verdict == Verdict("better", estimate(values).p)
    wanted = (PROBE, "100", "accuracy")
    told = json.loads(records.to_json(lab.board))
    (data,) = [found for found in told if (found["arm"], found["labels"], found["metric"]) == wanted]
    assert (data["verdict"], data["left_out"], data["no_interval"]) == ("better", [], "")
    assert (data["difference_low"], data["difference_high"]) == pytest.approx(estimate(values).interval())


def test_auroc_has_an_interval_and_no_verdict(lab: Lab) -> None:
    cell = cells_of(filled(lab).board, "auroc")[PROBE, "100"]
    assert cell.judged.own is not None
    assert cell.judged.own.mean == pytest.approx(cell.mean, abs=1e-6)
    assert cell.judged.difference is not None
    assert cell.judged.verdict is None, "words are for the first metric"


def test_draws_are_left_out_where_they_cannot_vary_a_result(lab: Lab) -> None:
    cells = cells_of(filled(lab).board)
    difference = cells[PROBE, "all"].judged.difference
    assert difference is not None
    assert (difference.shape, difference.fixed) == ((2, 1, N), frozenset())
    majority = cells["majority class", "100"].judged
    assert majority.own is not None
    assert (majority.own.shape, majority.own.fixed) == ((1, 1, N), frozenset()), "nothing about it is random"
    assert majority.verdict is None, "floors are not judged"


def test_equal_arms_cannot_be_told_apart(lab: Lab) -> None:
    filled(lab, {PROBE: 0.51})
    found = cells_of(lab.board)[PROBE, "100"].judged
    assert found.told == "cannot tell"
    assert found.needed is not None or found.too_few
    assert "Cannot tell: " in text_of(lab)


def test_of_arms_that_are_the_same_no_number_of_runs_is_said(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of()
    for trial in lab.plan.trials:
        lab.predict(trial, _right(replace(trial, arm="same"), {"same": 0.5}))
    found = cells_of(lab.board)[PROBE, "100"].judged
    assert found.told == "cannot tell"
    assert (found.needed, found.too_few) == (None, "")
    assert "Cannot tell: " not in text_of(lab)


def test_a_column_counts_arms_that_have_failed(lab_of: Callable[..., Lab]) -> None:
    third = '\n  [[comparison.arm]]\n  name = "broken"\n  pretraining = ["nat"]\n  evaluator = "knn"\n'
    lab = lab_of(text=SUITE + third)
    shares = {"majority class": 0.2, "supervised": 0.5, PROBE: 0.7}
    for trial in lab.plan.trials:
        if trial.arm == "broken":
            lab.fail(trial.stage)
        elif not lab.store.is_done(trial.stage):
            lab.predict(trial, _right(trial, shares))
    judged = cells_of(lab.board)[PROBE, "100"].judged
    assert judged.difference is not None
    assert judged.verdict == Verdict("better", 2 * judged.difference.p)
    assert "p < 0.05 after Holm's adjustment for the 2 arms of a column; 2 columns." in text_of(lab)


def test_all_columns_may_be_one_family(lab_of: Callable[..., Lab]) -> None:
    alone = filled(lab_of())
    p_values = sorted(cells_of(alone.board)[PROBE, budget].judged.difference.p for budget in ("100", "all"))
    lab = filled(lab_of(text=SUITE.replace("baseline =", 'holm = "table"\nbaseline =')))
    found = sorted(cells_of(lab.board)[PROBE, budget].judged.verdict.p for budget in ("100", "all"))
    assert found == pytest.approx([min(1.0, 2 * p_values[0]), max(2 * p_values[0], p_values[1])])
    assert "p < 0.05 after Holm's adjustment for the 2 differences of all columns; 2 columns." in text_of(lab)
    assert lab.plan.stages.keys() == alone.plan.stages.keys()


def test_an_unfinished_column_leaves_such_a_family_without_words(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(text=SUITE.replace("baseline =", 'holm = "table"\nbaseline ='))
    for trial in lab.plan.trials:
        if str(trial.labels) == "100" and not lab.store.is_done(trial.stage):
            lab.predict(trial, _right(trial, {"majority class": 0.2, "supervised": 0.5, PROBE: 0.7}))
    assert cells_of(lab.board)[PROBE, "100"].judged.verdict is None


def test_a_first_metric_without_an_interval_is_said(tmp_path: Path) -> None:
    class Own:
        @hookimpl
        def medssl_metrics(self, register: Register) -> None:
            register("plain", lambda: Metric(lambda given: float(given.scores.max())))

    plugins = with_printed()
    plugins.add(Plugin("own", "installed"), Own)
    lab = filled(Lab(tmp_path, plugins, SUITE.replace("baseline =", 'metrics = ["plain", "accuracy"]\nbaseline =')))
    assert "No verdicts: they are by plain, the first metric, which has no interval." in text_of(lab)


def test_no_difference_that_matters_needs_a_margin(lab_of: Callable[..., Lab]) -> None:
    plain, with_margin = lab_of(), lab_of(text=SUITE.replace("baseline =", "margin = 0.08\nbaseline ="))
    assert {t.stage for t in plain.plan.trials} == {t.stage for t in with_margin.plan.trials}, "it is part of no key"
    words = []
    for lab in (plain, with_margin):
        filled(lab, {PROBE: 0.5})
        words.append(cells_of(lab.board)[PROBE, "100"].judged.told)
    assert words == ["cannot tell", "no difference that matters"]
    assert "within ±0.08" in text_of(with_margin)


def test_with_one_seed_nothing_is_told(lab_of: Callable[..., Lab]) -> None:
    lab = filled(lab_of(seeds=(0,)))
    judged = cells_of(lab.board)[PROBE, "100"].judged
    assert judged.difference is not None
    assert (judged.difference.shape, judged.difference.fixed) == ((1, 2, N), frozenset({"seed"}))
    assert (judged.told, judged.verdict and judged.verdict.word) == ("", "cannot tell")
    text = text_of(lab)
    assert "One training seed: differences may be luck" in text
    assert "Words, by" not in text


def test_with_one_draw_it_is_for_this_draw(lab_of: Callable[..., Lab]) -> None:
    lab = filled(lab_of(draws=(1,)))
    cells = cells_of(lab.board)
    judged, of_all = cells[PROBE, "100"].judged, cells[PROBE, "all"].judged
    assert judged.difference is not None
    assert judged.difference.fixed == {"draw"}
    assert judged.told == "better"
    assert of_all.difference is not None
    assert of_all.difference.fixed == frozenset(), "all labels have no draws"
    assert "One label draw: intervals are for this draw alone." in text_of(lab)


def test_an_unfinished_column_has_no_words(lab: Lab) -> None:
    first, *others = lab.trials(PROBE)
    for trial in others:
        lab.predict(trial, _right(trial, {PROBE: 0.7}))
    for trial in lab.trials("supervised"):
        lab.predict(trial, _right(trial, {"supervised": 0.5}))
    cells = cells_of(lab.board)
    assert cells[PROBE, "100"].judged.difference is None
    assert cells[PROBE, "100"].judged.told == ""
    assert cells["supervised", "100"].judged.own is not None
    lab.fail(first.stage)
    assert cells_of(lab.board)[PROBE, "100"].judged.told == "", "what is left may be its lucky half"


def test_images_of_a_group_count_once(lab: Lab) -> None:
    group = np.argsort(_ORDER) // 40  # images that are as hard belong together
    filled(lab, group=group)
    found = cells_of(lab.board)["supervised", "all"].judged.own
    trials = {trial.seed: trial for trial in lab.trials("supervised", "all")}
    alone = estimate(np.array([[_right(trials[seed], {"supervised": 0.5}) * 1.0] for seed in (0, 1)]))
    assert found is not None
    assert (found.shape, found.groups) == ((2, 1, 10), True)
    assert found.mean == pytest.approx(alone.mean)
    assert found.half() > 3 * alone.half()
    assert "10 groups of test images." in text_of(lab)


def test_every_form_says_it(lab: Lab) -> None:
    filled(lab)
    text = text_of(lab)
    assert "±: half of the 95 % interval, for other training seeds, label draws and test images: " in text
    assert f"2 training seeds x 2 label draws x {N} test images." in text
    assert "Second line: mean paired difference to 'supervised', with its ±." in text
    assert "Words, by accuracy: better or worse where p < 0.05; 2 columns." in text
    assert " better<br>+" in to_markdown(lab.board)
    head, *rows = (line.split(",") for line in records.to_csv(lab.board).splitlines())
    assert {"low", "high", "p_holm", "verdict"} <= set(head)
    assert any("better" in row for row in rows)
    frame = lab.board.to_frame()
    assert frame["difference_low"].dtype == "float64"


def test_predictions_that_are_gone_are_said(lab: Lab) -> None:
    lab.fill()
    text = text_of(lab)
    assert "No interval of accuracy, AUROC: " in text
    assert "±: sample standard deviation over" in text


def test_ranks_say_how_sure_they_are(lab: Lab) -> None:
    (ranking,) = filled(lab).board.rankings
    found = {rank.arm: rank for rank in ranking.ranks}
    assert ranking.left_out == ()
    assert found[PROBE].first == 1.0, "it is ahead by far in every column"
    assert (found[PROBE].low, found[PROBE].high) == (1.0, 1.0)
    assert found["majority class"].low == 3.0
    assert sum(rank.first or 0 for rank in ranking.ranks) == pytest.approx(1.0)
    assert "is first" in text_of(lab)
    assert "may be chance" not in text_of(lab)


def test_arms_that_are_alike_share_the_first_rank(lab: Lab) -> None:
    (ranking,) = filled(lab, {PROBE: 0.5}).board.rankings
    found = {rank.arm: rank for rank in ranking.ranks}
    assert 0.05 < (found[PROBE].first or 0) < 0.95
    assert (found[PROBE].low, found[PROBE].high) == (1.0, 2.0)


def test_without_predictions_ranks_have_no_interval(lab: Lab) -> None:
    lab.fill()
    assert lab.board.rankings[0].ranks[0].first is None
    assert "Ranks have no interval here, so they may be chance." in text_of(lab)


@pytest.mark.parametrize("other", ["draws = [0]", "seeds = [0, 1, 2]", "seeds = [1, 2]"])
def test_columns_of_other_seeds_or_draws_are_not_resampled(lab_of: Callable[..., Lab], other: str) -> None:
    table = SUITE[SUITE.index("[[comparison]]") :].replace('analyses = ["silhouette"]\n', "")
    second = table.replace('id = "main"', f'id = "second"\n{other}')
    lab = filled(lab_of(text=SUITE + "\n" + second))
    (ranking,) = lab.board.rankings
    assert ranking.columns == 4
    assert ranking.ranks[0].first is None
    assert "Ranks have no interval here" in text_of(lab)


def test_ranks_name_every_chance_that_was_not_varied(lab_of: Callable[..., Lab]) -> None:
    text = text_of(filled(lab_of(seeds=(0,), draws=(0,))))
    assert "one label draw and one training seed were run, so others may differ more" in text


def test_a_table_that_is_drawn_again_and_again_reads_no_predictions(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(lab)
    monkeypatch.setattr("medssl_bench.results.measured.load_npz", None)
    board = Leaderboard.of(lab.suite, lab.plan, lab.store, judged=False)
    assert {cell.judged.own for cell in board.cells()} == {None}
    assert board.rankings[0].ranks[0].first is None
