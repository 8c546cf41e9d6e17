"""A plan as it is read: what a run of a suite would do, how much that is, and what its time rests on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.markup import block, line, strong, table
from medssl_bench.plan.arms import ArmPlan, by_arm
from medssl_bench.plan.estimates import Estimates
from medssl_bench.plan.retests_told import retests_told
from medssl_bench.plan.status import StageStatus, look
from medssl_bench.plan.trained_before import Seen, seen_before
from medssl_bench.progress.words import duration
from medssl_bench.results.selection import SelectedBy
from medssl_bench.session.planned_arms import arm_notes, arm_rows

if TYPE_CHECKING:
    from pandas import DataFrame

    from medssl_bench.plan.estimates import Basis
    from medssl_bench.plan.stage import Plan
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite

_WORDS: dict[Basis, str] = {
    "measured": "measured here, by records of like stages",
    "calibrated": "calibrated for this machine",
    "rough": "rough",
}

_LEAST_SHARE = 0.005
"""Of the time; what rests on less is not told."""

_KINDS = ("pretrain", "embed", "evaluate", "analyse")
"""Kinds of stages, in the order in which they are counted; others follow."""


@dataclass(frozen=True, repr=False)
class RunPlan:
    """What `medssl_bench.run` would do, with the same arguments.

    Attributes:
        plan: all stages that the suite needs, each once, and the cells of its tables.
        stages: where each stage stands: a list of `medssl_bench.plan.status.StageStatus`, with `stage` (`key`, `kind`,
            `title`), `status`, `why` and `seconds`.
        arms: what each arm of each comparison needs: a list of `medssl_bench.plan.arms.ArmPlan`, with `table`, `arm`,
            `results` and the `stages` that no arm before it needs.
        headings: of the comparisons, by id.
        selected_by: what the epochs of each comparison are selected by, by id.
        seen: arms whose encoders may have been trained on images that they are tested on.
        start: seconds that a run takes before its first stage.
        problem: why a calibration that is there does not count, or an empty string.
    """

    plan: Plan
    stages: list[StageStatus]
    arms: list[ArmPlan]
    headings: dict[str, str]
    selected_by: dict[str, str]
    seen: list[Seen]
    start: float
    problem: str

    @classmethod
    def of(cls, suite: Suite, plan: Plan, store: Store, estimates: Estimates) -> RunPlan:
        """Return what a store lacks of a plan."""
        statuses = look(plan, store, estimates)
        tables = {table.id: table for table in suite.tables}
        selected_by = {
            name: SelectedBy.of(tables[name], plan, suite.plugins.registry).mark
            for name in tables
            if any(trial.table == name for trial in plan.trials)
        }
        return cls(
            plan,
            statuses,
            by_arm(plan, statuses),
            {name: found.title for name, found in tables.items()},
            selected_by,
            list(seen_before(plan)),
            estimates.start,
            estimates.problem,
        )

    @property
    def suite(self) -> str:
        """Name of the suite."""
        return self.plan.suite

    @property
    def waiting(self) -> list[StageStatus]:
        """The stages that a run would do."""
        return [status for status in self.stages if status.runs]

    @property
    def kinds(self) -> dict[str, int]:
        """How many stages of each kind a run would do."""
        return _counted(self.waiting)

    @property
    def seconds(self) -> float:
        """How long a run is expected to take, without stages whose data has not been seen; `basis` says how sure."""
        known = [status.seconds for status in self.waiting if status.seconds is not None]
        return sum(known) + (self.start if known else 0)

    @property
    def images(self) -> int:
        """How many images a run would train on, each as often as it is seen."""
        return sum(each.stage.images or 0 for each in self.waiting if each.stage.kind in {"pretrain", "evaluate"})

    @property
    def basis(self) -> str:
        """What the time rests on, in words; empty where no time is known."""
        shares = dict.fromkeys(_WORDS, 0.0)
        for status in self.waiting:
            if status.basis is not None:
                shares[status.basis] += status.seconds or 0
        total = sum(shares.values())
        told = {basis: share / total for basis, share in shares.items() if total and share / total >= _LEAST_SHARE}
        words = [f"{_WORDS[b]}{f' ({share:.0%})' if len(told) > 1 else ''}" for b, share in told.items()]
        hint = ": medssl-bench doctor --calibrate measures this machine in a minute" if "rough" in told else ""
        return f"this time is {', '.join(words)}{hint}" if words else ""

    def to_frame(self) -> DataFrame:
        """Return the stages as a pandas DataFrame: a line for each, with its key, kind, title, status, time and images.

        `seconds` and `images` are of what a run would do, and missing where that is not known.

        Raises:
            UserError: pandas is not installed.
        """
        from medssl_bench.results.frame import framed

        rows = [
            (s.stage.key, s.stage.kind, s.stage.title, s.status, s.why)
            + ((s.seconds, s.stage.images) if s.runs else (0.0, 0))
            for s in self.stages
        ]
        frame = framed(["key", "kind", "title", "status", "why", "seconds", "images"], rows)
        return frame.astype({"seconds": "float64", "images": "Int64"})

    def notes(self) -> list[str]:
        """Return what stands below the arms: how epochs are selected, what else is tested on, what was seen before."""
        marks: dict[str, list[str]] = {}
        for name, mark in self.selected_by.items():
            marks.setdefault(mark, []).append(name)
        lines = [f"{', '.join(tables)}: {mark}" for mark, tables in marks.items()]
        return [*lines, *retests_told(self.plan), *(f"warning: {seen.comparison}: {seen}" for seen in self.seen)]

    def summary(self) -> list[str]:
        """Return how much it is, in lines."""
        scale = self.plan.epochs_scale
        scaled = f" (SCALED: epochs x {scale:g})" if scale < 1 else ""
        spared = f" {not_needed} not needed," if (not_needed := self._count("not needed")) else ""
        counts = ", ".join(f"{count} {kind}" for kind, count in _counted(self.stages).items())
        waiting = self.waiting
        to_do = f"{len(waiting)} to run: {self.images:,} images to train on, about {duration(self.seconds)}"
        lines = [
            f"{self.suite}{scaled}: {len(self.plan.trials)} trials, {len(self.stages)} stages ({counts})",
            f"{self._count('done')} done,{spared} {to_do}",
        ]
        if failed := self._count("failed"):
            blocked = self._count("blocked")
            lines.append(f"{failed} failed, {blocked} blocked by them: run --retry-failed tries them again")
        if unknown := sum(status.seconds is None for status in waiting):
            lines.append(f"{unknown} stage(s) wait for data that has not been seen: no estimate")
        return [*lines, *(text for text in (self.basis, self.problem) if text)]

    def _count(self, which: str) -> int:
        return sum(status.status == which for status in self.stages)

    def _repr_html_(self) -> str:
        """Draw it in a notebook, as ``medssl-bench plan`` does on a terminal."""
        parts = [line(strong(text)) if place == 0 else line(text) for place, text in enumerate(self.summary())]
        heads, tables = arm_rows(self.arms)
        for name, rows in tables.items():
            styles = [""] * (len(rows) - 1) + ["ruled"]
            parts.append(table(strong(self.headings[name]), heads, rows, styles=styles))
            parts += [line(text, "quiet") for arm in self.arms if arm.table == name for text in arm_notes(arm)]
        return block([*parts, *(line(text, "quiet") for text in self.notes())])

    def __repr__(self) -> str:
        waiting, total = len(self.waiting), len(self.stages)
        return f"<RunPlan of {self.suite!r}: {waiting} of {total} stages to run, about {duration(self.seconds)}>"


def _counted(statuses: list[StageStatus]) -> dict[str, int]:
    kinds = Counter(status.stage.kind for status in statuses)
    return {kind: kinds[kind] for kind in dict.fromkeys((*_KINDS, *kinds)) if kinds[kind]}
