"""Finds what the names of a suite mean: components, recipes, arms; every name that means nothing is a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.brought_file import is_brought
from medssl_bench.errors import SuiteError, UserError, did_you_mean, quoted
from medssl_bench.key_path import key_text
from medssl_bench.metrics.criterion import find_criterion
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.guarded import make
from medssl_bench.suite.aliases import ALIASED
from medssl_bench.suite.analyses_of import unknown
from medssl_bench.suite.columns import Columns, columns_of, refuses_criterion
from medssl_bench.suite.component_resolver import ComponentResolver, Key, Unresolved, label_of
from medssl_bench.suite.floors import EVALUATORS, FLOOR_NAMES, floors_of
from medssl_bench.suite.shown_arms import misnamed
from medssl_bench.suite.table import Arm, Link, NamedDataset, OtherSet, Recipe, Table
from medssl_bench.suite.teachers import unknown_teachers
from medssl_bench.suite.tested_again import other_set, problems_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from medssl_bench.metrics.criterion import Criterion
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.published.claims import Claims
    from medssl_bench.suite import schema
    from medssl_bench.suite.positions import Node


class Resolver(ComponentResolver):
    """Resolves one suite; arguments as of `ComponentResolver`."""

    def __init__(self, model: schema.SuiteModel, root: Node, registry: Registry, base: Path) -> None:
        super().__init__(model, root, registry, base)
        self.called: dict[str, tuple[Component, Key]] = {}
        self.recipes: dict[str, Recipe | None] = {}

    def tables(self) -> tuple[Table, ...]:
        """Return the comparisons.

        Raises:
            SuiteError: with every problem that was found.
        """
        for kind in ALIASED:
            for alias in getattr(self.model, kind):
                self.attempt(self.resolved, kind, alias, (kind, alias))
        for place, name in enumerate(self.model.claims):
            try:
                claims: Claims = make(self.registry, self.registry.resolve_or_raise("claims", name))
                self.registry.find("reference", claims.reference)
            except UserError as error:
                self.fail(("claims", place), str(error))
        for name in self.model.pretraining:
            self.recipes[name] = self.attempt(self._recipe, name)
        for key, message in unknown_teachers(self.model):
            self.fail(key, message)
        self.unique([table.id for table in self.model.comparison], ("comparison",), "id")
        tables = [self.attempt(self._table, index) for index in range(len(self.model.comparison))]
        for name in ("seeds", "draws"):
            self.unique([str(number) for number in getattr(self.model, name)], (name,))
        if self.problems:
            # the variants of a swept recipe have the same problem at the same place
            found = {(p.position, p.key.rpartition(".")[2], p.message): p for p in reversed(self.problems)}
            raise SuiteError(reversed(found.values()))
        return tuple(table for table in tables if table is not None)

    def _recipe(self, name: str) -> Recipe:
        model = self.model.pretraining[name]
        key = ("pretraining", name)
        found = {
            kind: self.attempt(self.resolved, kind, getattr(model, kind), (*key, kind))
            for kind in ("method", "encoder", "augmentation")
        }
        for kind, default in (("optimizer", "adamw"), ("schedule", "cosine")):
            value = getattr(model, kind)
            if isinstance(value, dict) and "name" not in value:
                value = {"name": default, **value}
            found[kind] = self.attempt(self.resolved, kind, value, (*key, kind))
        if found["optimizer"] is not None and not _has_rate(found["optimizer"]):
            message = f"optimizer {found['optimizer'].name!r}: `lr` is not a number above 0"
            raise self.fail((*key, "optimizer"), message)
        if None in found.values():
            raise Unresolved
        return Recipe(name, model, **found)

    def _table(self, index: int) -> Table:
        model = self.model.comparison[index]
        key = ("comparison", index)
        self._check_lists(model, key)
        datasets = [
            self.attempt(self._dataset, value, (*key, "datasets", place)) for place, value in enumerate(model.datasets)
        ]
        labels = [dataset.label if dataset else None for dataset in datasets]
        self.unique(labels, (*key, "datasets"), hint="; a [dataset.NAME] table gives one a name of its own")
        encoder = self.attempt(self.resolved, "encoder", model.encoder, (*key, "encoder"))
        self.unique([arm.name for arm in model.arm], (*key, "arm"), "name")
        arms = [self.attempt(self._arm, arm, encoder, (*key, "arm", place)) for place, arm in enumerate(model.arm)]
        analyses = [
            self.attempt(self._analysis, value, (*key, "analyses", place)) for place, value in enumerate(model.analyses)
        ]
        test_on = self._test_on(model, key)
        known = [arm for arm in arms if arm is not None]
        floors = self._floors(model, known, encoder, (*key, "floors")) if encoder is not None else []
        self._check_names(model, key, [floor.name for floor in floors])
        if None in (*datasets, encoder, *arms, *analyses):
            raise Unresolved
        folds = self._number_of_folds(model)
        if folds > 1 and any(is_brought(arm.encoder) for arm in known):
            self.fail((*key, "arm"), "features from a file are of the data set's own splits, and not of its folds")
        columns = self._columns(model, [*floors, *arms], (*key, "metrics"))
        self._check_validation(model, arms, key)
        criterion = self._criterion(model, [*floors, *arms], columns, (*key, "select_by"))
        self._check_analyses_of(model, [*floors, *arms], labels, (*key, "analyses_of"))
        return Table(
            model=model.model_copy(update={"metrics": list(columns.metrics)}),
            datasets=tuple(datasets),
            arms=(*floors, *arms),
            analyses=tuple(analyses),
            seeds=tuple(model.seeds or self.model.seeds),
            draws=tuple(model.draws or self.model.draws),
            folds=folds,
            metrics=columns.metrics,
            not_measured=columns.not_measured,
            criterion=criterion,
            test_on=test_on,
        )

    def _test_on(self, model: schema.Comparison, key: Key) -> tuple[OtherSet, ...]:
        """Return the other sets that classifiers are tested on; note what is wrong with that, or with corruptions."""
        for place, message in problems_of(model):
            self.fail((*key, *place), message)
        if model.corrupted:
            self.unique(model.corrupted.ops or (), (*key, "corrupted", "ops"))
            self.unique([str(number) for number in model.corrupted.severities], (*key, "corrupted", "severities"))
        wheres = [(*key, "test_on", place, "dataset") for place in range(len(model.test_on))]
        found = [
            self.attempt(self._dataset, item.dataset, where) for item, where in zip(model.test_on, wheres, strict=True)
        ]
        self.unique([dataset.label if dataset else None for dataset in found], (*key, "test_on"))
        return tuple(other_set(item, dataset) for item, dataset in zip(model.test_on, found, strict=True) if dataset)

    def _columns(self, model: schema.Comparison, arms: Sequence[Arm], key: Key) -> Columns:
        built = {arm.name: (arm.evaluator.name, self.built(arm.evaluator, key)) for arm in arms}
        named: list[str | Component | None] = [
            value if isinstance(value, str) else self.attempt(self.resolved, "metric", value, (*key, place))
            for place, value in enumerate(model.metrics)
        ]
        labels = [label_of(value) for value in model.metrics]
        self.unique(labels, key)
        columns = columns_of(dict(zip(labels, named, strict=True)), built, self.registry)
        for label, message in columns.problems:
            self.fail(key if label is None else (*key, labels.index(label)), message)
        return columns

    def _criterion(self, model: schema.Comparison, arms: Sequence[Arm], columns: Columns, key: Key) -> Criterion | None:
        """Return the metric by which epochs are chosen, if the suite names one; note why it cannot be that."""
        if model.select_by is None:
            return None
        built = {arm.name: (arm.evaluator.name, self.built(arm.evaluator, key)) for arm in arms}
        if wrong := refuses_criterion(built):
            self.fail(key, wrong)
        try:
            return find_criterion(model.select_by, self.registry, columns.own)
        except UserError as error:
            self.fail(key, str(error))
            return None

    def _check_validation(self, model: schema.Comparison, arms: Sequence[Arm | None], key: Key) -> None:
        """Note every arm that chooses by validation labels, and not an epoch alone, where a comparison has none."""
        if model.selection == "validation" and model.validation_labels.unit != "none":
            return
        why = "validation_labels = 0" if model.selection == "validation" else f'selection = "{model.selection}"'
        for place, arm in enumerate(arms):
            where = (*key, "arm", place, "evaluator")
            if arm is not None and arm.variant_of:
                message = f"variants of {arm.variant_of!r} need labelled validation images to be chosen by"
                self.fail((*key, "arm", place), f"{message}, and the comparison has {why}")
            if arm is not None and (what := self.built(arm.evaluator, where).needs_validation):
                message = f"{what} needs labelled validation images to choose by, and the comparison has {why}"
                self.fail((*where, what), f"{message}; leave {what} out, or choose by validation images")

    def _number_of_folds(self, model: schema.Comparison) -> int:
        return self.model.folds if model.folds is None else model.folds

    def _check_lists(self, model: schema.Comparison, key: Key) -> None:
        self.unique([budget.text for budget in model.labels], (*key, "labels"))
        for name in ("seeds", "draws"):
            self.unique([str(number) for number in getattr(model, name) or ()], (*key, name))

    def _check_analyses_of(
        self, model: schema.Comparison, arms: Sequence[Arm], datasets: Sequence[str | None], key: Key
    ) -> None:
        """Note what is to be analysed and is not there, or is no encoder."""
        known: dict[str, Sequence[Any]] = {
            "arms": [arm.name for arm in arms],
            "datasets": [name for name in datasets if name is not None],
            "labels": [budget.text for budget in model.labels],
            "seeds": model.seeds or self.model.seeds,
            "draws": model.draws or self.model.draws,
            "folds": range(self._number_of_folds(model)) if self._number_of_folds(model) > 1 else (),
        }
        for where, message in unknown(model.analyses_of, known):
            self.fail((*key, *where), message)
        for place, name in enumerate(model.analyses_of.arms or ()):
            for arm in arms:
                if arm.name == name and self.built(arm.evaluator, key).needs == "labels":
                    self.fail((*key, "arms", place), f"{name!r} has no encoder that could be analysed")

    def _check_names(self, model: schema.Comparison, key: Key, floors: list[str]) -> None:
        floors = floors or [FLOOR_NAMES[floor] for floor in self._floor_kinds(model)]
        for place, message in misnamed(model, floors):
            self.fail((*key, *place), message)
        if model.reference is not None:
            plugin, _, table = model.reference.partition(":")
            try:
                make(self.registry, self.registry.resolve_or_raise("reference", plugin), table=table)
            except UserError as error:
                self.fail((*key, "reference"), str(error))

    def _dataset(self, value: Any, key: Key) -> NamedDataset:
        component = self.resolved("dataset", value, key)
        label = label_of(value)
        first, place = self.called.setdefault(label, (component, key))
        if first != component:  # tables, titles and --only name data sets by their labels
            message = f"{label!r} is another data set at {key_text(place)}; give each a [dataset.NAME] table of its own"
            raise self.fail(key, message)
        own = isinstance(value, str) and self.aliases.has("dataset", value)
        return NamedDataset(label, component, key, ("dataset", value) if own else key)

    def _arm(self, model: schema.Arm, encoder: Component | None, key: Key) -> Arm:
        chain = [self._link(link, (*key, "pretraining", place)) for place, link in enumerate(model.pretraining)]
        evaluator = self.resolved("evaluator", model.evaluator, (*key, "evaluator"))
        if self.built(evaluator, (*key, "evaluator")).analysis:
            raise self.fail(
                (*key, "evaluator"),
                f"{evaluator.name!r} describes an encoder and predicts nothing; put it under the comparison's analyses",
            )
        if chain and model.encoder is not None:
            raise self.fail((*key, "encoder"), "the encoder of an arm with pretraining is that of its first recipe")
        if model.encoder is not None:
            encoder = self.resolved("encoder", model.encoder, (*key, "encoder"))
        if chain:
            encoder = chain[0].recipe.encoder
        if encoder is None:
            raise Unresolved
        if is_brought(encoder) and (chain or self.built(evaluator, (*key, "evaluator")).needs == "encoder"):
            place, what = ("pretraining", "pretrained") if chain else ("evaluator", "fine-tuned")
            raise self.fail((*key, place), f"features from a file cannot be {what}; they can be probed")
        return Arm(model.name, tuple(chain), evaluator, encoder, variant_of=model.variant_of or "")

    def _link(self, link: schema.ChainLink, key: Key) -> Link:
        if link.recipe not in self.recipes:
            known = list(self.recipes)
            hint = did_you_mean(link.recipe, known) or f"; the recipes are {quoted(known) or 'none'}"
            raise self.fail(key, f"there is no [pretraining.{link.recipe}]{hint}")
        recipe = self.recipes[link.recipe]
        on = self._sources(link.on, (*key, "on"))
        if recipe is None:
            raise Unresolved
        return Link(recipe, on)

    def _sources(self, value: Any, key: Key) -> tuple[NamedDataset, ...]:
        """Return the data sets that an arm pretrains on; none where it names none."""
        if value is None:
            return ()
        if not isinstance(value, list):
            return (self._dataset(value, key),)
        found = [self.attempt(self._dataset, item, (*key, place)) for place, item in enumerate(value)]
        self.unique([dataset.label if dataset else None for dataset in found], key)
        if None in found:
            raise Unresolved
        return tuple(found)

    def _analysis(self, value: Any, key: Key) -> Component:
        component = self.resolved("evaluator", value, key)
        if not self.built(component, key).analysis:
            raise self.fail(
                key, f"{component.name!r} gives a classifier; it can be an arm's evaluator, not an analysis"
            )
        return component

    def _floor_kinds(self, model: schema.Comparison) -> Sequence[str]:
        return self.model.floors if model.floors is None else model.floors

    def _floors(self, model: schema.Comparison, arms: list[Arm], encoder: Component, key: Key) -> list[Arm]:
        evaluators = {
            kind: self.resolved("evaluator", EVALUATORS[kind], key) for kind in dict.fromkeys(self._floor_kinds(model))
        }
        return floors_of(evaluators, arms, encoder, self.registry)


def _has_rate(optimizer: Component) -> bool:
    """Return whether an optimiser's learning rate, which the schedule changes, is a number above 0."""
    rate = optimizer.parameters["lr"]
    return isinstance(rate, int | float) and rate > 0
