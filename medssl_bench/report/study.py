"""Everything that a report says of a suite's results, gathered from its plan and a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from medssl_bench.compare.agreement import Agreement, agreement
from medssl_bench.compare.verdicts import Verdict, judge
from medssl_bench.results.by_class import ClassTable, class_tables
from medssl_bench.results.cells import Results
from medssl_bench.results.chosen import with_chosen
from medssl_bench.results.cost import Cost, cost_of, finished, versions
from medssl_bench.results.leaderboard import Leaderboard

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.plan.stage import Plan
    from medssl_bench.published.claims import Claims
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite


@dataclass(frozen=True)
class Study:
    """A suite's results and what is to be said of them.

    Attributes:
        suite: the suite.
        plan: its plan.
        store: where its results are.
        board: its tables.
        agreement: with published numbers; None where there are none.
        verdicts: what the run says of published claims, by their citation.
        cost: what the results have cost.
        versions: of libraries, plugins and machines under which they were made.
        failures: title and reason of each stage that failed.
        by_class: metrics of each class, by id of the comparison.
    """

    suite: Suite
    plan: Plan
    store: Store
    board: Leaderboard
    agreement: Agreement | None
    verdicts: dict[str, list[Verdict]]
    cost: Cost
    versions: dict[str, list[str]]
    failures: list[tuple[str, str]] = field(default_factory=list)
    by_class: dict[str, list[ClassTable]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, suite: Suite, plan: Plan, store: Store, without: Mapping[str, NDArray[np.int64]] | None = None
    ) -> Study:
        """Gather what a store holds of a suite; arguments as of `Leaderboard.of`.

        Raises:
            UserError: the suite names claims or references that are not there.
        """
        board = Leaderboard.of(suite, plan, store, without)
        suite, plan = with_chosen(suite, plan, store)
        registry = suite.plugins.registry
        verdicts: dict[str, list[Verdict]] = {}
        for name in suite.model.claims:
            claims: Claims = registry.build(registry.resolve_or_raise("claims", name))
            verdicts[claims.citation] = judge(claims, board, registry)
        cells = [cell for table in board.tables for cell in (*table.cells(), *table.analysed())]
        failed = [(stage.title, record.reason) for key, stage in plan.stages.items() if (record := store.failure(key))]
        results = Results(plan, store, without)
        by_class = {table.id: class_tables(table, plan, results) for table in suite.tables}
        return cls(
            suite,
            plan,
            store,
            board,
            agreement(cells),
            verdicts,
            cost_of(plan, store),
            versions(finished(plan, store)),
            failed,
            by_class,
        )

    @property
    def marks(self) -> list[str]:
        """What holds of one table or more and a reader must know before any number."""
        return list(dict.fromkeys(mark for table in self.board.tables for mark in table.marks))

    @property
    def claims_summary(self) -> str:
        """How many claims there are, how many the run has numbers for, and where these point; empty without claims."""
        found = [verdict for verdicts in self.verdicts.values() for verdict in verdicts]
        if not found:
            return ""
        contrasts = [contrast for verdict in found for contrast in verdict.whole]
        with_numbers = sum(bool(verdict.whole) for verdict in found)
        text = f"Of {len(found)} published claims, {with_numbers} have numbers in this run"
        if not contrasts:
            return f"{text}."
        favour = sum(contrast.side == "in favour" for contrast in contrasts)
        words = [verdict.word for verdict in found if verdict.whole]
        hold, fail, open_ = (words.count(word) for word in ("holds", "does not hold", "cannot tell"))
        told = f"{hold} hold, {fail} do not hold, {open_} cannot be told"
        return f"{text}: {told}. {favour} of {len(contrasts)} point estimates are in favour."

    @property
    def made(self) -> str:
        """When and with what this was put together."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"Made by medssl-bench {version('medssl-bench')} on {now} from the results in {self.store.path.name}."
