"""Finds the stage that an arm's encoder comes from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from medssl_bench.errors import UserError, did_you_mean, quoted
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.kinds.pretrain import PretrainSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from medssl_bench.plan.stage import Plan, Trial


def find_trial(plan: Plan, **wanted: str | int | None) -> Trial:
    """Return the first trial of a plan with these properties.

    Args:
        plan: where to look.
        wanted: fields of `Trial`, such as ``arm="frozen"``; None leaves one open, and then the trials that are left
            must have one and the same arm, data set and comparison.

    Raises:
        UserError: there is none, or the choice is left open.
    """
    found = plan.trials
    if not found:
        raise UserError("the suite has no trials: its data sets are too small for every label budget")
    for name, value in wanted.items():
        if value is None:
            continue
        known = list(dict.fromkeys(str(getattr(trial, name)) for trial in found))
        found = [trial for trial in found if str(getattr(trial, name)) == str(value)]
        if not found:
            hint = did_you_mean(str(value), known) or f"; there are: {quoted(known)}"
            raise UserError(f"--{name} {value!r}: the suite has no such trial{hint}")
    for name in ("table", "dataset", "arm"):
        left = list(dict.fromkeys(str(getattr(trial, name)) for trial in found))
        if len(left) > 1:
            raise UserError(f"give --{name}, one of: {quoted(left)}")
    assert {field.name for field in fields(found[0])} >= wanted.keys()
    return found[0]


@dataclass(frozen=True)
class Picked:
    """A trial that was picked among several, and what else there is.

    Attributes:
        trial: the one.
        others: what else could have been asked for, by the option that asks for it: ``labels``, ``seed``, ``draw`` or
            ``fold``.
    """

    trial: Trial
    others: dict[str, list[str]]

    @property
    def text(self) -> str:
        """What was picked, in a line: ``labels 20 (also: 40, all), seed 0 (also: 1)``; empty if there was no choice."""
        picked = {name: str(getattr(self.trial, name)) for name in self.others}
        return ", ".join(f"{name} {picked[name]} (also: {', '.join(also)})" for name, also in self.others.items())


def pick_trial(plan: Plan, gives: Callable[[Trial], str], **wanted: str | int | None) -> Picked:
    """Return the first trial with these properties, and which others give something else.

    Args:
        plan: where to look.
        gives: what is wanted of a trial, such as the key of a stage; trials that give the same need no choice.
        wanted: as of `find_trial`.

    Raises:
        UserError: as of `find_trial`.
    """
    trial = find_trial(plan, **wanted)
    alike = [other for other in plan.trials if _place(other) == _place(trial)]
    others: dict[str, list[str]] = {}
    axes = ("labels", "seed", "draw", "fold")
    for axis in axes:
        if wanted.get(axis) is not None:
            continue
        rest = [name for name in axes if name != axis]
        siblings = [other for other in alike if all(getattr(other, name) == getattr(trial, name) for name in rest)]
        found = [str(getattr(other, axis)) for other in siblings if gives(other) != gives(trial)]
        if found:
            others[axis] = list(dict.fromkeys(found))
    return Picked(trial, others)


def _place(trial: Trial) -> tuple[str, str, str]:
    return trial.table, trial.dataset, trial.arm


def encoder_stage(plan: Plan, trial: Trial) -> str | None:
    """Return the key of the stage whose encoder a trial ends with; None where no stage trained it.

    That is the trial's own stage where it trained the encoder, else the last pretraining of its chain.
    """
    spec = plan.spec(trial.stage, EvaluateSpec)
    return trial.stage if spec.trains_encoder else spec.start


def training_stages(plan: Plan, trial: Trial) -> list[str]:
    """Return the keys of all pretrainings and evaluations that a trial builds on, its own last, in their order.

    They are those that decide the weights of its encoder and of its head: teachers and their pretrainings too.
    """
    found, waiting = {trial.stage}, [trial.stage]
    while waiting:
        new = set(plan.stages[waiting.pop()].parents) - found
        found |= new
        waiting += new
    return [key for key, stage in plan.stages.items() if key in found and stage.spec.trains]


def chain_stages(plan: Plan, trial: Trial) -> list[str]:
    """Return the keys of the pretrainings that a trial's encoder starts from, in the order in which they are done."""
    start = plan.spec(trial.stage, EvaluateSpec).start
    found: list[str] = []
    while start:
        found.insert(0, start)
        start = plan.spec(start, PretrainSpec).start
    return found
