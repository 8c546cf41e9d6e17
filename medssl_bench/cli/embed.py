"""``medssl-bench embed``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from medssl_bench.cli.trained import encoder_options


@click.command("embed")
@encoder_options
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="An npz file.")
@click.pass_context
def command(context: click.Context, /, output: Path, **chosen: Any) -> None:
    """Write the features that a trained encoder of SUITE gives every image, with the labels.

    The npz file has, for each of train, val and test, `train_features` (N, D) float32 and `train_labels` (N, L).
    """
    import numpy as np

    from medssl_bench.cli.trained import TrainedEncoder
    from medssl_bench.datasets.base import SPLITS
    from medssl_bench.datasets.partial_files import replacing
    from medssl_bench.stages.embed import features

    trained = TrainedEncoder(context, head=False, **chosen)
    data = trained.workshop.dataset(trained.dataset)
    found = features(trained.encoder, data.splits, trained.workshop.device)
    arrays = {f"{name}_features": found[name].numpy() for name in SPLITS}
    arrays |= {f"{name}_labels": data.splits[name].labels for name in SPLITS}
    with replacing(output) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    click.echo(f"{output}: {', '.join(f'{name} {tuple(array.shape)}' for name, array in arrays.items())}")
