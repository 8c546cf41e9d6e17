"""The options of `embed` and `export` that select a trained encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medssl_bench.cli.options import data_dir_option, load_suite, store_option, suite_argument
from medssl_bench.errors import StageError, UserError
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.stage import Trial

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.plan.spec import DatasetSpec

_Function = TypeVar("_Function", bound=Callable[..., Any])


def encoder_options(function: _Function) -> _Function:
    """Add the options that choose one trial of a suite, and where results and data are."""
    for option in (
        click.option("--fold", type=int, help="Its fold, if it has folds; none: the first, and the others are listed."),
        click.option("--draw", type=int, help="Its label draw; none: the first, and the others are listed."),
        click.option("--seed", type=int, help="Its training seed; none: the first, and the others are listed."),
        click.option(
            "--labels",
            help="Its label budget as tables write it; none: the first, and the others are listed.",
        ),
        click.option("--dataset", help="The data set; may be left out if the suite has only one."),
        click.option("--table", metavar="ID", help="The comparison; may be left out if the suite has only one."),
        click.option("--arm", required=True, help="Name of the arm whose encoder to use."),
        click.option("--epochs-scale", type=float, metavar="F", help="Scale F of the run, if it was scaled down."),
        data_dir_option,
        store_option,
        suite_argument,
    ):
        function = option(function)
    return function


class TrainedEncoder:
    """An encoder that an arm of a suite ended with.

    Args:
        context: of the command line.
        suite: the suite file.
        store: directory of the store.
        data_dir: folder of data files.
        epochs_scale: of the run that trained it.
        head: whether the classifier is meant too, or the encoder alone.
        wanted: which trial, as of `find_trial`. What is picked where they leave a choice is said.

    Raises:
        UserError: the suite has no such trial, its encoder is untrained, or it has not been run yet.
    """

    def __init__(
        self,
        context: click.Context,
        suite: Path,
        store: Path,
        data_dir: Path | None,
        epochs_scale: float | None,
        *,
        head: bool,
        **wanted: str | int | None,
    ) -> None:
        from medssl_bench.datasets.locations import dataset_context
        from medssl_bench.plan.build import build_plan
        from medssl_bench.plan.known_datasets import KnownDatasets
        from medssl_bench.plan.lookup import encoder_stage, pick_trial
        from medssl_bench.session.api import make_selection
        from medssl_bench.stages.workshop import Workshop
        from medssl_bench.store.store import Store
        from medssl_bench.suite.initial_weights import starts_from_weights
        from medssl_bench.training.device import find_device

        loaded = load_suite(context, suite)
        where = dataset_context(data_dir)
        opened = Store(store)
        plan = build_plan(loaded, where, make_selection(epochs_scale=epochs_scale), opened)
        gives = (lambda trial: trial.stage) if head else (lambda trial: encoder_stage(plan, trial) or "")
        picked = pick_trial(plan, gives, **wanted)
        self.trial: Trial = picked.trial
        if picked.others:
            options = ", ".join(f"--{name}" for name in picked.others)
            click.echo(f"note: picked {picked.text}; choose with {options}", err=True)
        key = encoder_stage(plan, self.trial)
        spec = plan.spec(self.trial.stage, EvaluateSpec).encoder
        if key is None:
            if not (spec and starts_from_weights(spec.component)):
                raise UserError(f"--arm {self.trial.arm!r}: this arm trains no encoder")
            key = self.trial.stage
        if not opened.is_done(key):
            raise UserError(f"{plan.stages[key].title!r} is not in {store} yet; run {suite} first")
        self.key = key
        self.suite = loaded
        self.plan = plan
        self.store = opened
        self.dataset = plan.stages[self.trial.stage].spec.dataset
        self._datasets = KnownDatasets(loaded.plugins.registry, where, opened)
        self.workshop = Workshop(loaded.plugins.registry, opened, where, find_device("auto"))
        try:
            # a stage that left no encoder used the weights that its encoder begins with
            kept = (opened.folder(key) / "encoder.safetensors").is_file()
            self.encoder = (self.workshop.encoder(None, key) if kept else self.workshop.encoder(spec, None)).eval()
        except StageError as error:
            raise UserError(str(error)) from error

    def infos(self) -> dict[str, DatasetInfo | None]:
        """Return what is known of every data set of the plan, by the `key` of its `DatasetSpec`."""
        found: dict[str, DatasetInfo | None] = {}
        for stage in self.plan.stages.values():
            for dataset in stage.spec.datasets:
                if dataset.key not in found:
                    found[dataset.key] = self._info(dataset)
        return found

    def _info(self, dataset: DatasetSpec) -> DatasetInfo | None:
        """Return what is known of a data set; of a fold, what was found when its images were read."""
        from medssl_bench.plan.remembered import recall

        if dataset.fold and (found := recall(dataset.component, self.store, dataset.fold)):
            return found[0]
        known = self._datasets.get(dataset.component)
        return (known.in_fold(dataset.fold) if dataset.fold else known).info
