"""A plugin whose methods compare in half precision where a training computes in bfloat16, each in its own place."""

import torch
import torch.nn.functional as F
from torch import nn

from medssl_bench import hookimpl
from medssl_bench.methods import Method, View


class Prototypes(nn.Module):
    """A loss with weights of its own."""

    def __init__(self, dim):
        super().__init__()
        self.layer = nn.Linear(dim, 4, bias=False)

    def forward(self, first, second):
        wanted = (F.normalize(first, dim=1) @ self.layer.weight.T).detach().float().softmax(1)
        return -(wanted * self.layer(second).float().log_softmax(1)).sum(1).mean()


class _Method(Method):
    def __init__(self, encoder, mode):
        super().__init__(encoder)
        self.head = nn.Linear(encoder.dim, 16)
        self.mode = mode
        self.prototypes = Prototypes(16) if mode == "loss-module" else None

    def views(self):
        return View(), View()

    def forward(self, batch, progress):
        rounded = [self.head(self.encoder(view)) for view in batch.views]
        first, second = (F.normalize(each.float(), dim=1) for each in rounded)
        with torch.autocast(first.device.type, enabled=False):
            logits = first @ second.T / 0.07
            wanted = torch.arange(len(logits), device=logits.device)
            loss = F.cross_entropy(logits, wanted)
        top1 = (logits.argmax(1) == wanted).float().mean()
        if self.mode == "similarity":  # of float32 tensors, but autocast rounds the product
            loss = F.cross_entropy(first @ second.T / 0.07, wanted)
        if self.mode == "ranks":
            top1 = ((first @ second.T).argmax(1) == wanted).float().mean()
        if self.mode == "half-ranks":
            top1 = (logits.half().argmax(1) == wanted).float().mean()
        if self.mode == "half-metric":
            top1 = top1.bfloat16()
        if self.mode == "half-loss":
            loss = (rounded[0] - rounded[1]).square().mean()
        if self.mode == "difference":  # float32 in the end, rounded on the way; the power keeps errors from cancelling
            loss = (rounded[0] - rounded[1]).pow(8).float().mean()
        if self.mode == "normalised":
            loss = (F.normalize(rounded[0], dim=1) * F.normalize(rounded[1], dim=1)).float().sum(1).mean()
        if self.mode == "validation" and not self.training:
            loss = F.cross_entropy(first @ second.T / 0.07, wanted)
        if self.mode == "loss-module":
            loss = self.prototypes(*rounded)
        return loss, {"top1": top1.detach()}


def _method(mode):
    def factory(encoder, context):
        """Broken."""
        return _Method(encoder, mode)

    return factory


MODES = (
    "similarity",
    "ranks",
    "half-ranks",
    "half-metric",
    "half-loss",
    "difference",
    "normalised",
    "validation",
    "loss-module",
)


@hookimpl
def medssl_methods(register):
    for mode in MODES:
        register(mode, _method(mode))
