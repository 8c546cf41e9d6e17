"""Stages that are faster together: what is found of one's siblings waits here until their turn comes.

Each stays a stage of its own, with its lease, its record and its failure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from medssl_bench.evaluators.base import Evaluation, Evaluator, Trial
from medssl_bench.evaluators.check_evaluation import wrong_with
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.stage import Stage
from medssl_bench.store.store import Store

_MOST = 64
"""Cells that are judged at once."""

_KEPT_BYTES = 2**28
"""Of what waits for its turn; beyond it, the oldest is forgotten, and will be found again."""

Cost = Mapping[str, float]
"""``wall_seconds`` and ``processor_seconds``, as in a record."""
MakeTrial = Callable[[Stage[EvaluateSpec]], Trial]


class Siblings:
    """The evaluations of cells that were judged with another.

    Args:
        store: where finished stages are.
        stages: what the run is to do.
    """

    def __init__(self, store: Store, stages: Sequence[Stage] = ()) -> None:
        self._store = store
        self._stages: list[Stage[EvaluateSpec]] = [
            stage  # type: ignore[misc] # mypy does not narrow a type parameter
            for stage in stages
            if isinstance(stage.spec, EvaluateSpec)
        ]
        self._found: dict[str, tuple[Evaluation, Cost]] = {}
        self._failed: set[str] = set()

    def evaluate(
        self, evaluator: Evaluator, stage: Stage[EvaluateSpec], trial: Trial, make_trial: MakeTrial
    ) -> tuple[Evaluation, Cost]:
        """Judge a cell, and with it those that have the same evaluator and features and are still to be done.

        Args:
            evaluator: of the cell.
            stage: the cell's.
            trial: the cell.
            make_trial: makes the trial of another stage.

        Returns:
            What was found, and what to add to what this stage has cost: its share of what was spent on it in the time
            of another stage, or less than 0, what this one has spent on its siblings.
        """
        if not _judges_together(evaluator):
            return evaluator.evaluate(trial), {}
        if stage.key in self._found:
            return self._found.pop(stage.key)
        others = [] if stage.features in self._failed else self._others(stage)
        if others and self._judge(evaluator, stage.key, trial, others, make_trial):
            own, share = self._found.pop(stage.key)
            return own, {name: -seconds * len(others) for name, seconds in share.items()}
        return evaluator.evaluate(trial), {}

    def forget(self) -> None:
        """Free the memory of what waits for its turn; it will be found again."""
        self._found.clear()

    def is_judged_elsewhere(self, stage: Stage, make_evaluator: Callable[[], Evaluator]) -> bool:
        """Return whether another process works on a sibling of a stage, and so may be judging it too."""
        if not isinstance(stage.spec, EvaluateSpec) or stage.key in self._found:
            return False
        others = (other for other in self._stages if _are_siblings(other, stage))
        return any(self._store.leases.is_held(other.key) for other in others) and _judges_together(make_evaluator())

    def _others(self, stage: Stage) -> list[Stage[EvaluateSpec]]:
        """Return the siblings that are still to be done."""
        found = (
            other
            for other in self._stages
            if _are_siblings(other, stage) and not self._store.is_done(other.key) and not self._is_taken(other.key)
        )
        return list(islice(found, _MOST - 1))

    def _is_taken(self, key: str) -> bool:
        """Return whether a stage has failed, or is worked on in another process."""
        return self._store.failure(key) is not None or self._store.leases.owner(key) is not None

    def _judge(
        self,
        evaluator: Evaluator,
        key: str,
        trial: Trial,
        others: Sequence[Stage[EvaluateSpec]],
        make_trial: MakeTrial,
    ) -> bool:
        """Judge a cell with others; return whether that went well.

        If not, each is judged alone in its turn, so that one bad cell takes no others with it.
        """
        began = _clocks()
        try:
            trials = [trial, *map(make_trial, others)]
            evaluations = list(evaluator.evaluate_together(trials))
            if len(evaluations) != len(trials) or any(wrong_with(found, evaluator) for found in evaluations):
                return False
        except Exception:  # noqa: BLE001 - whichever is to blame fails by itself, with its own message
            self._failed.update(other.features for other in others)
            return False
        share = {name: (now - began[name]) / len(trials) for name, now in _clocks().items()}
        names = [*(other.key for other in others), key]  # its own last, so that it is not forgotten
        evaluations = evaluations[1:] + evaluations[:1]
        self._found |= {name: (found, share) for name, found in zip(names, evaluations, strict=True)}
        while len(self._found) > 1 and sum(_size(found) for found, _ in self._found.values()) > _KEPT_BYTES:
            del self._found[next(iter(self._found))]
        return True


def _judges_together(evaluator: Evaluator) -> bool:
    return evaluator.needs == "features" and evaluator.judges_together


def _are_siblings(other: Stage[EvaluateSpec], stage: Stage) -> bool:
    """Return whether two stages have the same evaluator, data set and features, and differ in something else."""
    if other.key == stage.key or other.parents != stage.parents or not isinstance(stage.spec, EvaluateSpec):
        return False
    return (other.spec.evaluator, other.spec.dataset) == (stage.spec.evaluator, stage.spec.dataset)


def _clocks() -> dict[str, float]:
    """Return wall and processor time, for the cost in a record."""
    return {"wall_seconds": time.perf_counter(), "processor_seconds": time.process_time()}


def _size(found: Evaluation) -> int:
    arrays = [found.scores, found.last_scores, found.val_scores, *found.arrays.values()]
    tensors = [tensor for state in found.weights.values() for tensor in state.values()]
    return sum(array.nbytes for array in (*arrays, *tensors) if array is not None)
