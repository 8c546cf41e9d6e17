"""Tables of corrupted images and of other data sets, from a store that was written."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from leased import leased
from numpy.typing import NDArray
from results.conftest import PROBE, SUITE, Lab
from rich.console import Console
from sklearn.metrics import balanced_accuracy_score

from medssl_bench.datasets import Task
from medssl_bench.figures.robustness import draw_robustness, severity_panels
from medssl_bench.figures.style import looks
from medssl_bench.metrics.classification import measure
from medssl_bench.plan.stage import Retest
from medssl_bench.report.checklist.draft import checklist
from medssl_bench.report.study import Study
from medssl_bench.results.formats import console, latex, markdown
from medssl_bench.results.formats.answer_json import answer_to_json
from medssl_bench.results.formats.retests import retest_grids
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.stages.corrupt import measured
from medssl_bench.statistics.interval import estimate
from medssl_bench.store.record import Record

N = 160
OPS, SEVERITIES = ("gaussian_noise", "bubble"), (1, 3)
TEXT = SUITE.replace(
    'id = "main"',
    'id = "main"\ncorrupted = { ops = ["gaussian_noise", "bubble"], severities = [1, 3] }\n'
    'test_on = { dataset = "dermamnist", classes = { basophil = "melanoma", platelet = "dermatofibroma" } }',
)
SHARES = {"supervised": 0.6, PROBE: 0.8}
TRUTH = np.arange(N)[:, None] % 8


def _right(share: float, *seeds: int) -> NDArray[np.bool_]:
    return np.random.default_rng(seeds).random(N) < share


def _scores(right: NDArray[np.bool_]) -> NDArray[np.float32]:
    scores = np.full((N, 8), 0.1, np.float32)
    scores[np.arange(N), (TRUTH[:, 0] + ~right) % 8] = 0.3
    return scores


def _of(found: Retest) -> list[NDArray[np.bool_]]:
    """Return which images are right at each severity: the fewer, the higher it is."""
    trial, op = found.trial, OPS.index(found.on)
    fewer = 0.1 * op + 0.05 * (trial.arm == PROBE)
    return [
        _right(SHARES[trial.arm] - fewer - 0.1 * severity, trial.seed, trial.draw, op, severity, len(trial.arm))
        for severity in SEVERITIES
    ]


def _finish(lab: Lab, key: str, metrics: dict[str, object], name: str, **arrays: NDArray[np.generic]) -> None:
    stage = lab.plan.stages[key]
    record = Record(stage.key, stage.kind, stage.title, "done", stage.identity, metrics)
    with leased(lab.store, key) as lease:
        np.savez(lease.files / name, **arrays)
        lab.store.finish(record, lease)


def _corrupt(lab: Lab, found: Retest) -> None:
    metrics, values = measured(Task.MULTI_CLASS, TRUTH, [_scores(right) for right in _of(found)])
    _finish(lab, found.stage, {"severities": list(SEVERITIES), **metrics}, "influence.npz", y_true=TRUTH, **values)


def _transfer(lab: Lab, found: Retest) -> None:
    truth = np.arange(40)[:, None] % 2
    right = _right(SHARES[found.trial.arm], found.trial.seed, found.trial.draw, 9)[:40]
    scores = np.where(np.arange(2) == (truth + ~right[:, None]) % 2, 0.7, 0.3).astype(np.float32)
    counts = {"images": 40, "left_out": 7, "copies": 3}
    metrics = {**measure(Task.MULTI_CLASS, truth, scores), **counts}
    _finish(lab, found.stage, metrics, "predictions.npz", y_true=truth, y_score=scores)


@pytest.fixture
def lab(lab_of: Callable[..., Lab]) -> Lab:
    lab = lab_of(TEXT)
    for trial in {trial.stage: trial for trial in lab.plan.trials}.values():
        lab.predict(trial, _right(SHARES.get(trial.arm, 0.1), trial.seed, trial.draw))
    for found in {found.stage: found for found in lab.plan.retests}.values():
        (_corrupt if found.what == "corrupt" else _transfer)(lab, found)
    return lab


def _retests(lab: Lab, arm: str, labels: str = "100") -> list[Retest]:
    return [r for r in lab.plan.retests if (r.what, r.trial.arm, r.trial.labels) == ("corrupt", arm, labels)]


def test_numbers_are_means_over_corruptions_severities_and_trials(lab: Lab) -> None:
    (found,) = lab.board.robustness
    assert (found.metric, found.corruptions, found.severities) == ("accuracy", OPS, SEVERITIES)
    errors = {}
    for arm, share in SHARES.items():
        made = found.arms[arm, "100"]
        rights = {op: [_of(r) for r in _retests(lab, arm) if r.on == op] for op in OPS}
        corrupted = np.mean([np.mean(each) for each in rights.values()])
        clean = np.mean([_right(share, seed, draw).mean() for seed in (0, 1) for draw in (0, 1)])
        assert made.pair.there.mean == pytest.approx(corrupted)
        assert made.pair.here.mean == pytest.approx(clean)
        assert made.pair.drop == pytest.approx(clean - corrupted)
        errors[arm] = {
            op: np.mean([1 - balanced_accuracy_score(TRUTH, _scores(right).argmax(1)) for of in trials for right in of])
            for op, trials in rights.items()
        }
        assert made.errors == pytest.approx(errors[arm])
        assert made.error == pytest.approx(np.mean(list(errors[arm].values())))
        curve = [np.mean([of[place] for of in rights["bubble"]]) for place in (0, 1)]
        assert made.curves["accuracy"]["bubble"] == pytest.approx(curve)
    relative = np.mean([errors[PROBE][op] / errors["supervised"][op] for op in OPS])
    assert found.arms[PROBE, "100"].relative == pytest.approx(relative)
    assert found.arms["supervised", "100"].relative == pytest.approx(1)


def test_a_difference_has_the_interval_of_its_images(lab: Lab) -> None:
    (found,) = lab.board.robustness
    by_arm = {}
    for arm in SHARES:
        values = np.zeros((2, 2, N))
        for retest in _retests(lab, arm):
            values[retest.trial.seed, retest.trial.draw] += np.mean(_of(retest), 0) / len(OPS)
        by_arm[arm] = values
    judged = found.arms[PROBE, "100"].pair.there.judged
    wanted = estimate(by_arm[PROBE] - by_arm["supervised"])
    assert judged.difference is not None
    assert judged.difference.mean == pytest.approx(wanted.mean)
    assert judged.difference.variance == pytest.approx(wanted.variance)
    assert judged.verdict is not None


def test_another_set_has_its_own_numbers_and_says_what_is_left_out(lab: Lab) -> None:
    found = {each.metric: each for each in lab.board.transfers}
    assert set(found) == {"accuracy", "auroc"}
    accuracy = found["accuracy"]
    assert accuracy.classes == {"basophil": ["melanoma"], "platelet": ["dermatofibroma"]}
    pair = accuracy.arms[PROBE, "100"]
    rights = [_right(SHARES[PROBE], seed, draw, 9)[:40].mean() for seed in (0, 1) for draw in (0, 1)]
    assert pair.there.mean == pytest.approx(np.mean(rights))
    own = np.isin(TRUTH[:, 0], (0, 7))  # a wrong answer for 7 is 0; one for 0 is 1, without which 0 and 7 are equal
    here = np.mean(
        [np.where(TRUTH[own, 0] == 7, _right(SHARES[PROBE], s, d)[own], True) for s in (0, 1) for d in (0, 1)]
    )
    assert pair.here.mean == pytest.approx(here)
    assert pair.drop == pytest.approx(here - np.mean(rights))
    assert pair.there.judged.difference is not None
    assert (accuracy.images, accuracy.left_out, accuracy.copies) == (40, 7, 3)


def test_every_form_shows_them(lab: Lab) -> None:
    board = lab.board
    drawn = Console(width=150, file=io.StringIO(), record=True)
    drawn.print(console.render(board))
    for text in (drawn.export_text(), markdown.to_markdown(board).replace("\\", ""), latex.to_latex(board)):
        for part in ("corrupted: accuracy", "tested on dermamnist", "rel. BE", "basophil (there: melanoma)"):
            assert part in text, part
    compact = Console(width=150, file=io.StringIO(), record=True)
    compact.print(console.render(board, compact=True))
    assert "corrupted" not in compact.export_text()
    first = retest_grids(board, board.tables[0])[1]
    assert any(note.startswith("3 test images of dermamnist are copies") for note in first.notes)
    assert any("'majority class' keeps no linear layer" in note for note in first.notes)
    told = json.loads(answer_to_json(board))
    (robust,) = told["robustness"]
    probe = next(arm for arm in robust["arms"] if (arm["arm"], arm["labels"]) == (PROBE, "100"))
    assert probe["by_corruption"]["accuracy"]["bubble"] == pytest.approx(
        board.robustness[0].arms[PROBE, "100"].curves["accuracy"]["bubble"]
    )
    assert probe["relative_balanced_error"] == pytest.approx(board.robustness[0].arms[PROBE, "100"].relative)
    assert [(found["test_on"], found["metric"]) for found in told["transfers"]] == [
        ("dermamnist", "accuracy"),
        ("dermamnist", "auroc"),
    ]


def test_what_is_missing_is_said_and_takes_no_other_arm_along(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(TEXT)
    for trial in {trial.stage: trial for trial in lab.plan.trials}.values():
        lab.predict(trial, _right(SHARES.get(trial.arm, 0.1), trial.seed, trial.draw))
    stages = {found.stage: found for found in lab.plan.retests if found.what == "corrupt"}
    lost = next(key for key, found in stages.items() if found.trial.arm == PROBE and found.trial.labels == "100")
    for key, found in stages.items():
        if key == lost:
            lab.fail(key)
        else:
            _corrupt(lab, found)
    (robust,) = lab.board.robustness
    cell = robust.arms[PROBE, "100"].pair.there
    assert (cell.n, cell.failed, cell.expected) == (3, 1, 4)
    assert robust.arms["supervised", "100"].pair.there.is_whole
    assert "1 stage failed: out of memory." in robust.notes
    assert lab.board.counts.failed_stages == 1
    assert all(found.images is None for found in lab.board.transfers)


def test_an_empty_store_has_empty_tables(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(TEXT)
    board = lab.board
    (robust,) = board.robustness
    assert robust.severities == ()
    assert all(arm.pair.there.mean is None and arm.error is None for arm in robust.arms.values())
    assert "no results yet" in markdown.to_markdown(board)


def test_copies_that_are_left_out_of_tables_count_here(lab: Lab) -> None:
    """Corrupted images are measured by all, so clean ones are too."""
    (spec,) = {lab.plan.stages[trial.stage].spec.dataset.key for trial in lab.plan.trials}
    without = Leaderboard.of(lab.suite, lab.plan, lab.store, {spec: np.arange(50)})
    before, after = (board.tables[0].panel("bloodmnist", "accuracy") for board in (lab.board, without))
    assert before is not None
    assert after is not None
    assert before.cells[PROBE, "100"].mean != after.cells[PROBE, "100"].mean
    assert [each.to_data() for each in without.robustness] == [each.to_data() for each in lab.board.robustness]
    assert [each.to_data() for each in without.transfers] == [each.to_data() for each in lab.board.transfers]


def test_a_checklist_says_what_they_are(lab: Lab) -> None:
    text = checklist(Study.of(lab.suite, lab.plan, lab.store), "claim")
    assert "BE: balanced error, 1 - balanced accuracy" in text
    assert "Shared classes: basophil (there: melanoma), platelet (there: dermatofibroma); 40 test images there" in text
    assert "3 test images of dermamnist are copies of training images of bloodmnist." in text


def test_a_suite_without_them_has_none(lab_of: Callable[..., Lab]) -> None:
    board = lab_of().board
    assert (board.robustness, board.transfers) == ([], [])


def test_the_curves_begin_with_the_clean_images(lab: Lab) -> None:
    (found,) = lab.board.robustness
    arms = {arm: made for (arm, labels), made in found.arms.items() if labels == "100"}
    mean, noise, bubble = severity_panels(found, arms)
    assert [panel.title for panel in (mean, noise, bubble)] == ["mean of all", "gaussian noise", "bubble"]
    assert noise.curves[PROBE][0] == pytest.approx(arms[PROBE].pair.here.mean)
    for place in range(3):
        both = noise.curves[PROBE][place], bubble.curves[PROBE][place]
        assert mean.curves[PROBE][place] == pytest.approx(np.mean(both))  # type: ignore[arg-type]
    drawn = draw_robustness([mean, noise, bubble], SEVERITIES, looks(arms), "accuracy")
    shown = [axes for axes in drawn.axes if axes.get_title()]
    assert [axes.get_title() for axes in shown] == ["mean of all", "gaussian noise", "bubble"]
    lines = {line.get_label(): line.get_xydata().tolist() for line in shown[1].lines}
    assert lines[PROBE] == [[x, pytest.approx(y)] for x, y in zip((0, 1, 3), noise.curves[PROBE], strict=True)]


def test_of_a_part_of_a_suite_it_is_that_part(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(TEXT, only=(PROBE,))
    (robust,) = lab.board.robustness
    assert (robust.panel.arms, robust.baseline, robust.notes) == ([PROBE], None, ())


@pytest.mark.parametrize(("shared", "told"), [(("0", "3"), True), (("2", "3"), False)])
def test_steps_between_classes_of_which_some_are_not_shared_are_told(
    lab_of: Callable[..., Lab], shared: tuple[str, str], *, told: bool
) -> None:
    classes = f'classes = {{ "{shared[0]}" = "melanoma", "{shared[1]}" = "dermatofibroma" }}'
    text = SUITE.replace('["bloodmnist"]', '["retinamnist"]').replace('reference = "printed:main"\n', "")
    text = text.replace('id = "main"', 'id = "main"\nmetrics = ["accuracy", "mae"]')
    text = text.replace("analyses =", f'test_on = {{ dataset = "dermamnist", {classes} }}\nanalyses =')
    notes = {found.metric: found.notes for found in lab_of(text).board.transfers}
    assert [note.startswith("Steps between classes") for note in notes["mae"]].count(True) == told
    assert not any(note.startswith("Steps between classes") for note in notes["accuracy"])
