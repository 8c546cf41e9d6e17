"""How tests across data sets are written, in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.statistics.across import FEWEST, FEWEST_ARMS, FEWEST_OF_PAIRS
from medssl_bench.statistics.verdict import ALPHA

if TYPE_CHECKING:
    from medssl_bench.results.across import Across


def across_notes(across: Across | None) -> list[str]:
    """Return what tests across data sets say, or that there are too few; nothing where there is one."""
    if across is None:
        return []
    number = len(across.datasets)
    least = FEWEST if len(across.arms) >= FEWEST_ARMS else FEWEST_OF_PAIRS
    if number < least:
        return [f"Too few data sets for a test across them: {number}, and {least} are needed."]
    lines = [*_friedman(across), *_against_control(across)]
    if lines:
        lines.append(
            f"Tests across {number} data sets are of means over label budgets, without floors. They take each mean as "
            "exact: the verdicts on each data set are the evidence."
        )
    return lines


def _friedman(across: Across) -> list[str]:
    found = across.friedman
    if found is None:
        return []
    statistic = "" if found.f is None else f"F = {found.f:.1f}, "
    tested = f"({p_text(found.f_p)}; Friedman's test, {statistic}chi-squared = {found.chi2:.1f})"
    if found.f_p >= ALPHA:
        return [f"Across {len(across.datasets)} data sets it cannot be told whether arms differ {tested}."]
    pairs = [f"“{arm}” of {', '.join(f'“{other}”' for other in others)}" for arm, others in across.told_apart.items()]
    ahead = f"Ahead by more than {found.critical_difference:.2f} mean ranks (Nemenyi): {'; '.join(pairs)}."
    none = f"No two are more than {found.critical_difference:.2f} mean ranks apart (Nemenyi)."
    return [f"Across {len(across.datasets)} data sets arms differ {tested}. {ahead if pairs else none}"]


def _against_control(across: Across) -> list[str]:
    number = len(across.datasets)
    arms = [f"“{each.arm}” on {each.ahead} of {number}, {p_text(each.p)}" for each in across.against_control]
    return [f"Better than “{across.control}” (Wilcoxon's test, Holm): {'; '.join(arms)}."] if arms else []


def p_text(p: float) -> str:
    """Return a p-value: ``p = 0.012``, ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
