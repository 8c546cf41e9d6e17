"""``medssl-bench import``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from medssl_bench.cli.options import load_plugins
from medssl_bench.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.models.checkpoint_normalisation import KnownNormalisation
    from medssl_bench.models.imported import ImportedEncoder
    from medssl_bench.plugin.registry import Registry

_OF_SCRATCH = ("zero_init_last",)
"""Options that decide nothing once there are weights."""

_MOST_PARTS = 6
"""Parts of a checkpoint that are left out and named."""


@click.command("import")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@click.option("--overwrite", is_flag=True, help="Replace a model that is in the folder already.")
@click.option("--prefix", help="Prefix of the names of the encoder's tensors, such as convnet; none: it is searched.")
@click.option(
    "--normalize",
    type=click.Choice(["half", "imagenet"]),
    help="How images were normalised in its training, if you know.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    checkpoint: Path,
    output: Path,
    prefix: str | None,
    normalize: Literal["half", "imagenet"] | None,
    *,
    overwrite: bool,
) -> None:
    """Take the ResNet or the ViT out of CHECKPOINT, for suites to start from.

    CHECKPOINT is a PyTorch Lightning .ckpt, a state dict or a dictionary with one saved by torch.save, or safetensors,
    as many programs write them; or a folder that `export` wrote. It is read without running any code in it; one that
    asks for more is refused. The new folder gets `encoder.safetensors` and `model.json`; the lines for the suite are
    printed.
    """
    from medssl_bench.models.checkpoint import read_encoder
    from medssl_bench.models.checkpoint_export import WEIGHTS, exported_encoder
    from medssl_bench.models.checkpoint_normalisation import normalisation_beside, of_name
    from medssl_bench.models.export import check_output, write_weights

    check_output(output, overwrite=overwrite)
    if (checkpoint / WEIGHTS).is_file():
        checkpoint /= WEIGHTS
    exported = exported_encoder(checkpoint)
    found = exported or read_encoder(checkpoint, prefix)
    known = of_name(normalize) if normalize else normalisation_beside(checkpoint)
    card = {
        "model": found.model,
        "options": found.options,
        "changes": [],
        **({"stem": found.stem} if found.stem != "imagenet" else {}),
        **({"input_size": found.input_size} if found.input_size else {}),
        **found.settings,
        **({"mean": known.mean, "std": known.std} if known else {}),
        "source": checkpoint.name,
        "prefix": found.prefix,
        "hyper_parameters": found.hyper_parameters,
        "left_out": found.left,
        "notes": list(found.notes),
    }
    write_weights(found.weights, card, output, overwrite=overwrite)
    where = f"from the tensors behind {found.prefix!r}; {_left_out(found)}"
    click.echo(f"{output}: {found.model}, {'as export wrote it' if exported else where}")
    for note in found.notes:
        click.echo(f"note: {note}")
    if found.hyper_parameters:
        settings = ", ".join(f"{k} = {v}" for k, v in found.hyper_parameters.items())
        click.echo(f"it was trained with {printable(settings)}")
    if known and known.source:
        click.echo(f"{known.source} says how images were normalised in its training")
    click.echo("for the suite:")
    for line in _lines(found, known, output, load_plugins(context).registry):
        click.echo(line)


def _lines(found: ImportedEncoder, known: KnownNormalisation | None, output: Path, registry: Registry) -> Iterator[str]:
    """Yield the encoder as a suite writes it."""
    yield "[encoder.imported]"
    is_named = found.model in registry.entries["encoder"] and not found.input_size and not found.settings
    options = {name: value for name, value in found.options.items() if not is_named or name not in _OF_SCRATCH}
    if is_named and not options:
        yield f'name = "{found.model}"'
    else:
        yield 'name = "timm"'
        yield f'model = "{found.model}"'
    if found.stem != "imagenet":
        yield f'stem = "{found.stem}"'
    if found.input_size:
        yield f"input_size = {found.input_size}"
    for name, value in found.settings.items():
        yield f"{name} = {json.dumps(value)}"
    if options:
        inside = ", ".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
        yield f"options = {{ {inside} }}"
    place = output / "encoder.safetensors"
    path = json.dumps(place.as_posix(), ensure_ascii=False)  # JSON's strings and numbers are TOML's
    yield f"weights_file = {path}" + ("" if output.is_absolute() else "  # from the suite's folder")
    if known is None:
        yield "# The file does not say how images were normalised in its training, and validate asks for it."
        yield "# Write one of these two lines, or mean and std:"
        yield '# normalize = "imagenet"  # mean and standard deviation of ImageNet'
        yield '# normalize = "half"  # 0.5 and 0.5, as in the code of the thesis'
    elif known.name:
        yield f'normalize = "{known.name}"'
    else:
        yield f"mean = {known.mean}"
        yield f"std = {known.std}"


def _left_out(found: ImportedEncoder) -> str:
    """Return how many tensors are left out, and of what parts."""
    if not found.left:
        return "nothing left out"
    behind = [_part(name, found.prefix) for name in found.left]
    parts = list(dict.fromkeys(behind))
    named = ", ".join(parts[:_MOST_PARTS]) + (", ..." if len(parts) > _MOST_PARTS else "")
    others = "other" if len(found.left) == 1 else "others"
    return f"{len(found.left)} {others} left out ({printable(named)})"


def _part(name: str, prefix: str) -> str:
    """Return the first word of a tensor's name that is not one of the prefix."""
    words = name.split(".")
    for known in prefix.split("."):
        if len(words) > 1 and words[0] == known:
            del words[0]
        else:
            break
    return words[0]
