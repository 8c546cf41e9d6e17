"""Nearest neighbours among the features of the labelled images: no training, nothing to choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Trial
from medssl_bench.evaluators.ranges import Count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class NearestNeighbours(Evaluator):
    """Nearest neighbours by cosine similarity of the features: no training, nothing to choose (Wu et al. 2018).

    Args:
        k: number of neighbours; all labelled images where there are fewer.
        weighting: whether a neighbour counts 1, or exp(similarity / temperature).
        temperature: of the weights.
    """

    needs: ClassVar[Needs] = "features"
    uses_seed: ClassVar[bool] = False
    uses_validation: ClassVar[bool] = False

    k: Count = 20
    weighting: Literal["uniform", "similarity"] = "similarity"
    temperature: Annotated[float, Field(gt=0)] = 0.07

    def evaluate(self, trial: Trial) -> Evaluation:
        """Let the neighbours of each test image, and of each labelled validation image, vote."""
        import torch
        import torch.nn.functional as F

        from medssl_bench.datasets import Task

        assert trial.features is not None
        labels = torch.from_numpy(trial.splits["train"].labels[trial.train]).to(trial.device)
        votes = labels.float()
        if trial.info.task is not Task.MULTI_LABEL:
            votes = F.one_hot(labels[:, 0], len(trial.info.classes)).float()
        bank = F.normalize(trial.features["train"][trial.train].to(trial.device), dim=1)
        val = self._scores(trial.features["val"][trial.val], bank, votes) if len(trial.val) else None
        return Evaluation(scores=self._scores(trial.features["test"], bank, votes), val_scores=val)

    def _scores(self, images: Tensor, bank: Tensor, votes: Tensor) -> NDArray[np.float32]:
        """Return the votes for images with features (N, D), of the labelled ones with normalised features (M, D)."""
        import torch
        import torch.nn.functional as F

        scores = []
        for queries in images.split(1024):
            similarity = F.normalize(queries.to(bank.device), dim=1) @ bank.T
            nearest, places = similarity.topk(min(self.k, len(bank)), dim=1)
            weights = torch.ones_like(nearest)
            if self.weighting == "similarity":
                weights = (nearest / self.temperature).softmax(dim=1)  # the same shares, at any temperature
            counted = (weights[:, :, None] * votes[places]).sum(dim=1)
            scores.append(counted / weights.sum(dim=1, keepdim=True))
        found: NDArray[np.float32] = torch.cat(scores).cpu().numpy()
        return found
