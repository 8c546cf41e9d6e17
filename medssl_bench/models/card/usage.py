"""The Python that loads an exported model with timm alone, and predicts with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets.base import Task
from medssl_bench.models.card.features_code import features_code

if TYPE_CHECKING:
    from medssl_bench.models.card.facts import CardSource


def usage_section(source: CardSource, model: dict[str, Any]) -> str:
    """Return the code, for the folder of the card, and what it takes and gives.

    Args:
        source: what the card is written from.
        model: what is in ``model.json``.
    """
    return "\n".join(
        [
            "## Use",
            "",
            "In this folder:",
            "",
            "```python",
            model["load"],
            "encoder.eval()",
            *(_prediction(source, model) if source.has_head else features_code(model)),
            "```",
            "",
            f"Images are RGB, floats in [0, 1], of {model['size']} pixels as in training; grey images are repeated to",
            f"three channels. They are normalised by mean {model['mean']} and standard deviation {model['std']}.",
            *_seen(model),
            *(_of_files(model["classifier"]["images"]["files"]) if "classifier" in model else []),
        ]
    )


def _of_files(files: dict[str, Any] | None) -> list[str]:
    """Return the command that predicts image files, and how it reads them."""
    if files is None:
        how = ["They were arrays in training: files of another size need `--fit`, files of more bits `--range`."]
    else:
        chosen = {"range": "full", **{n: value for n, value in files["choices"].items() if value is not None}}
        read = ", ".join(f"{name} {json.dumps(value)}" for name, value in chosen.items())
        how = [f"They were files in training, read with {read}: `predict` does the same."]
    return [
        "",
        "To predict image files, in this folder, with medssl-bench:",
        "",
        "    medssl-bench predict . /path/to/images --output predictions.csv",
        "",
        *how,
    ]


def _seen(model: dict[str, Any]) -> list[str]:
    """Return at which size the network sees images, where that is another than that of the data."""
    shown = model.get("input")
    if shown is None:
        return []
    how = f"scaled to them ({shown['interpolation']})" if shown["fit"] == "resize" else "with zeros around them"
    return [f"The network sees them at {shown['size']} pixels, {how}."]


def _prediction(source: CardSource, model: dict[str, Any]) -> list[str]:
    (record,) = [record for record in source.trainings() if record.key == source.trial.stage]
    info = source.dataset(record)
    several = info is not None and info.task is Task.MULTI_LABEL
    scores = "sigmoid()" if several else "softmax(1)"
    what = "of each label" if several else "of the classes"
    return [
        *features_code(model),
        "",
        "",
        "head = load_file('head.safetensors')  # the linear layer on top",
        "",
        "",
        f"def predict(images):  # probabilities {what}, in the order of Data",
        f"    return torch.nn.functional.linear(features(images), head['weight'], head['bias']).{scores}",
    ]
