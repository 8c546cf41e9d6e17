"""What the epochs of a comparison are selected by, and how many validation labels that takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from medssl_bench.metrics.criterion import default_criterion
from medssl_bench.plugin.guarded import make
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from medssl_bench.datasets.budget import Budget
    from medssl_bench.evaluators import Evaluator
    from medssl_bench.plan.stage import Plan
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.store.record import Record
    from medssl_bench.suite.table import Arm, Table

By = Literal["validation", "test", "last", "none"]


@dataclass(frozen=True)
class CellSelection:
    """What the numbers of one arm on one data set are selected by.

    Attributes:
        by: ``validation``; ``test``; ``last``: the last epoch counts; ``none``: the arm has nothing to select.
        labels: how many validation labels that takes; None while it is not known.
        metric: the metric by which the epoch is chosen; None: none is, an evaluator has a rule of its own, or the data
            set cannot be seen.
    """

    by: By = "none"
    labels: int | None = 0
    metric: str | None = None


@dataclass(frozen=True)
class SelectedBy:
    """What the epochs of a comparison are selected by.

    Attributes:
        by: as of `CellSelection`.
        budget: of validation labels.
        numbers: how many validation labels that is on each data set; None while it is not known.
        arms: the arms that select by it, themselves or as a teacher of theirs does.
        others: the arms that have nothing to select, such as nearest neighbours; the majority class is not named.
        metric: the metric that the comparison names for it; None: it names none.
        defaults: the metric by which epochs are chosen where none is named, by data set; of those that can be seen.
        own_rules: the arms with an evaluator that has a rule of its own.
    """

    by: By
    budget: Budget
    numbers: dict[str, int | None]
    arms: tuple[str, ...]
    others: tuple[str, ...]
    metric: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    own_rules: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, table: Table, plan: Plan, registry: Registry, record: Callable[[str], Record | None] = lambda _stage: None
    ) -> SelectedBy:
        """Return what a comparison's epochs are selected by.

        Args:
            table: the comparison.
            plan: its plan.
            registry: where evaluators come from.
            record: gives the record of a finished stage; tells what the data sets alone do not.
        """
        shown = {trial.arm for trial in plan.trials if trial.table == table.id}
        arms = {arm.name: arm for arm in table.arms}
        selecting = {name: _selecting(name, arms, registry) for name in arms if name in shown}
        using = tuple(name for name, evaluators in selecting.items() if evaluators)
        trained = {name for name, arm in arms.items() if make(registry, arm.evaluator).needs != "labels"}
        others = tuple(name for name in arms if name in shown & trained and name not in using)
        budget, by = table.model.validation_labels, table.model.selection
        here = dict.fromkeys(trial.dataset for trial in plan.trials if trial.table == table.id)
        defaults = {name: default_criterion(info.task) for name in here if (info := plan.datasets.get(name))}
        own = frozenset(name for name in using if not all(each.follows_criterion for each in selecting[name]))
        found = cls(by, budget, {}, using, others, table.model.select_by, defaults, own)
        if by != "validation" or budget.unit == "none" or not using:
            by = "last" if by == "validation" and using else by
            return replace(found, by=by if using else "none")
        numbers = {dataset: _number(dataset, table, plan, budget, using, record) for dataset in here}
        none = bool(numbers) and all(number == 0 for number in numbers.values())
        return replace(found, by="last", numbers={}) if none else replace(found, numbers=numbers)

    def cell(self, arm: str, dataset: str) -> CellSelection:
        """Return what the numbers of an arm on a data set are selected by."""
        if arm not in self.arms:
            return CellSelection()
        metric = self.metric or (None if arm in self.own_rules else self.defaults.get(dataset))
        if self.by != "validation":
            return CellSelection(self.by, metric=metric if self.by == "test" else None)
        number = self.numbers.get(dataset)
        return CellSelection("last") if number == 0 else CellSelection("validation", number, metric)

    @property
    def mark(self) -> str:
        """What a reader of the numbers must know of it, in a few words."""
        match self.by:
            case "test":
                return f"SELECTED ON TEST{self._by_metric}: optimistic{self._exceptions}"
            case "last":
                return "last epoch, no validation labels"
            case "none":
                return "no validation labels"
            case "validation":
                return f"epochs selected{self._by_metric} with {self._amount}{self._exceptions}"

    @property
    def own_mark(self) -> str:
        """The same, without the arms that it does not hold of."""
        return replace(self, others=()).mark

    def of_cell(self, arm: str, dataset: str) -> str:
        """Return the same of one arm on one data set."""
        return self.on(dataset) if arm in self.arms else "no validation labels"

    def on(self, dataset: str) -> str:
        """Return the same of the arms that select, on one data set."""
        numbers = {dataset: self.numbers[dataset]} if dataset in self.numbers else {}
        by: By = "last" if self.by == "validation" and self.numbers.get(dataset) == 0 else self.by
        return replace(self, by=by, numbers=numbers, others=()).mark

    def is_like(self, other: SelectedBy) -> bool:
        """Return whether numbers of both can be ranked together: the rule is the same, data sets may differ."""
        return self._rule == other._rule

    def with_data_of(self, other: SelectedBy) -> SelectedBy:
        """Return the same rule for the data sets of both."""
        return replace(self, numbers={**self.numbers, **other.numbers})

    @property
    def _rule(self) -> tuple[object, ...]:
        metric = self.metric if self.by in {"validation", "test"} else None
        return self.by, self.budget, self.others, metric

    @property
    def _by_metric(self) -> str:
        """The metric, where the comparison names one."""
        return f" by {metric_name(self.metric)}" if self.metric else ""

    @property
    def _amount(self) -> str:
        amount = self.budget.text
        known = {dataset: number for dataset, number in self.numbers.items() if number is not None}
        same = set(known.values())
        if self.budget.unit == "all":
            text = "all validation labels"
            if len(same) == 1 and len(known) == len(self.numbers):
                return f"all {same.pop():,} validation labels"
        elif self.budget.unit == "percent":
            text = f"{amount} of the validation labels"
        else:
            text = f"{amount} validation labels"
            if same == {self.budget.amount}:
                return text
        if len(same) == 1 and len(known) == len(self.numbers):
            return f"{text} ({same.pop():,})"
        each = ", ".join(f"{number:,} of {dataset}" for dataset, number in known.items())
        return f"{text} ({each})" if each else text

    @property
    def _exceptions(self) -> str:
        """Which arms it does not hold of, named by the shorter list."""
        if not self.others:
            return ""
        if len(self.others) <= len(self.arms):
            return f" (nothing is selected for {', '.join(self.others)})"
        return f" (for {', '.join(self.arms)} alone)"


def _selecting(name: str, arms: dict[str, Arm], registry: Registry, inside: tuple[str, ...] = ()) -> list[Evaluator]:
    """Return the evaluators that select by validation images: of an arm, and of the teachers of its recipes."""
    if name not in arms or name in inside:
        return []
    evaluator: Evaluator = make(registry, arms[name].evaluator)
    own = [evaluator] if evaluator.chooses_epoch else []
    teachers = [link.recipe.model.teacher for link in arms[name].chain]
    found = [_selecting(teacher.arm, arms, registry, (*inside, name)) for teacher in teachers if teacher]
    return [*own, *(each for evaluators in found for each in evaluators)]


def _number(
    dataset: str,
    table: Table,
    plan: Plan,
    budget: Budget,
    using: tuple[str, ...],
    record: Callable[[str], Record | None],
) -> int | None:
    """Return how many validation labels a budget is of: by the size of the set, else by what results say."""
    info = plan.datasets.get(dataset)
    known = info is not None and (table.folds == 1 or not info.counts["val"])
    if info is not None and known and budget.unit not in {"per_class", "groups"}:
        total = info.counts["val"]
        return total if budget.unit == "count" and budget.amount > total else budget.images(total)
    numbers = set()
    for trial in plan.trials:
        if (trial.table, trial.dataset) == (table.id, dataset) and trial.arm in using:
            found = record(trial.stage)
            number = found.metrics.get("labelled_validation") if found else None
            numbers |= {number} if isinstance(number, int) else set()
    return numbers.pop() if len(numbers) == 1 else None  # folds and draws by group have different numbers
