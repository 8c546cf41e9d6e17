"""An evaluator with settings that validation labels choose: ``tune`` in a suite, for every evaluator alike."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from medssl_bench.evaluators.base import Evaluation, Evaluator, Passes, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.evaluators.candidates import Candidates


class Tuned(Evaluator):
    """Judges a cell by the best of several candidates.

    Each candidate is trained on the labelled images of the cell, and predicts its labelled validation images; of the
    test split it is given nothing. The one that does best there, by the metric that epochs are chosen by, judges the
    cell as it does alone, to the bit.

    Args:
        candidates: the same evaluator with different settings.
        settings: the values of each, by name; JSON-able.

    Raises:
        ValueError: they predict nothing, or get no validation labels.
    """

    def __init__(self, candidates: Sequence[Evaluator], settings: Sequence[Mapping[str, Any]]) -> None:
        first = candidates[0]
        if first.analysis or first.needs == "labels":
            what = "it predicts nothing" if first.analysis else "it gets no validation labels"
            raise ValueError(f"tune: {what}, so nothing can be chosen")
        if len({(each.needs, each.trains_encoder) for each in candidates}) > 1:
            raise ValueError("tune: its settings decide what it needs, so they cannot be chosen")
        self.candidates, self.settings = candidates, settings
        vars(self).update(
            needs=first.needs,
            trains_encoder=first.trains_encoder,
            keeps_head=all(each.keeps_head for each in candidates),
            measures=first.measures,
            uses_seed=any(each.uses_seed for each in candidates),
            uses_unlabelled=any(each.uses_unlabelled for each in candidates),
            follows_criterion=all(each.follows_criterion or not each.chooses_epoch for each in candidates),
        )

    @property
    def needs_validation(self) -> str:
        """That it is tuned."""
        return "tune"

    @property
    def judges_together(self) -> bool:
        """Whether a candidate judges several cells at once."""
        return any(each.judges_together for each in self.candidates)

    def refuses(self, info: DatasetInfo) -> str:
        """Return why one of the candidates cannot judge on a data set, or an empty string."""
        return next(filter(None, (each.refuses(info) for each in self.candidates)), "")

    @property
    def tries_encoder(self) -> bool:
        """Whether a candidate does."""
        return any(each.tries_encoder for each in self.candidates)

    def try_encoder(self, encoder: nn.Module) -> None:
        """Try each candidate on one of its own; errors as of these."""
        for each in self.candidates:
            each.try_encoder(deepcopy(encoder))

    def images_seen(self, train: int) -> int:
        """Return the images of all candidates, and again those of the one that takes most."""
        seen = [each.images_seen(train) for each in self.candidates]
        return sum(seen) + max(seen)

    def passes(self, train: int) -> Passes | None:
        """Return about how all candidates train, one of them twice; plans ask each for itself."""
        found = [passes for each in self.candidates if (passes := each.passes(train)) is not None]
        if not found:
            return None
        epochs = [passes.epochs for passes in found]
        one = found[0]
        return Passes(sum(epochs) + max(epochs), one.batch_size, one.validate_every, one.per_image)

    def evaluate(self, trial: Trial) -> Evaluation:
        """Choose a candidate, and judge the cell by it.

        Raises:
            StageError: there are no labelled validation images, or none can be chosen by the metric.
        """
        return self.evaluate_together([trial])[0]

    def evaluate_together(self, trials: Sequence[Trial]) -> list[Evaluation]:
        """Do so for several cells, each with a choice of its own."""
        from medssl_bench.evaluators.candidates import Candidates

        cells = [Candidates(trial, self.settings) for trial in trials]
        for number, candidate in enumerate(self.candidates):
            waiting = [cell for cell in cells if len(cell.found) == number]
            for cell, found in zip(waiting, _judged(candidate, waiting, number), strict=True):
                cell.note(found, _seen(candidate, found, cell.labelled))
        results: dict[int, Evaluation] = {}
        for number, candidate in enumerate(self.candidates):
            won = [place for place, cell in enumerate(cells) if cell.chosen() == number]
            last = _judged(candidate, [cells[place] for place in won], len(self.candidates))
            for place, found in zip(won, last, strict=True):
                results[place] = found
                found.images_seen = cells[place].images_seen + _seen(candidate, found, cells[place].labelled)
                found.choices["tuning"] = cells[place].told()
        return [results[place] for place in range(len(cells))]


def _judged(candidate: Evaluator, cells: Sequence[Candidates], number: int) -> list[Evaluation]:
    """Return what a candidate finds in cells, from the random state that it has alone."""
    from medssl_bench.randomness import forked, stream

    trials = [cell.trial_of(number) for cell in cells]
    if not trials:
        return []
    with forked(stream("evaluate", seed=trials[0].seed)):
        if candidate.judges_together:
            return list(candidate.evaluate_together(trials))
        return [candidate.evaluate(trial) for trial in trials]


def _seen(candidate: Evaluator, found: Evaluation, train: int) -> int:
    return candidate.images_seen(train) if found.images_seen is None else found.images_seen
