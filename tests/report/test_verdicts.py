"""Published claims held against runs whose numbers are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from report.conftest import PROBE, SUITE, Lab
from scipy import stats

from medssl_bench.errors import PluginError
from medssl_bench.plan.stage import Trial
from medssl_bench.report.claims import Claims
from medssl_bench.report.formats.markdown import claims_to_markdown
from medssl_bench.report.verdicts import Contrast, Verdict, judge

HEAD = 'citation = "Someone"\nreference = "printed"\n'
BEGUN = f'{HEAD}[[claim]]\nid = "X"\ntext = "t"\n[[claim.condition]]\ndatasets = ["a"]\nlabels = ["1"]\n'
SEEDS = SUITE.replace("seeds = [0, 1]", "seeds = [0, 1, 2]")


def _claim(body: str, datasets: str = '["bloodmnist"]', labels: str = '["100"]') -> Claims:
    head = f'{HEAD}[[claim]]\nid = "X"\ntext = "it is so"\n[[claim.condition]]\n'
    return Claims.from_toml(f"{head}datasets = {datasets}\nlabels = {labels}\n{body}")


def _better(margin: str = "above = 0.0") -> Claims:
    return _claim(f'plus = ["main / {PROBE}"]\nminus = ["main / supervised"]\n{margin}')


def _judged(claims: Claims, lab: Lab) -> tuple[Verdict, Contrast]:
    (verdict,) = judge(claims, lab.board, lab.suite.plugins.registry)
    return verdict, verdict.contrasts[0]


def _values(gaps: dict[int, float]) -> Callable[[Trial], float]:
    """Return accuracies in which the probe is ahead of the supervised arm by another gap for each seed."""
    return lambda trial: 0.4 + 0.03 * trial.draw + (gaps[trial.seed] if trial.arm == PROBE else 0.0)


def test_the_interval_is_students_over_seeds(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    gaps = {0: 0.10, 1: 0.12, 2: 0.17}
    lab.fill(_values(gaps))
    verdict, contrast = _judged(_better(), lab)
    sample = list(gaps.values())
    expected = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    assert contrast.interval == pytest.approx(tuple(expected))
    assert contrast.estimate == pytest.approx(sum(sample) / 3)
    assert (verdict.told, contrast.seeds) == ("holds", 3)


@pytest.mark.parametrize(
    ("margin", "told"),
    [
        ("above = 0.0", "holds"),
        ("above = 0.11", "cannot be told"),
        ("above = 0.5", "does not hold"),
        ("below = 0.5", "holds"),
        ("below = 0.0", "does not hold"),
        ("below = 0.11", "cannot be told"),
        ("within = 0.5", "holds"),
        ("within = 0.01", "does not hold"),
        ("within = 0.11", "cannot be told"),
    ],
)
def test_directions_and_margins(margin: str, told: str, lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    lab.fill(_values({0: 0.10, 1: 0.11, 2: 0.12}))
    verdict, contrast = _judged(_better(margin), lab)
    assert verdict.told == told
    assert bool(contrast.why) == (told == "cannot be told")


def test_with_one_seed_it_cannot_be_told_however_many_draws_there_are(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(seeds=(0,))
    lab.fill(_values({0: 0.3}))
    verdict, contrast = _judged(_better(), lab)
    assert (verdict.told, verdict.why) == ("cannot be told", "one training seed")
    assert contrast.estimate == pytest.approx(0.3)


def test_what_is_missing_or_failed_is_not_judged(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of()
    assert _judged(_better(), lab)[0].why == "not finished"
    for trial in lab.plan.trials:
        if trial.arm != PROBE or trial.seed:
            lab.finish(trial, accuracy=0.5)
    assert _judged(_better(), lab)[0].why == "not finished"
    lab.fail(lab.trials(PROBE)[0].stage)
    verdict, _ = _judged(_better(), lab)
    assert (verdict.told, verdict.why) == ("cannot be told", "some of its trials failed")
    assert _judged(_claim('plus = ["table-9 / nobody"]\nabove = 0.0'), lab)[0].why == "not in this run"


def test_a_claim_holds_if_all_of_it_holds(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    lab.fill(_values({0: 0.10, 1: 0.11, 2: 0.12}))
    both = '[[claim.condition]]\ndatasets = ["bloodmnist"]\nlabels = ["100"]\nplus = ["main / supervised"]\n'
    claims = _better()
    more = Claims.from_toml(
        HEAD
        + '[[claim]]\nid = "X"\ntext = "both"\n'
        + f'[[claim.condition]]\ndatasets = ["bloodmnist"]\nlabels = ["100"]\nplus = ["main / {PROBE}"]\n'
        + f'minus = ["main / supervised"]\nabove = 0.0\n{both}above = 0.9\n'
    )
    assert _judged(claims, lab)[0].told == "holds"
    assert _judged(more, lab)[0].told == "does not hold"


def test_a_contrast_of_differences(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    lab.fill()  # at 100 labels the probe is 0.1 ahead, with all of them 0.1 behind
    body = f'plus = ["main / {PROBE} / 100", "main / supervised / all"]\n'
    body += f'minus = ["main / supervised / 100", "main / {PROBE} / all"]\nabove = 0.15'
    verdict, contrast = _judged(_claim(body), lab)
    assert contrast.estimate == pytest.approx(0.2)
    assert verdict.told == "holds"


def test_published_cells_stand_beside_it(lab: Lab) -> None:
    lab.fill()
    claims = _claim('plus = ["main / supervised"]\nabove = 0.7')
    verdict, contrast = _judged(claims, lab)
    assert (contrast.published, contrast.published_told) == (0.75, True)
    assert verdict.borne_out == (1, 1)
    assert not contrast.stands_in


def test_other_data_in_the_place_of_published_ones_are_said_to_be_other(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('["bloodmnist"]', '["blood"]') + '\n[dataset.blood]\nname = "phantom_cells"\n'
    lab = lab_of(text)
    lab.fill()
    claims = _better()
    named = claims.model_copy(update={"dataset_labels": {"bloodmnist": "blood"}})
    assert _judged(claims, lab)[1].why == "not in this run"
    contrast = _judged(named, lab)[1]
    assert (contrast.label, contrast.stands_in, contrast.seeds) == ("blood", True, 2)


def test_analyses_can_be_claimed_of(lab: Lab) -> None:
    for found in lab.plan.analyses:
        lab.finish_stage(lab.plan.stages[found.stage], silhouette_2=0.1 + 0.01 * found.seed)
    body = f'plus = ["main / {PROBE}"]\nmetric = "silhouette_2"\nabove = 0.0'
    assert _judged(_claim(body, labels='["none"]'), lab)[1].estimate == pytest.approx(0.105)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("citation = ", "not TOML"),
        (HEAD, "claim: Field required"),
        (f'{HEAD}[[claim]]\nid = "X"\ntext = "t"\n', "claim.0.condition: Field required"),
        (
            f'{BEGUN}plus = ["t / a"]\n',
            "exactly one of above, below and within",
        ),
        (
            f'{BEGUN}plus = ["only an arm"]\nabove = 0.0\n',
            "claim.0.condition.0.plus.0",
        ),
    ],
)
def test_claims_that_are_none_are_refused(text: str, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        Claims.from_toml(text)


def test_a_seed_that_only_one_arm_has_does_not_count(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    lab.fill(_values({0: 0.1, 1: 0.1, 2: 0.1}))
    board = lab.board
    panel = board.tables[0].panels[0]
    cell = panel.cells[PROBE, "100"]
    values = [value for value in cell.values if value.seed != 2]
    panel.cells[PROBE, "100"] = replace(cell, values=values, expected=len(values))
    (verdict,) = judge(_better(), board, lab.suite.plugins.registry)
    assert verdict.contrasts[0].seeds == 2


def test_verdicts_in_markdown(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    lab.fill(_values({0: 0.10, 1: 0.11, 2: 0.12}))
    claims = _better()
    text = claims_to_markdown({claims.citation: judge(claims, lab.board, lab.suite.plugins.registry)})
    assert "## Claims of Someone" in text
    assert "**X: holds**. it is so." in text
    (row,) = [line for line in text.splitlines() if line.startswith("| bloodmnist")]
    assert r"probe \| \[ours\] 50% #1\_a" in row
    assert "| +0.110 | +0.085 to +0.135 | 3 |  | holds |" in row
