"""Published claims beside runs whose numbers are known: estimates and pairs by hand, and what is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from statistics import stdev

import numpy as np
import pytest
from results.conftest import PROBE, SUITE, Lab

from medssl_bench.compare.contrasts import Contrast
from medssl_bench.compare.markdown import claims_to_markdown
from medssl_bench.compare.verdicts import Verdict, judge
from medssl_bench.errors import PluginError
from medssl_bench.plan.stage import Trial
from medssl_bench.published.claims import Claims

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


def test_the_estimate_is_the_mean_over_pairs(lab_of: Callable[..., Lab]) -> None:
    """Without predictions it has no interval, so it is described and not judged."""
    lab = lab_of(SEEDS)
    gaps = {0: 0.10, 1: 0.12, 2: 0.17}
    lab.fill(_values(gaps))
    verdict, contrast = _judged(_better(), lab)
    assert contrast.estimate == pytest.approx(0.13)
    assert contrast.spread == pytest.approx(stdev([0.10, 0.10, 0.12, 0.12, 0.17, 0.17]))
    assert contrast.pairs == "6 (3 training seeds x 2 label draws)"
    assert contrast.side == "in favour"
    assert contrast.not_judged.startswith("no interval: ")
    assert verdict.told.startswith("cannot tell (no interval: ")
    assert verdict.told.endswith("; 1 of 1 point estimates in favour")


@pytest.mark.parametrize(
    ("margin", "side"),
    [
        ("above = 0.0", "in favour"),
        ("above = 0.12", "against"),
        ("above = 0.5", "against"),
        ("below = 0.5", "in favour"),
        ("below = 0.0", "against"),
        ("within = 0.5", "in favour"),
        ("within = 0.01", "against"),
    ],
)
def test_directions_and_margins_say_where_the_estimate_is(margin: str, side: str, lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    lab.fill(_values({0: 0.10, 1: 0.11, 2: 0.12}))
    verdict, contrast = _judged(_better(margin), lab)
    assert contrast.side == side
    assert verdict.points == f"{int(side == 'in favour')} of 1 point estimates in favour"


def test_an_arm_without_a_seed_is_paired_with_every_seed_and_draw(lab_of: Callable[..., Lab]) -> None:
    """Frozen minus majority with three seeds and three draws: nine pairs, whose values are known by hand."""
    lab = lab_of(SEEDS.replace("draws = [0, 1]", "draws = [0, 1, 2]"))
    lab.fill(lambda trial: 0.25 if trial.arm == "majority class" else 0.5 + 0.1 * trial.seed + 0.01 * trial.draw)
    claims = _claim(f'plus = ["main / {PROBE}"]\nminus = ["main / majority class"]\nabove = 0.0')
    _, contrast = _judged(claims, lab)
    assert contrast.found is not None
    assert [round(value.value, 6) for value in contrast.found.values] == [
        0.25, 0.26, 0.27, 0.35, 0.36, 0.37, 0.45, 0.46, 0.47,
    ]  # fmt: skip
    assert contrast.estimate == pytest.approx(0.36)
    assert contrast.pairs == "9 (3 training seeds x 3 label draws)"
    assert not contrast.why


def test_what_is_missing_or_failed_is_said(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of()
    assert _judged(_better(), lab)[0].told == "not finished"
    for trial in lab.plan.trials:
        if trial.arm != PROBE or trial.seed:
            lab.finish(trial, accuracy=0.5)
    assert _judged(_better(), lab)[0].told == "not finished"
    lab.fail(lab.trials(PROBE)[0].stage)
    verdict, contrast = _judged(_better(), lab)
    assert verdict.told == "some of its trials failed or are blocked"
    assert (contrast.pairs, contrast.found and contrast.found.expected) == ("2 (2 label draws)", 4)
    assert _judged(_claim('plus = ["table-9 / nobody"]\nabove = 0.0'), lab)[0].told == "not in this run"


def test_a_claim_of_several_conditions_counts_where_they_point(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    lab.fill(_values({0: 0.10, 1: 0.11, 2: 0.12}))
    head = '[[claim.condition]]\ndatasets = ["bloodmnist"]\nlabels = ["100"]\n'
    claims = Claims.from_toml(
        f'{HEAD}[[claim]]\nid = "X"\ntext = "three"\n'
        f'{head}plus = ["main / {PROBE}"]\nminus = ["main / supervised"]\nabove = 0.0\n'
        f'{head}plus = ["main / supervised"]\nabove = 0.9\n'
        f'{head}plus = ["main / nobody"]\nabove = 0.9\n'
    )
    assert _judged(claims, lab)[0].points == "1 of 2 point estimates in favour, 1 not there"


def test_a_contrast_of_differences(lab_of: Callable[..., Lab]) -> None:
    """All labels have no draws: two seeds by two draws at 100 labels are paired with two seeds of all of them."""
    lab = lab_of(SEEDS)
    lab.fill()  # at 100 labels the probe is 0.1 ahead, with all of them 0.1 behind
    body = f'plus = ["main / {PROBE} / 100", "main / supervised / all"]\n'
    body += f'minus = ["main / supervised / 100", "main / {PROBE} / all"]\nabove = 0.15'
    _, contrast = _judged(_claim(body), lab)
    assert contrast.estimate == pytest.approx(0.2)
    assert contrast.pairs == "6 (3 training seeds x 2 label draws)"
    whole = _claim(f'plus = ["main / {PROBE}"]\nminus = ["main / supervised"]\nabove = 0.0', labels='["all"]')
    assert _judged(whole, lab)[1].pairs == "3 (3 training seeds)"


def test_the_marks_of_the_tables_stand_with_a_claim(lab: Lab) -> None:
    lab.fill()
    assert _judged(_better(), lab)[0].marks == ["epochs selected with all 1,712 validation labels"]


def test_published_cells_stand_beside_it(lab: Lab) -> None:
    lab.fill()
    claims = _claim('plus = ["main / supervised"]\nabove = 0.7')
    verdict, contrast = _judged(claims, lab)
    assert (contrast.published, contrast.published_side) == (0.75, "in favour")
    assert verdict.published_points == (1, 1)
    assert not contrast.stands_in


def test_other_data_in_the_place_of_published_ones_are_said_to_be_other(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('["bloodmnist"]', '["blood"]') + '\n[dataset.blood]\nname = "phantom_cells"\n'
    lab = lab_of(text)
    lab.fill()
    claims = _better()
    named = claims.model_copy(update={"dataset_labels": {"bloodmnist": "blood"}})
    assert _judged(claims, lab)[1].why == "not in this run"
    contrast = _judged(named, lab)[1]
    assert (contrast.label, contrast.stands_in) == ("blood", True)
    assert contrast.pairs == "4 (2 training seeds x 2 label draws)"


def test_analyses_can_be_claimed_of(lab: Lab) -> None:
    for found in lab.plan.analyses:
        lab.finish_stage(lab.plan.stages[found.stage], silhouette_2=0.1 + 0.01 * found.seed)
    body = f'plus = ["main / {PROBE}"]\nmetric = "silhouette_2"\nabove = 0.0'
    found = _judged(_claim(body, labels='["none"]'), lab)[1]
    assert (found.estimate, found.pairs) == (pytest.approx(0.105), "2 (2 training seeds)")


def test_an_encoder_that_no_labels_shaped_is_paired_with_every_draw_of_one_that_they_did(lab: Lab) -> None:
    for found in lab.plan.analyses:
        level = 0.5 if found.arm == PROBE else 0.1 * (found.draw or 0)
        lab.finish_stage(lab.plan.stages[found.stage], silhouette_2=level + 0.01 * found.seed)
    body = (
        f'plus = ["main / {PROBE} / none"]\nminus = ["main / supervised / 100"]\nmetric = "silhouette_2"\nabove = 0.0'
    )
    found = _judged(_claim(body), lab)[1]
    assert found.found is not None
    assert [value.value for value in found.found.values] == pytest.approx([0.5, 0.4, 0.5, 0.4])


N = 400


def _predict(lab: Lab, ahead: float) -> None:
    """Put predictions into the store by which the probe is right of a larger share of the images."""
    for trial in lab.plan.trials:
        random = np.random.default_rng([len(trial.arm), trial.seed, trial.draw])
        share = 0.5 + (ahead if trial.arm == PROBE else 0.0)
        lab.predict(trial, (np.arange(N) * 7 % N < share * N) ^ (random.random(N) < 0.05))


@pytest.mark.parametrize(
    ("margin", "word", "of_contrast"),
    [
        ("above = 0.0", "holds", "shown"),
        ("above = 0.1", "cannot tell", "cannot tell"),
        ("above = 0.3", "does not hold", "refuted"),
        ("below = 0.3", "holds", "shown"),
        ("below = 0.0", "does not hold", "refuted"),
        ("within = 0.3", "holds", "shown"),
        ("within = 0.01", "does not hold", "refuted"),
    ],
)
def test_a_claim_is_judged_by_the_interval(
    margin: str, word: str, of_contrast: str, lab_of: Callable[..., Lab]
) -> None:
    lab = lab_of(SEEDS)
    _predict(lab, 0.1)
    verdict, contrast = _judged(_better(margin), lab)
    assert verdict.told.startswith(f"{word}; ")
    assert verdict.told_of(contrast) == of_contrast
    (line,) = (line for line in claims_to_markdown({"Someone": [verdict]}).splitlines() if line.startswith("| blood"))
    assert line.endswith(f"| {of_contrast} |")
    assert " to " in line


def test_one_seed_and_scaled_results_are_not_judged(lab_of: Callable[..., Lab]) -> None:
    for options, why in (({"seeds": (0,)}, "one training seed"), ({"epochs_scale": 0.5}, "scaled")):
        lab = lab_of(SEEDS, **options)
        _predict(lab, 0.3)
        verdict, contrast = _judged(_better(), lab)
        assert verdict.word == "cannot tell"
        assert contrast.not_judged == f"{why}, so not judged"


def test_each_contrast_must_be_shown_and_one_refutes(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    _predict(lab, 0.2)
    head = '[[claim.condition]]\ndatasets = ["bloodmnist"]\nlabels = ["100"]\n'
    ahead = f'{head}plus = ["main / {PROBE}"]\nminus = ["main / supervised"]\nabove = '
    words = []
    for margins in (("0.0", "0.1"), ("0.0", "0.2"), ("0.0", "0.4")):
        body = "".join(ahead + margin + "\n" for margin in margins)
        words.append(_judged(Claims.from_toml(f'{HEAD}[[claim]]\nid = "X"\ntext = "t"\n{body}'), lab)[0].word)
    assert words == ["holds", "cannot tell", "does not hold"]


def test_the_mean_of_contrasts_is_a_second_reading(lab_of: Callable[..., Lab]) -> None:
    """At 100 labels the probe is ahead, with all of them it is not: the claim is not shown, its mean may be."""
    lab = lab_of(SEEDS)
    for trial in lab.plan.trials:
        random = np.random.default_rng([len(trial.arm), trial.seed, trial.draw])
        ahead = 0.2 if trial.arm == PROBE and str(trial.labels) == "100" else 0.0
        lab.predict(trial, (np.arange(N) * 7 % N < (0.5 + ahead) * N) ^ (random.random(N) < 0.05))
    body = f'plus = ["main / {PROBE}"]\nminus = ["main / supervised"]\n'
    both = '["100", "all"]'
    verdict, _ = _judged(_claim(f"{body}above = 0.0", labels=both), lab)
    (found,) = verdict.averages
    each = [contrast.estimate for contrast in verdict.contrasts]
    assert found.estimate.mean == pytest.approx(np.mean([value for value in each if value is not None]))
    assert (verdict.word, verdict.word_on_average) == ("cannot tell", "holds")
    assert verdict.seen is not None
    assert f"; on average holds (bloodmnist +{found.estimate.mean:.3f} [" in verdict.told
    assert f"a contrast is shown if it is on its side of the margin by about {verdict.seen:.3f}" in verdict.told
    assert _judged(_claim(f"{body}above = 0.15", labels=both), lab)[0].word_on_average == "does not hold"
    assert _judged(_better(), lab)[0].word_on_average is None


def test_contrasts_of_several_margins_have_no_mean(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    _predict(lab, 0.2)
    head = '[[claim.condition]]\ndatasets = ["bloodmnist"]\nlabels = ["100"]\n'
    ahead = f'{head}plus = ["main / {PROBE}"]\nminus = ["main / supervised"]\nabove = '
    claims = Claims.from_toml(f'{HEAD}[[claim]]\nid = "X"\ntext = "t"\n{ahead}0.0\n{ahead}0.1\n')
    assert _judged(claims, lab)[0].averages == ()


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


def test_claims_in_markdown(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SEEDS)
    _predict(lab, 0.1)
    claims = _better()
    text = claims_to_markdown({claims.citation: judge(claims, lab.board, lab.suite.plugins.registry)})
    assert "## Claims of Someone" in text
    assert "**X** it is so: holds; 1 of 1 point estimates in favour." in text
    assert "*epochs selected with all 1,712 validation labels*" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| bloodmnist")]
    assert r"probe \| \[ours\] 50% #1\_a" in row
    wanted = (
        r"\| \+0\.\d+ \| \+0\.\d+ to \+0\.\d+ \| 6 \(3 training seeds x 2 label draws\) \| in favour \|  \| shown \|"
    )
    assert re.search(wanted, row)
