"""Turns a suite into a plan: its trials, and the stages that fill them."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING

from medssl_bench.datasets.fold import Fold
from medssl_bench.encoders.brought_file import is_brought
from medssl_bench.errors import DataError, Problem, SuiteError, UserError
from medssl_bench.key_path import key_text
from medssl_bench.plan.arrange import arrange_retests
from medssl_bench.plan.attribution import attribute
from medssl_bench.plan.cell import Cell
from medssl_bench.plan.chance import Chance
from medssl_bench.plan.checks import CellCheck, Unfit
from medssl_bench.plan.kinds import followers
from medssl_bench.plan.known_datasets import KnownDatasets
from medssl_bench.plan.maker import StageMaker
from medssl_bench.plan.selection import Only, Selection
from medssl_bench.plan.stage import Plan, Trial
from medssl_bench.plan.sweep import mark_sweep
from medssl_bench.suite.analyses_of import is_wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from medssl_bench.datasets import DatasetContext
    from medssl_bench.plan.known_dataset import KnownDataset
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Arm, NamedDataset, Table


_MOST = 20_000
"""Trials of one data set in a comparison; a suite that asks for more has a slip in its seeds or draws."""

_MOST_IN_ALL = 100_000
"""Trials of a suite."""


def build_plan(
    suite: Suite,
    context: DatasetContext,
    selection: Selection | None = None,
    store: Store | None = None,
    datasets: KnownDatasets | None = None,
) -> Plan:
    """Return the plan of a suite, or of the part of it that is selected.

    Args:
        suite: a valid suite.
        context: where data sets keep files; only read, nothing is fetched.
        selection: what to plan; None: everything.
        store: where to look up what was known of data sets that are not here, to show their results; None: they are
            pending.
        datasets: what is known of data sets; None: they are looked at.

    Raises:
        SuiteError: the suite asks for something that its data cannot give.
    """
    known = datasets or KnownDatasets(suite.plugins.registry, context, store)
    return _Builder(suite, known, selection or Selection()).build()


class _Builder:
    def __init__(self, suite: Suite, datasets: KnownDatasets, selection: Selection) -> None:
        self.suite = suite
        self.selection = selection
        self.only = Only(suite, selection.only)
        self.datasets = datasets
        self.plan = Plan(suite.name, selection.epochs_scale or suite.model.epochs_scale)
        self.maker = StageMaker(self.plan, suite.plugins.registry, self.datasets, suite.tables)
        self.problems: dict[Problem, None] = {}

    def build(self) -> Plan:
        parts = []
        if self.selection.folds is not None and all(table.folds == 1 for table in self.suite.tables):
            raise UserError("--folds: no comparison of the suite has folds; write folds = 5, say, in one")
        self._refuse_unlabelled()
        for index, table in enumerate(self.suite.tables):
            checks = []
            for dataset in table.datasets:
                wanted = self.only.wants(table.id, dataset=dataset.label)
                known = self._known(dataset) if wanted else None
                if known is not None:
                    self.plan.datasets[dataset.label] = known.info
                    check = CellCheck(table, self._in_fold(known, table, 0).info)
                    self._note(check.folds(known.info), "comparison", index, "folds")
                    self._check(index, table, check, dataset)
                    parts.append((index, table, dataset, known, check))
                    checks.append((dataset, check))
            self._check_other_images(index, table, checks)
        self._check_number([(index, table, dataset) for index, table, dataset, _, _ in parts])
        for index, table, dataset, known, check in parts:
            for arm, cell in self._cells(table, dataset, known, check):
                self._add(index, arm, cell)
        if self.problems:
            raise SuiteError(self.problems)
        mark_sweep(self.suite, self.plan)
        arrange_retests(self.plan)
        attribute(self.plan, self.suite.tables)
        if self.selection.only and not self.plan.trials:
            only = " --only ".join(map(repr, self.selection.only))
            raise UserError(f"--only {only}: no trial of the suite is all of these")
        return self.plan

    def _refuse_unlabelled(self) -> None:
        """Refuse to evaluate on sets without labels, before images are read.

        Raises:
            SuiteError: a comparison would.
        """
        for table in self.suite.tables:
            for dataset in table.datasets:
                try:
                    labelled = self.datasets.is_labelled(dataset.component)
                except UserError:  # told where the data set is looked at
                    continue
                if not labelled and self.only.wants(table.id, dataset=dataset.label):
                    text = f"{dataset.label!r} has no labels, so no arm can be judged on it; pretrain on it, with"
                    self._note(f'{text} {{ recipe = "...", on = "{dataset.label}" }}', *dataset.key)
        if self.problems:
            raise SuiteError(self.problems)

    def _cells(
        self, table: Table, dataset: NamedDataset, known: KnownDataset, check: CellCheck
    ) -> Iterator[tuple[Arm, Cell]]:
        chances = [Chance(seed, draw, fold) for fold, seed, draw in product(*self._repetitions(table))]
        folds = {chance.fold: self._in_fold(known, table, chance.fold or 0) for chance in chances}
        for labels, arm, chance in product(table.labels, self._arms(table), chances):
            again = chance != chances[0]
            if not check.skips(labels) and not (self.problems and again):  # another draw has the same problems
                yield arm, Cell(table, dataset, folds[chance.fold], labels, chance)

    def _in_fold(self, known: KnownDataset, table: Table, number: int) -> KnownDataset:
        """Return what is known of a data set in a fold of a comparison, or as it is where that has none."""
        return known.in_fold(Fold(number, table.folds)) if table.folds > 1 else known

    def _arms(self, table: Table) -> list[Arm]:
        return self.only.arms_of(table)

    def _repetitions(self, table: Table) -> tuple[Sequence[int | None], Sequence[int], Sequence[int]]:
        """Return the folds, training seeds and label draws of a comparison."""
        seeds, draws = self.selection.seeds or table.seeds, self.selection.draws or table.draws
        return self.selection.folds_of(table), seeds, draws

    def _check_number(self, parts: Sequence[tuple[int, Table, NamedDataset]]) -> None:
        """Refuse more trials than anyone could want, before any is made."""
        total = 0
        for index, table, dataset in parts:
            number = len(table.labels) * len(self._arms(table)) * prod(map(len, self._repetitions(table)))
            total += number
            text = ""
            if number > _MOST:
                text = f"{number:,} trials on {dataset.label!r}; at most {_MOST:,} are possible"
            elif total > _MOST_IN_ALL:
                text = f"{total:,} trials as far as here; a suite may have {_MOST_IN_ALL:,}"
            if text:
                self._note(f"{text}: ask for fewer seeds, draws, folds or labels", "comparison", index)
                raise SuiteError(self.problems)

    def _known(self, dataset: NamedDataset) -> KnownDataset | None:
        try:
            return self.datasets.get(dataset.component)
        except UserError as error:
            self._note(str(error), *dataset.place)
            return None

    def _check(self, index: int, table: Table, check: CellCheck, dataset: NamedDataset) -> None:
        """Note what the table asks of a data set that it cannot give."""
        here = ("comparison", index)
        for place, labels in enumerate(table.labels):
            self._note(check.labels(labels), *here, "labels", place)
        self._note(check.validation_labels(), *here, "validation_labels")
        for place, name in enumerate(table.model.metrics):
            self._note(check.metric(name), *here, "metrics", place)
        self._note(check.criterion(), *here, "select_by")
        registry = self.suite.plugins.registry
        arms = [arm for arm in table.arms if not arm.floor]
        analyses = table.analyses if is_wanted(table.model.analyses_of, dataset=dataset.label) else ()
        for key, components in (("arm", [arm.evaluator for arm in arms]), ("analyses", analyses)):
            for place, component in enumerate(components):
                self._note(check.evaluator(registry, component), *here, key, place)

    def _check_other_images(self, index: int, table: Table, checks: Sequence[tuple[NamedDataset, CellCheck]]) -> None:
        """Note corruptions and other sets that fit none of the data sets of a table; others count where they fit."""
        for place, name in enumerate(table.model.corrupted.ops or () if table.model.corrupted else ()):
            self._note(
                _if_all(check.corruption(name) for _, check in checks), "comparison", index, "corrupted", "ops", place
            )
        for place, other in enumerate(table.test_on):
            if all(dataset.component == other.dataset.component for dataset in table.datasets):
                wrong = (
                    f"{other.dataset.label!r} is the data set that is trained on; tables have its test images already"
                )
                self._note(wrong, "comparison", index, "test_on", place)
                continue
            known = self._known(other.dataset)
            if known is not None:
                self.plan.datasets.setdefault(other.dataset.label, known.info)
                tested = [check for dataset, check in checks if dataset.component != other.dataset.component]
                wrong = _if_all(check.other_set(known.info, other.classes) for check in tested)
                self._note(wrong, "comparison", index, "test_on", place)

    def _note(self, message: str, *key: str | int) -> None:
        if message:
            self.problems[Problem(self.suite.position(key), key_text(key), message)] = None

    def _add(self, index: int, arm: Arm, cell: Cell) -> None:
        try:
            stage = self.maker.evaluate(arm, cell)
        except Unfit as error:
            self._note(str(error), *error.key)
            return
        except UserError as error:
            of_features = isinstance(error, DataError) and is_brought(arm.encoder)
            self._note(str(error), *(self.suite.place_of(arm.encoder) if of_features else ("comparison", index)))
            return
        self.plan.trials.append(
            Trial(
                cell.table.id, arm.name, cell.dataset.label, cell.labels.text, cell.seed, cell.draw, stage.key,
                cell.chance.fold,
            )
        )  # fmt: skip
        for follow in followers():
            follow(self.maker, arm, cell, stage)


def _if_all(messages: Iterable[str]) -> str:
    """Return the first of some messages if none of them is empty; else nothing."""
    found = list(messages)
    return found[0] if found and all(found) else ""
