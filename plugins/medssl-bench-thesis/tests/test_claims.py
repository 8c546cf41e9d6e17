"""The claims of the thesis: against its own cells, and against the suites that have numbers for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from medssl_bench_thesis.claims import thesis
from medssl_bench_thesis.tables import thesis as tables

from medssl_bench.compare.verdicts import Contrast, judge
from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

SUITES = Path(__file__).parents[3] / "suites"


def contrasts(tmp_path: Path, suite: str) -> dict[str, tuple[Contrast, ...]]:
    loaded = Suite.load(SUITES / suite)
    plan = build_plan(loaded, DatasetContext(tmp_path, tmp_path))
    board = Leaderboard.of(loaded, plan, Store(tmp_path / "store"))
    return {found.claim.id: found.contrasts for found in judge(thesis(), board, loaded.plugins.registry)}


def test_there_are_sixteen() -> None:
    assert [claim.id for claim in thesis().claim] == [f"C{number}" for number in range(1, 17)]


def test_every_cell_that_is_claimed_of_a_published_table_is_of_an_arm_that_it_has() -> None:
    for claim in thesis().claim:
        for condition in claim.condition:
            for labels in condition.labels:
                for _, term in condition.terms(labels):
                    if term.table.startswith("table"):
                        arms = {cell.arm for cell in tables(term.table).cells}
                        assert term.arm in arms, (claim.id, term)


@pytest.mark.parametrize(
    ("claim", "published"),
    [
        ("C1", [0.306, 0.153, 0.008]),
        ("C4", [0.957]),
        ("C8", [-0.033, -0.032, -0.045]),
        ("C10", [0.083, 0.080, 0.083, 0.285, 0.183, 0.107]),
        ("C12", [0.150 - 0.105, 0.0739 - 0.0590]),
        ("C13", [0.172 - 0.153, 0.796 - 0.835]),
        ("C14", [0.708 - 0.723]),
    ],
)
def test_published_contrasts_are_those_of_the_thesis(claim: str, published: list[float], tmp_path: Path) -> None:
    found = contrasts(tmp_path, "thesis.toml")[claim]
    assert [contrast.published for contrast in found] == pytest.approx(published)
    assert {contrast.published_side for contrast in found} == {"in favour"}


def test_what_the_thesis_does_not_bear_out_is_told(tmp_path: Path) -> None:
    found = contrasts(tmp_path, "thesis.toml")
    shrinks = {contrast.dataset: contrast.published_side for contrast in found["C2"][:3]}
    assert shrinks == {"pathmnist": "in favour", "bloodmnist": "in favour", "dermamnist": "against"}, (
        "derma's gain grows"
    )
    against = [contrast for contrast in found["C6"] if contrast.published_side == "against"]
    assert {(contrast.dataset, contrast.labels) for contrast in against} >= {("pathmnist", "100")}


def test_a_suite_of_this_repository_has_numbers_for_each(tmp_path: Path) -> None:
    thesis_itself = contrasts(tmp_path, "thesis.toml")
    questions = contrasts(tmp_path, "thesis-questions.toml")
    for claim, found in questions.items():
        for place, contrast in enumerate(found):
            silhouette = "silhouette" in str(thesis().claim[int(claim[1:]) - 1].condition)
            missing = contrast.why == "not in this run" and thesis_itself[claim][place].why == "not in this run"
            assert silhouette or not missing, (claim, contrast)
