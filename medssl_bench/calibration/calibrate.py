"""The calibration of this machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from medssl_bench.calibration import stages, training, views
from medssl_bench.calibration.bench import Bench, bench
from medssl_bench.costs.measured import Calibration
from medssl_bench.costs.units import Work
from medssl_bench.plugin.manager import Plugins
from medssl_bench.stages.provenance import device_name
from medssl_bench.training.processor import keep_freed_memory

_Part = Callable[[Bench], Work]


def calibrate(plugins: Plugins, device: torch.device, tell: Callable[[str, Work], None]) -> Calibration:
    """Measure what units of work cost here: well under a minute on two cores.

    Args:
        plugins: whose augmentations are measured too.
        device: where to compute.
        tell: is called with the name of each part and what was found.
    """
    if device.type == "cpu":
        keep_freed_memory()  # as runs do
    costs: Work = {}
    with bench(plugins, device) as on:
        for name, measure in _parts().items():
            found = measure(on)
            costs |= found
            tell(name, found)
    return Calibration.of(device_name(device), torch.get_num_threads(), costs)


def _parts() -> dict[str, _Part]:
    parts: dict[str, _Part] = {}
    for precision in training.PRECISIONS:
        parts[f"pretraining, {precision}"] = partial(training.pretraining, precision=precision)
        parts[f"fine-tuning, {precision}"] = partial(training.fine_tuning, precision=precision)
    return {
        **parts,
        "embedding": training.forward,
        "linear probe": training.probe,
        "choice of an epoch": training.look,
        "augmentations": views.views,
        "stages": stages.stages,
    }
