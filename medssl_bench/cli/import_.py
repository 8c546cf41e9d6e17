"""``medssl-bench import``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medssl_bench.cli.options import load_plugins
from medssl_bench.errors import printable

if TYPE_CHECKING:
    from medssl_bench.models.checkpoint import ImportedEncoder

_MOST_PARTS = 6
"""Parts of a checkpoint that are left out and named."""


@click.command("import")
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@click.option("--overwrite", is_flag=True, help="Replace a model that is in the folder already.")
@click.option("--prefix", help="Prefix of the names of the encoder's tensors, such as convnet; none: it is searched.")
@click.pass_context
def command(context: click.Context, /, checkpoint: Path, output: Path, prefix: str | None, *, overwrite: bool) -> None:
    """Take the ResNet out of CHECKPOINT, for suites to start from.

    CHECKPOINT is a PyTorch Lightning .ckpt, a state dict or a dictionary with one saved by torch.save, or safetensors,
    as many programs write them. It is read without running any code in it; one that asks for more is refused. The
    folder gets `encoder.safetensors` and `model.json`; the lines for the suite are printed.
    """
    from medssl_bench.models.checkpoint import read_encoder
    from medssl_bench.models.export import check_output, write_weights

    check_output(output, overwrite=overwrite)
    found = read_encoder(checkpoint, prefix)
    stem = {"stem": found.stem} if found.stem != "imagenet" else {}
    card = {
        "model": found.model,
        "options": {},
        "changes": [],
        **stem,
        "source": checkpoint.name,
        "prefix": found.prefix,
        "hyper_parameters": found.hyper_parameters,
        "left_out": found.left,
        "notes": list(found.notes),
    }
    write_weights(found.weights, card, output, overwrite=overwrite)
    click.echo(f"{output}: {found.model}, from the tensors behind {found.prefix!r}; {_left_out(found)}")
    for note in found.notes:
        click.echo(f"note: {note}")
    if found.hyper_parameters:
        settings = ", ".join(f"{k} = {v}" for k, v in found.hyper_parameters.items())
        click.echo(f"it was trained with {printable(settings)}")
    click.echo("for the suite; the file does not say how images were normalised in its training: half is mean 0.5 and")
    click.echo("standard deviation 0.5, as in the thesis' code; write \"imagenet\" if it was trained with ImageNet's")
    place = json.dumps((output / "encoder.safetensors").as_posix(), ensure_ascii=False)  # JSON's strings are TOML's
    place += "" if output.is_absolute() else "  # from the suite's folder"
    named = found.model in load_plugins(context).registry.entries["encoder"]
    name = f'name = "{found.model}"' if named else f'name = "timm"\nmodel = "{found.model}"'
    settings = "".join(f'{key} = "{value}"\n' for key, value in stem.items())
    click.echo(f'[encoder.imported]\n{name}\n{settings}weights_file = {place}\nnormalize = "half"')


def _left_out(found: ImportedEncoder) -> str:
    """Return how many tensors are left out, and of what parts."""
    if not found.left:
        return "nothing left out"
    behind = [name.removeprefix(found.prefix).partition(".")[0] for name in found.left]
    parts = list(dict.fromkeys(behind))
    named = ", ".join(parts[:_MOST_PARTS]) + (", ..." if len(parts) > _MOST_PARTS else "")
    others = "other" if len(found.left) == 1 else "others"
    return f"{len(found.left)} {others} left out ({printable(named)})"
