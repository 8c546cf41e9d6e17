"""The floors of a comparison: arms that the harness adds, below which nothing has been learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.suite.initial_weights import is_untrained, without_weights
from medssl_bench.suite.table import Arm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry

FLOOR_NAMES = {"majority": "majority class", "untrained": "untrained encoder"}
"""Names of the floors, by kind."""

EVALUATORS = {"majority": "majority", "untrained": "linear_probe"}
"""Names of their evaluators."""

_PROBES = ("linear_probe", "logistic")
"""Evaluators that the untrained encoder may be judged by."""

_NOT_PRETRAINED = "encoder without pretraining"
"""Name of the floor whose encoder is not known to be untrained."""


def floors_of(
    evaluators: Mapping[str, Component], arms: Sequence[Arm], encoder: Component, registry: Registry
) -> list[Arm]:
    """Return the floors of a comparison; the untrained encoder is judged by the comparison's first probe.

    An encoder that may start from other than random weights, such as that of a plugin, is not called untrained.

    Args:
        evaluators: by kind of floor, as they are without parameters.
        arms: of the comparison.
        encoder: of the comparison; the first pretrained arm's is taken before it.
        registry: where encoders come from.
    """
    probes = [arm.evaluator for arm in arms if arm.evaluator.name in _PROBES]
    pretrained = [arm.encoder for arm in arms if arm.chain]
    plain = without_weights(pretrained[0] if pretrained else encoder, registry)
    floors = []
    for kind, evaluator in evaluators.items():
        is_probed = kind == "untrained"
        name = _NOT_PRETRAINED if is_probed and not is_untrained(plain) else FLOOR_NAMES[kind]
        floors.append(Arm(name, (), probes[0] if is_probed and probes else evaluator, plain, floor=True))
    return floors
