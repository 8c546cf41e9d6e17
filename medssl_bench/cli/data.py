"""``medssl-bench data``: what data sets there are, fetching them, and looking for what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli import completion
from medssl_bench.cli.data_check import check
from medssl_bench.cli.options import data_dir_option, json_option, load_plugins
from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from medssl_bench.datasets import Dataset, DatasetContext
    from medssl_bench.plugin.registry import Registry


@click.group("data")
def command() -> None:
    """List, fetch and check data sets."""


@command.command("list")
@data_dir_option
@json_option
@click.pass_context
def list_(context: click.Context, data_dir: Path | None, *, as_json: bool) -> None:
    """List the data sets that need no parameters: what they are, their licence, and whether their files are here."""
    from medssl_bench.datasets.locations import dataset_context

    where = dataset_context(data_dir)
    rows = list(_rows(load_plugins(context).registry, where))
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    from rich.table import Table

    from medssl_bench.cli.console import standard_output

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("data set", "task", "classes", "channels", "train", "val", "test", "licence", "here"):
        drawn.add_column(column, justify="right" if column in {"classes", "train", "val", "test"} else "left")
    for row in rows:
        counts = [f"{row[split]:,}" for split in ("train", "val", "test")]
        drawn.add_row(
            row["name"], row["task"], str(len(row["classes"])), "RGB" if row["channels"] == 3 else "grey",
            *counts, row["licence"], row["here"],
        )  # fmt: skip
    console = standard_output()
    console.print(drawn)
    console.print(f"\nfolder: {where.data_dir}", highlight=False, markup=False, soft_wrap=True)


@command.command("fetch")
@click.argument("names", nargs=-1, required=True, shell_complete=completion.names("dataset"))
@click.option("--size", type=click.Choice(["28", "64", "128", "224"]), default="28", show_default=True, help="Pixels.")
@data_dir_option
@click.pass_context
def fetch(context: click.Context, names: tuple[str, ...], size: str, data_dir: Path | None) -> None:
    """Download the data sets NAMES, such as bloodmnist; what is here already is only checked."""
    from medssl_bench.datasets.download import Downloadable
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.plugin.guarded import make

    registry = load_plugins(context).registry
    for name in names:
        component = registry.resolve_or_raise("dataset", {"name": name, "size": int(size)})
        dataset = make(registry, component, context=dataset_context(data_dir))
        if not isinstance(dataset, Downloadable):
            raise UserError(f"data set {name!r} is not one that is downloaded")
        click.echo(f"{name}: {dataset.fetch()}")


command.add_command(check)


def _rows(registry: Registry, context: DatasetContext) -> Iterator[dict[str, Any]]:
    from medssl_bench.plan.known_datasets import KnownDatasets
    from medssl_bench.plugin.guarded import make

    for name, entry in registry.entries["dataset"].items():
        try:
            if any(parameter.required for parameter in entry.table.parameters()):
                continue
            component = registry.resolve_or_raise("dataset", name)
            info = KnownDatasets(registry, context).get(component).info
            dataset: Dataset = make(registry, component, context=context)
        except UserError as error:
            click.echo(f"warning: {error}", err=True)
            continue
        if info is not None:
            yield {
                "name": name,
                "title": info.title,
                "task": info.task.value,
                "classes": list(info.classes),
                "channels": info.channels,
                "train": info.counts["train"],
                "val": info.counts["val"],
                "test": info.counts["test"],
                "licence": info.licence,
                "here": _here(dataset),
            }


def _here(dataset: Dataset) -> str:
    from medssl_bench.datasets.download import Downloadable

    if isinstance(dataset, Downloadable):
        return "yes" if dataset.is_present() else "no"
    return "generated"
