"""``medssl-bench data check``: copies, leaks, and images that show nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medssl_bench.cli.options import data_dir_option, load_plugins, load_suite, parse_setting
from medssl_bench.errors import UserError, did_you_mean, printable, quoted

if TYPE_CHECKING:
    from medssl_bench.cli.checked_data import Checked
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry


@click.command("check")
@click.argument("target")
@click.option("--dataset", metavar="NAME", help="Only this data set of the suite.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of a data set that is no suite's, as in TOML.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: every pair that was found, for programs.",
)
@click.option(
    "--sheet", type=click.Path(path_type=Path, dir_okay=False), help="Draw the pairs that were found into this PNG."
)
@click.option("--strict", is_flag=True, help="End with status 1 where images leak from one part to another.")
@data_dir_option
@click.pass_context
def check(
    context: click.Context,
    target: str,
    dataset: str | None,
    settings: tuple[str, ...],
    form: str,
    sheet: Path | None,
    strict: bool,
    data_dir: Path | None,
) -> int:
    """Look for what makes numbers on a data set wrong: copies across its splits, and images that show nothing.

    TARGET is a suite (a .toml file), a folder of class folders, an npz file, or the name of a data set, such as
    bloodmnist. Images are read, and nothing is downloaded. It finds images that are in the set twice, turned, mirrored,
    stored again as JPEG, with noise, brighter, or resized, and says which; groups (patients) in two splits; images of
    one value, mostly black, or enlarged; classes that a split lacks. It does not promise to find images that are
    shifted or cropped.
    """
    from medssl_bench.cli.checked_data import checked, drawn, to_json, to_text
    from medssl_bench.datasets.locations import dataset_context

    registry, found = _named(context, target, dataset, dict(map(parse_setting, settings)))
    results: list[Checked] = []
    for label, component in found:
        results.append(checked(label, component, registry, dataset_context(data_dir)))
        if form == "text":
            for line in to_text(results[-1]):
                click.echo(printable(line))
    if form == "json":
        click.echo(json.dumps([to_json(result) for result in results], indent=1, ensure_ascii=False))
    if sheet is not None:
        click.echo(drawn(results, sheet), err=form == "json")
    return int(strict and any(result.audit.leaks for result in results))


def _named(
    context: click.Context, target: str, dataset: str | None, settings: dict[str, object]
) -> tuple[Registry, list[tuple[str, Component]]]:
    """Return the registry, and the data sets that are meant, each with what it is called."""
    from medssl_bench.datasets.table.reading import is_table

    path = Path(target)
    if path.suffix == ".toml":
        if settings:
            raise UserError("--set is for a data set that no suite declares; the suite has its parameters")
        return _of_suite(context, path, dataset)
    if dataset is not None:
        raise UserError(f"--dataset is for a suite, and {target} is none; leave it out")
    registry = load_plugins(context).registry
    written: dict[str, object] = {"name": target, **settings}
    if path.is_dir():
        written = {"name": "folder", "path": str(path), **settings}
    elif path.suffix == ".npz":
        written = {"name": "npz", "path": str(path), **settings}
    elif path.exists() and is_table(path):
        say = "a suite says which columns of a table count"
        raise UserError(f"{target}: {say}; medssl-bench init {target} writes suite.toml, and data check takes that")
    elif path.exists():
        raise UserError(f"{target}: not a suite (.toml), a folder or an npz file; a suite can declare any data set")
    return registry, [(target, registry.resolve_or_raise("dataset", written))]


def _of_suite(context: click.Context, path: Path, dataset: str | None) -> tuple[Registry, list[tuple[str, Component]]]:
    from medssl_bench.plan.selection import Only

    suite = load_suite(context, path)
    found = {named.label: named.component for named in Only(suite, ()).datasets_of(suite)}
    if dataset is not None and dataset not in found:
        hint = did_you_mean(dataset, found) or f"; there are: {quoted(sorted(found))}"
        raise UserError(f"--dataset {dataset!r} is no data set of the suite{hint}")
    wanted = found if dataset is None else {dataset: found[dataset]}
    suite.require_files(list(wanted.values()))
    return suite.plugins.registry, list(wanted.items())
