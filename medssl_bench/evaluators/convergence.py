"""How far the training of a probe was from its end.

A logistic regression is convex: what its training loss could still fall to can be found. Where the training loss is far
above that, the probe's accuracy says as much of its short training as of the encoder.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_FAR = 0.25
"""Part of the way from the loss of a constant prediction to the least one that may be left."""

_NOISE = 0.02
"""Part of the loss of a constant prediction that is not worth a word: of labels that nothing can tell, say."""

_ITERATIONS = 100


@dataclass(frozen=True)
class Problem:
    """What a probe is trained on.

    Attributes:
        features: (n, D) float32.
        wanted: (n, C): one-hot classes, or 0 and 1 for each label of a multi-label task.
        shares: (n,) how much each image counts; their sum is 1.
        multi_label: whether each column is a decision of its own; the loss is then the mean over them.
    """

    features: Tensor
    wanted: Tensor
    shares: Tensor
    multi_label: bool

    def loss(self, weight: Tensor, bias: Tensor) -> Tensor:
        """Return the training loss of a linear layer, weight (C, D) and bias (C,)."""
        logits = F.linear(self.features, weight, bias)
        if self.multi_label:
            each = F.binary_cross_entropy_with_logits(logits, self.wanted, reduction="none").mean(dim=1)
        else:
            each = -(logits.log_softmax(dim=1) * self.wanted).sum(dim=1)
        return (each * self.shares).sum()

    def constant_loss(self) -> float:
        """Return the least loss of a prediction that is the same for all images: the entropy of the labels."""
        often = (self.wanted * self.shares[:, None]).sum(dim=0).double().clamp(0, 1)
        entropies = torch.special.entr(often)
        return float((entropies + torch.special.entr(1 - often)).mean() if self.multi_label else entropies.sum())


def loss_gap(problem: Problem, weight: Tensor, bias: Tensor, weight_decay: float) -> float:
    """Return which part of what the training loss can fall, from that of a constant prediction, is left; 0: none.

    The least loss is what 100 iterations of L-BFGS reach from the probe, so the gap is rather too small than too large.
    They are spared where no probe is far from the least loss, as that is not below 0: then the gap is the part of the
    constant prediction's loss that is left.

    Args:
        problem: what it was trained on.
        weight: of the probe after its last epoch, (C, D).
        bias: likewise, (C,).
        weight_decay: of AdamW. It keeps weights within its inverse (Xie and Li 2024): what lies beyond is no aim.
    """
    constant, now = problem.constant_loss(), float(problem.loss(weight, bias))
    if now <= _FAR * constant or constant <= 0:
        return now / constant if constant > 0 else 0.0
    least = min(now, _least(problem, weight, bias, weight_decay))
    if now - least <= _NOISE * constant:
        return 0.0
    return (now - least) / max(constant - least, 1e-12)


def flags(gap: float, selected: int, first_drop: int) -> dict[str, str]:
    """Return the flag of a probe that had not converged.

    Args:
        gap: from `loss_gap`.
        selected: 0-based epoch that counts.
        first_drop: epoch of the first drop of the learning rate. A probe that did best before it had seen its best.
    """
    if gap <= _FAR or selected < first_drop:
        return {}
    way = f"{100 * max(0.0, 1 - gap):.0f} % of the way to its minimum"
    advice = "give it more epochs or a higher learning rate"
    return {
        "probe_not_converged": f"the probe had not converged (its training loss had fallen {way}; {advice})",
    }


def _least(problem: Problem, weight: Tensor, bias: Tensor, weight_decay: float) -> float:
    with torch.enable_grad():
        layer = [weight.clone().requires_grad_(), bias.clone().requires_grad_()]
        optimizer = torch.optim.LBFGS(layer, max_iter=_ITERATIONS, history_size=10, line_search_fn="strong_wolfe")

        def step() -> Tensor:
            optimizer.zero_grad()
            loss = problem.loss(*layer)
            loss.backward()
            return loss

        optimizer.step(step)
    most = 1 / weight_decay if weight_decay > 0 else float("inf")
    return float(problem.loss(*(tensor.detach().clamp(-most, most) for tensor in layer)))
