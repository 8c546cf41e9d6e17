"""``medssl-bench encoders``: what public encoders there are, and fetching their weights beforehand."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import data_dir_option, json_option, load_plugins, load_suite
from medssl_bench.encoders.given_weights import OTHER_LIBRARIES, GivenWeights, given_weights
from medssl_bench.encoders.hub_names import checked_repository
from medssl_bench.encoders.shards import shards_of
from medssl_bench.encoders.timm_names import existing_model
from medssl_bench.errors import StageError, UserError, printable
from medssl_bench.plugin.content import file_digest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from medssl_bench.models.catalogue import PublicEncoder

_COLUMNS = ("model", "encoder", "parameters", "pixels", "licence", "trained on", "here")

_LEAST_FOLDED = 24
"""Columns of a terminal that what a model was trained on has at least; its other lines stand below the first."""


@click.group("encoders")
def command() -> None:
    """List public encoders, and fetch their weights beforehand."""


@command.command("list", short_help="List public encoders: size, licence, what they were trained on.")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@json_option
def list_(patterns: tuple[str, ...], *, as_json: bool) -> None:
    """List public encoders with each PATTERN in their name, such as vit dinov2; without one, the usual ones.

    It asks no network. A licence or a size that is not known stands on the page of the model. `here`: the weights are
    on this machine. `trained on` is what is known, see the parameter trained_on.
    """
    from medssl_bench.models.catalogue import all_encoders, matching_encoders, usual_encoders

    found = matching_encoders(patterns) if patterns else usual_encoders()
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=1, ensure_ascii=False))
        return
    if not found:
        raise UserError(f"no public encoder has {' and '.join(map(repr, patterns))} in its name")
    _print(found)
    if not patterns:
        click.echo(
            f"\nThese are {len(found)} of {len(all_encoders()):,}: give a part of a name. Other models of a hub "
            'that timm loads: model = "hf-hub:ORGANISATION/MODEL".'
        )


def _print(found: Iterable[PublicEncoder]) -> None:
    from rich.cells import cell_len
    from rich.table import Table

    from medssl_bench.cli.console import standard_output

    rows = [_COLUMNS, *map(_row, found)]
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name, texts in zip(_COLUMNS, zip(*rows, strict=True), strict=True):
        widest = max(map(cell_len, texts))
        folds = name == "trained on"
        justify: Literal["left", "right"] = "right" if name in {"parameters", "pixels"} else "left"
        least = min(widest, _LEAST_FOLDED) if folds else widest
        drawn.add_column(name, justify=justify, min_width=least, no_wrap=not folds)
    for row in rows[1:]:
        drawn.add_row(*row)
    console = standard_output()
    # half of a name cannot be copied: the row of a narrow terminal goes on in its next line, and the name is whole
    needed = sum((column.min_width or 0) + sum(drawn.padding[1::2]) for column in drawn.columns)
    console.width = max(console.width, needed)
    console.print(drawn)


def _row(each: PublicEncoder) -> tuple[str, ...]:
    millions = "" if each.parameters is None else f"{each.parameters / 1e6:,.1f} M"
    pixels = "" if each.input_size is None else str(each.input_size)
    data, here = ", ".join(each.trained_on), "yes" if each.is_here else "no"
    return each.name, each.encoder, millions, pixels, each.licence or "see its page", data, here


@command.command("fetch", short_help="Download weights before a run.")
@click.argument("names", nargs=-1, required=True, metavar="NAME... | SUITE")
@click.option(
    "--with",
    "library",
    type=click.Choice(["timm", *OTHER_LIBRARIES]),
    default="timm",
    show_default=True,
    help="The encoder that loads the models NAME.",
)
@click.option("--revision", help="Branch, tag or commit of the repository of the weights.")
@data_dir_option
@click.pass_context
def fetch(
    context: click.Context, /, names: tuple[str, ...], library: str, revision: str | None, data_dir: Path | None
) -> None:
    """Download the weights of models, such as vit_small_patch14_dinov2.lvd142m, or all that a SUITE needs.

    What is here is not fetched again; a download from a hub that was cut off goes on where it was. For each, the file
    and its SHA-256 are printed. Models with a gate need HF_TOKEN in the environment.
    """
    wanted: dict[GivenWeights, None] = {}
    for name in names:
        wanted |= dict.fromkeys(_wanted(context, name, library, revision, data_dir))
    failed = 0
    for each in wanted:
        try:
            file = each.fetch()
        except StageError as error:
            failed += 1
            click.echo(printable(f"error: {error}"), err=True)
            continue
        for part in [file, *shards_of(file)]:
            size, digest = part.stat().st_size, file_digest(part)
            click.echo(printable(f"{each.model}: {part} ({size / 1e6:,.1f} MB, SHA-256 {digest})"))
    if failed:
        context.exit(2)


def _wanted(
    context: click.Context, name: str, library: str, revision: str | None, data_dir: Path | None
) -> list[GivenWeights]:
    """Return the weights that a name, or a suite, asks for.

    Raises:
        UserError: there is no such model, or the suite needs none.
    """
    if name.endswith(".toml"):
        found = [weights for each in _encoders_of(context, Path(name), data_dir) if (weights := given_weights(each))]
        if not found:
            raise UserError(f"{name}: none of its encoders has weights that are downloaded")
        return found
    try:
        (existing_model if library == "timm" else checked_repository)(name)
    except ValueError as error:
        raise UserError(str(error)) from error
    component = load_plugins(context).registry.resolve_or_raise(
        "encoder",
        {"name": library, "model": name, "weights": "pretrained", **({"revision": revision} if revision else {})},
    )
    known = given_weights(component)
    assert isinstance(known, GivenWeights)
    return [known]


def _encoders_of(context: click.Context, suite: Path, data_dir: Path | None) -> list[Any]:
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.plan.build import build_plan
    from medssl_bench.plan.spec import SpecWithEncoder

    plan = build_plan(load_suite(context, suite), dataset_context(data_dir))
    specs = [stage.spec for stage in plan.stages.values()]
    return [spec.encoder.component for spec in specs if isinstance(spec, SpecWithEncoder) and spec.encoder]
