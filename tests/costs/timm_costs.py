"""Counts what timm's models compute, for plans, which import no torch: `medssl_bench/costs/timm_models.json`.

Of an image with a side of s pixels a model computes about a s^2 + b s^4 multiply-adds: the first part is that of
convolutions and of what is done to each token, the second that of attention between all tokens. Both are found from two
sizes, on torch's meta device. To write the file again, which takes long:

    PYTHONPATH=tests python -m costs.timm_costs medssl_bench/costs/timm_models.json
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers import set_fused_attn
from torch.utils.flop_counter import FlopCounterMode

Entry = tuple[float, float, float, int]
"""Parameters, a, b, and the side of the images that it is made for: 0 if it takes any."""


_FAMILIES = (
    "test_", "vit_tiny", "vit_small", "vit_base", "vit_large", "vit_huge", "vit_giant", "vit_so400m", "convnext",
    "resnet", "densenet", "efficientnet_b", "efficientnetv2", "swin_", "swinv2_", "deit", "eva02", "mobilenetv3",
    "regnety", "beit",
)  # fmt: skip
"""How the names begin of the models that are counted, most wanted first; any other counts as a ResNet-18."""


def entry_of(model: str) -> Entry:
    """Return what a plan knows of a model of timm.

    Raises:
        Exception: it cannot be built, or not counted.
    """
    set_fused_attn(False)  # the counter does not know the processor's fused attention
    config = timm.get_pretrained_cfg(model)
    fixed = bool(config and config.fixed_input_size)
    side = config.input_size[-1] if config else 224
    parameters, first = _counted(model, side, {"img_size": side} if fixed else {})
    try:
        _, second = _counted(model, 2 * side, {"img_size": 2 * side} if fixed else {})
    except Exception:  # noqa: BLE001 - it takes this one size alone
        second = 4 * first
    quadratic = max(0.0, (second - 4 * first) / (12 * side**4))
    if quadratic * side**4 < 1e-3 * first:
        quadratic = 0.0
    linear = first / side**2 - quadratic * side**2
    return _rounded(parameters), _rounded(linear), _rounded(quadratic), side if fixed else 0


def _counted(model: str, side: int, options: dict[str, Any]) -> tuple[float, float]:
    """Return parameters, and the multiply-adds of an image."""
    with torch.device("meta"), warnings.catch_warnings(action="ignore"):
        built = timm.create_model(model, num_classes=0, **options).eval().requires_grad_(False)
        with FlopCounterMode(display=False) as counter:
            built(torch.zeros(1, 3, side, side))
    return sum(each.numel() for each in built.parameters()), counter.get_total_flops() / 2


def _rounded(number: float) -> float:
    return float(f"{number:.4g}")


def main(file: Path) -> None:
    """Write the file; models that are in it already are left as they are."""
    found: dict[str, Entry] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    models = [name for family in _FAMILIES for name in sorted(timm.list_models(f"{family}*"))]
    for number, model in enumerate(models):
        if model in found:
            continue
        try:
            found[model] = entry_of(model)
        except Exception as error:  # noqa: BLE001 - a model that needs more than an image counts as any other
            print(f"{model}: {' '.join(str(error).split())[:100]}", file=sys.stderr)
        if number % 20 == 0 or number == len(models) - 1:
            _write(found, file)
    _write(found, file)


def _write(found: dict[str, Entry], file: Path) -> None:
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(list(entry))}" for name, entry in sorted(found.items()))
    file.write_text(f"{{\n{lines}\n}}\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
