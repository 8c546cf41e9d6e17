"""What a plan asks of each arm, as rows of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.progress.words import duration

if TYPE_CHECKING:
    from medssl_bench.plan.arms import ArmPlan

_HEADS = ("arm", "results", "to do", "done", "failed", "blocked", "shared", "images", "time")

_OPTIONAL = {"failed", "blocked", "shared"}
"""Columns that are left out where all of them are 0."""

_MOST_REASONS = 3
"""How many reasons of one arm are shown; ``plan --stages`` shows all."""

SHARED = "shared: stages that an arm above needs too; they are counted there"


def arm_rows(arms: Sequence[ArmPlan]) -> tuple[list[str], dict[str, list[list[str]]]]:
    """Return heads of columns and, for each comparison by id, a row for each of its arms and one for all of them."""
    tables = {name: [arm for arm in arms if arm.table == name] for name in dict.fromkeys(arm.table for arm in arms)}
    rows = {name: [*(_row(arm.arm, [arm]) for arm in found), _row("total", found)] for name, found in tables.items()}
    every = [row for found in rows.values() for row in found]
    kept = [
        place for place, head in enumerate(_HEADS) if head not in _OPTIONAL or any(row[place] != "0" for row in every)
    ]
    heads = [_HEADS[place] for place in kept]
    return heads, {name: [[row[place] for place in kept] for row in found] for name, found in rows.items()}


def _row(name: str, arms: Sequence[ArmPlan]) -> list[str]:
    runs = [status for arm in arms for status in arm.runs]
    images = sum(status.stage.images or 0 for status in runs if status.stage.kind in {"pretrain", "evaluate"})
    known = [status.seconds for status in runs if status.seconds is not None]
    time = " + ".join([*([duration(sum(known))] if known else []), *(["?"] if len(known) < len(runs) else [])])
    counts = (
        sum(arm.results for arm in arms),
        len(runs),
        sum(arm.count("done") for arm in arms),
        sum(arm.count("failed") for arm in arms),
        sum(arm.count("blocked") for arm in arms),
        sum(arm.shared for arm in arms) if len(arms) == 1 else 0,
        images,
    )
    return [name, *(f"{count:,}" for count in counts), time]


def arm_notes(arm: ArmPlan) -> list[str]:
    """Return how an arm is tuned, and why stages of it have failed or are done again."""
    return [*_tuning(arm), *_reasons(arm)]


def _tuning(arm: ArmPlan) -> list[str]:
    """Return how many candidates each result of an arm has, where it is tuned."""
    own = [status.stage for status in arm.stages if f" · {arm.arm} · " in status.stage.title]
    specs = [stage.spec for stage in own if isinstance(stage.spec, EvaluateSpec)]
    counts = {len(spec.evaluator.candidates()): list(spec.evaluator.tune) for spec in specs if spec.evaluator.tune}
    return [
        f"{arm.arm!r}: each result is the best of {count} candidates by validation labels ({', '.join(names)})"
        for count, names in counts.items()
    ]


def _reasons(arm: ArmPlan) -> list[str]:
    """Return why stages of an arm have failed, or are done again, each reason once."""
    counted: dict[tuple[str, str], int] = {}
    for status in arm.stages:
        if status.why and status.status != "pending":
            place = ("failed" if status.status == "failed" else "to do", status.why)
            counted[place] = counted.get(place, 0) + 1
    lines = [f"{arm.arm!r}: {count} {what}: {why}" for (what, why), count in counted.items()]
    more = len(lines) - _MOST_REASONS
    return lines if more <= 0 else [*lines[:_MOST_REASONS], f"{arm.arm!r}: ... and {more} more; see --stages"]
