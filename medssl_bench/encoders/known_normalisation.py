"""Whether it is known how images were normalised when the weights of a file were trained. No torch is imported here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medssl_bench.plugin.component import Component


def unknown_normalisation(encoder: Component) -> str:
    """Return what is wrong if an encoder's file of weights leaves its normalisation open, or an empty string.

    It is known if the suite says it, or if ``model.json`` beside the file does, as `export` and `import` write it, and
    it is what the encoder does: mean 0.5 and standard deviation 0.5.

    Args:
        encoder: any; of one without a file of weights, and of plugins' encoders, nothing is wrong.
    """
    given = encoder.parameters
    if encoder.plugin != "encoders" or not given.get("weights_file") or "normalize" not in given:
        return ""
    if given["normalize"] != "auto" or given.get("mean") is not None:
        return ""
    file = Path(given["weights_file"])
    card = _card(file.with_name("model.json"))
    if card is None:
        return (
            f'{file.name} does not say how images were normalised: write mean and std, or normalize = "imagenet" or '
            f'"half" (0.5 and 0.5)'
        )
    mean, std = card
    if {*mean, *std} == {0.5}:
        return ""
    return f"{file.name} was trained with another normalisation than 0.5 and 0.5: write mean = {mean} and std = {std}"


def _card(file: Path) -> tuple[list[float], list[float]] | None:
    """Return mean and standard deviation that a card says, or None."""
    try:
        card: Any = json.loads(file.read_text("utf-8"))
        return [float(each) for each in card["mean"]], [float(each) for each in card["std"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
