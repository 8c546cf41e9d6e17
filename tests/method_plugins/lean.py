"""A method with a copy of its head that the training alone needs, and nothing that the loss trains if it is frozen."""

from __future__ import annotations

from copy import deepcopy

from torch import nn

from medssl_bench import hookimpl
from medssl_bench.methods import Method, View, gauges


@hookimpl
def medssl_methods(register):
    register("lean", lean)


def lean(encoder, context, *, frozen: bool = False, collapses: bool = False):
    """Pulls projections to those of a copy.

    Args:
        frozen: train nothing.
        collapses: report what a collapsed method would.
    """
    method = Lean(encoder, collapses)
    return method.requires_grad_(not frozen)


class Lean(Method):
    discarded = ("copy",)

    def __init__(self, encoder, collapses):
        super().__init__(encoder)
        self.collapses = collapses
        self.head = nn.Linear(encoder.dim, 4)
        self.copy = deepcopy(self.head).requires_grad_(requires_grad=False)

    def views(self):
        return (View(),)

    def forward(self, batch, progress):
        features = self.encoder(batch.views[0])
        found = gauges(features * 0 + 1 if self.collapses else features, training=self.training)
        return (self.head(features) - self.copy(features)).float().square().mean() + features.float().mean(), found
