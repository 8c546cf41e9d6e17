"""How many results of a suite are there. Every form counts results in these words, and stages as stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medssl_bench.plan.stage import Plan
    from medssl_bench.results.cells import Results


@dataclass(frozen=True)
class Counts:
    """How many results a suite has, and why others are missing.

    A result is what one evaluation measured, however many cells of tables show it. A result is blocked if a stage that
    it builds on failed. A stage that failed may be no evaluation: one pretraining can block many results.

    Attributes:
        expected: results when all is done.
        done: results that are there.
        failed: results whose own stage failed.
        blocked: results that cannot be made as a stage before them failed.
        failed_stages: stages of any kind that failed.
    """

    expected: int = 0
    done: int = 0
    failed: int = 0
    blocked: int = 0
    failed_stages: int = 0

    @classmethod
    def of(cls, plan: Plan, results: Results) -> Counts:
        """Return the counts of what a store holds of a plan."""
        states = [results.state(stage) for stage in dict.fromkeys(trial.stage for trial in plan.trials)]
        missing = any(state != "done" for state in states) or bool(plan.analyses or plan.retests)
        failed = sum(results.state(key) == "failed" for key in plan.stages) if missing else 0
        done, lost, blocked = (states.count(state) for state in ("done", "failed", "blocked"))
        return cls(len(states), done, lost, blocked, failed)

    @property
    def waiting(self) -> int:
        """How many results have not been made yet, though nothing stands in their way."""
        return self.expected - self.done - self.failed - self.blocked

    @property
    def text(self) -> str:
        """The counts in a line: ``21 of 57 results: 2 failed, 30 blocked, 4 to run (4 stages failed)``."""
        parts = [(self.failed, "failed"), (self.blocked, "blocked"), (self.waiting, "to run")]
        missing = ", ".join(f"{number} {word}" for number, word in parts if number)
        stages = f"{self.failed_stages} stage{'s' if self.failed_stages > 1 else ''} failed"
        text = f"{self.done} of {self.expected} results" + (f": {missing}" if missing else "")
        return f"{text} ({stages})" if self.failed_stages else text
