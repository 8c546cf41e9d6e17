"""``medssl-bench export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from medssl_bench.cli.trained import encoder_options


@click.command("export")
@encoder_options
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@click.pass_context
def command(context: click.Context, /, output: Path, **chosen: Any) -> None:
    """Write a trained encoder of SUITE in a form that plain timm loads.

    The folder gets `encoder.safetensors`, weights under timm's own names, and `model.json`: timm's model name and
    options, the normalisation of the input, where the weights come from, and the lines that load them.
    """
    from medssl_bench.cli.trained import TrainedEncoder
    from medssl_bench.errors import UserError
    from medssl_bench.store.export import export_encoder

    if output.exists():
        raise UserError(f"-o {output}: this is there already; give the name of a new folder")
    trained = TrainedEncoder(context, **chosen)
    card = export_encoder(trained.encoder, trained.key, trained.store, output)
    click.echo(f"{output}: {card['model']}, {card['dim']} features")
    click.echo(card["load"])
