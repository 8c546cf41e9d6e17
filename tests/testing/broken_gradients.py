"""A plugin with methods whose gradients, parameter groups or told work are wrong, each in its own way."""

import torch
from torch import nn

from medssl_bench import hookimpl
from medssl_bench.methods import Method, Passes, View, in_float32


class _Method(Method):
    def __init__(self, encoder, mode):
        super().__init__(encoder)
        self.mode = mode
        self.head = nn.Linear(encoder.dim, 8)
        self.register_buffer("queue", torch.zeros(12, 8))

    def views(self):
        return View(), View()

    def parameter_groups(self, weight_decay):
        if self.mode == "forgotten-head":
            return [{"params": self.encoder.parameters()}]
        encoder = {"params": self.encoder.named_parameters()}  # as pairs, which PyTorch takes too
        head = {"params": self.head.named_parameters(), "constant_lr": True}
        if self.mode == "constant-number":
            head["constant_lr"] = 1e-3
        if self.mode == "misspelt":
            head["constant_lrs"] = True
        return [encoder, head]

    def forward(self, batch, progress):
        first, second = (self.head(self.encoder(view)).float() for view in batch.views)
        queue = self.queue if self.mode == "changed-queue" else self.queue.clone()
        with in_float32(batch.image.device):
            similar = first @ queue.T
        loss = (first - second).square().mean() + similar.square().mean()
        if self.mode == "masked-early":  # from the second step on, as the queue is empty in the first
            known = queue.any(dim=1)
            loss = loss + (similar.masked_fill(known, -torch.inf) * first.mean()).exp().mean()
        if self.training:
            self.queue.copy_(first.detach())
        return loss, {}


def _method(mode):
    def factory(encoder, context):
        """Broken."""
        return _Method(encoder, mode)

    return factory


def _uncountable(parameters, size):
    return Passes(trained=((size, parameters["views"]),))


@hookimpl
def medssl_methods(register):
    for mode in ("forgotten-head", "constant-number", "misspelt", "changed-queue", "masked-early"):
        register(mode, _method(mode))
    register("uncountable", _method("uncountable"), work=_uncountable)
