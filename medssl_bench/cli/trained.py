"""The options of `embed`, `export` and `predict` that select a trial of a suite, and the encoder that it ended with."""

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


def trial_options(function: _Function) -> _Function:
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
        click.option("--epochs-scale", type=float, metavar="F", help="Scale F of the run, if it was scaled down."),
        data_dir_option,
        store_option,
    ):
        function = option(function)
    return function


def encoder_options(function: _Function) -> _Function:
    """Add the suite, its arm, and `trial_options`."""
    function = trial_options(function)
    function = click.option("--arm", required=True, help="Name of the arm whose encoder to use.")(function)
    return suite_argument(function)


class ChosenTrial:
    """A trial of a suite.

    Args:
        context: of the command line.
        suite: the suite file.
        store: directory of the store.
        data_dir: folder of data files.
        epochs_scale: of the run that trained it.
        head: whether the classifier is meant, or the encoder alone.
        device: where to compute.
        wanted: which trial, as of `find_trial`. What is picked where they leave a choice is said.

    Raises:
        UserError: the suite has no such trial.
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
        device: str = "auto",
        **wanted: str | int | None,
    ) -> None:
        from medssl_bench.datasets.locations import dataset_context
        from medssl_bench.plan.build import build_plan
        from medssl_bench.plan.known_datasets import KnownDatasets
        from medssl_bench.plan.lookup import encoder_stage, pick_trial
        from medssl_bench.session.selected import make_selection
        from medssl_bench.stages.workshop import Workshop
        from medssl_bench.store.store import Store
        from medssl_bench.training.device import find_device

        self.suite = load_suite(context, suite)
        where = dataset_context(data_dir)
        self.store = Store(store)
        self.plan = build_plan(self.suite, where, make_selection(epochs_scale=epochs_scale), self.store)
        gives = (lambda trial: trial.stage) if head else (lambda trial: encoder_stage(self.plan, trial) or "")
        picked = pick_trial(self.plan, gives, **wanted)
        self.trial: Trial = picked.trial
        if picked.others:
            options = ", ".join(f"--{name}" for name in picked.others)
            click.echo(f"note: picked {picked.text}; choose with {options}", err=True)
        self.dataset = self.plan.stages[self.trial.stage].spec.dataset
        self.known = KnownDatasets(self.suite.plugins.registry, where, self.store)
        self.workshop = Workshop(self.suite.plugins.registry, self.store, where, find_device(device))
        self._path = suite
        self._is_scaled = epochs_scale is not None

    def require_done(self, key: str) -> None:
        """Raise an error unless a stage is in the store.

        Raises:
            UserError: it is not.
        """
        from medssl_bench.session.api import scales

        if self.store.is_done(key):
            return
        scaled = [] if self._is_scaled else [f"{scale:g}" for scale in scales(self.store)]
        hint = f"; it has results of scaled-down runs: --epochs-scale {' or '.join(scaled)}" if scaled else ""
        title = self.plan.stages[key].title
        raise UserError(f"{title!r} is not in {self.store.path} yet; run {self._path} first{hint}")


class TrainedEncoder(ChosenTrial):
    """An encoder that an arm of a suite ended with; arguments as of `ChosenTrial`.

    Raises:
        UserError: the suite has no such trial, its encoder is untrained, or it has not been run yet.
    """

    def __init__(self, *arguments: Any, head: bool, **wanted: Any) -> None:
        from medssl_bench.plan.lookup import encoder_stage
        from medssl_bench.suite.initial_weights import starts_from_weights

        super().__init__(*arguments, head=head, **wanted)
        key = encoder_stage(self.plan, self.trial)
        spec = self.plan.spec(self.trial.stage, EvaluateSpec).encoder
        if key is None:
            if not (spec and starts_from_weights(spec.component)):
                raise UserError(f"--arm {self.trial.arm!r}: this arm trains no encoder")
            key = self.trial.stage
        self.require_done(key)
        self.key = key
        try:
            # a stage that left no encoder used the weights that its encoder begins with
            kept = (self.store.folder(key) / "encoder.safetensors").is_file()
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
        known = self.known.get(dataset.component)
        return (known.in_fold(dataset.fold) if dataset.fold else known).info
