"""The units that work is counted in, and roughly what each costs. Importing this module imports no torch.

Work is a number of units by name, as in ``{"pretrain image:float32": 35840, "pretrain step:float32": 280}``. It takes
the sum of these numbers times the seconds of each. A name may have a variant after a colon; an unmeasured
variant costs what the name alone costs.

An *image* is of 28 pixels and goes through a ResNet-18. Of other images through other encoders there are as many as
they have times the arithmetic, and of a *step* as many as they have times the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

Work = dict[str, float]

ROUGH: Mapping[str, float] = {
    "start": 4.0,
    "stage": 0.01,
    "encoder made": 0.1,
    "encoder kept": 0.13,
    "pretrain image": 1.8e-3,
    "pretrain image:bfloat16": 1.0e-3,
    "pretrain step": 0.04,
    "finetune image": 0.7e-3,
    "finetune image:bfloat16": 0.4e-3,
    "finetune step": 0.04,
    "forward image": 0.25e-3,
    "view": 0.045e-3,
    "op": 0.01e-3,
    "look": 2e-3,
    "looked-at image": 1e-6,
    "probe epoch": 0.2e-3,
    "probe step": 0.2e-3,
    "analysis": 1.0,
    "analysis:embedding": 10.0,
}
"""Seconds of each unit on two processor cores; used until this machine is calibrated.

``start`` is that of a run: a process that imports torch. ``stage`` is the overhead of every stage. ``encoder
made`` and ``encoder kept`` are an encoder built and one written. ``pretrain image`` has two views, which are made for
``view`` each, or for the sum of the ``op`` of a list. ``forward image`` is in evaluation mode. ``look`` is one
validation pass, without the part of the encoder."""


def seconds(work: Mapping[str, float], costs: Mapping[str, float]) -> float:
    """Return how long work takes.

    Args:
        work: numbers of units.
        costs: seconds of each unit; what is not there costs what `ROUGH` says.
    """
    return sum(number * cost_of(unit, costs) for unit, number in work.items())


def cost_of(unit: str, costs: Mapping[str, float]) -> float:
    """Return the seconds of one unit: as measured; of the same name without its variant; or else roughly.

    Raises:
        KeyError: there is no such unit.
    """
    name = unit.partition(":")[0]
    for known in (costs, ROUGH):
        for each in (unit, name):
            if each in known:
                return known[each]
    raise KeyError(unit)
