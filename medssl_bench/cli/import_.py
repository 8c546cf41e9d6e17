"""``medssl-bench import``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from medssl_bench.cli.options import load_plugins


@click.command("import")
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@click.option("--overwrite", is_flag=True, help="Replace a model that is in the folder already.")
@click.option(
    "--prefix", help="What stands before the names of the encoder's tensors, such as convnet; none: found out."
)
@click.pass_context
def command(context: click.Context, /, checkpoint: Path, output: Path, prefix: str | None, *, overwrite: bool) -> None:
    """Take the ResNet out of CHECKPOINT, for suites to start from.

    CHECKPOINT is a PyTorch Lightning .ckpt, such as the thesis' public code wrote, or a state dict saved with
    torch.save. It is read without running any code in it; one that asks for more is refused. The folder gets
    `encoder.safetensors` and `model.json`; the lines for the suite are printed.
    """
    from medssl_bench.encoders.checkpoint import read_encoder
    from medssl_bench.store.export import check_output, write_weights

    check_output(output, overwrite=overwrite)
    found = read_encoder(checkpoint, prefix)
    card = {
        "model": found.model,
        "options": {},
        "changes": [],
        "source": checkpoint.name,
        "prefix": found.prefix,
        "hyper_parameters": found.hyper_parameters,
        "left_out": found.left,
    }
    write_weights(found.weights, card, output, overwrite=overwrite)
    click.echo(f"{output}: {found.model}, from the tensors behind {found.prefix!r}; {len(found.left)} others left out")
    if found.hyper_parameters:
        click.echo("it was trained with " + ", ".join(f"{k} = {v}" for k, v in found.hyper_parameters.items()))
    click.echo("for the suite, with the normalisation that its training had (half: mean 0.5, standard deviation 0.5):")
    place = json.dumps((output / "encoder.safetensors").as_posix(), ensure_ascii=False)  # JSON's strings are TOML's
    place += "" if output.is_absolute() else "  # from the suite's folder"
    named = found.model in load_plugins(context).registry.entries["encoder"]
    name = f'name = "{found.model}"' if named else f'name = "timm"\nmodel = "{found.model}"'
    click.echo(f'[encoder.imported]\n{name}\nweights_file = {place}\nnormalize = "half"')
