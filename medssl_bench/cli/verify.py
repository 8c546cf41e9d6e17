"""``medssl-bench verify``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medssl_bench.cli.options import data_dir_option, load_plugins, load_suite, store_option
from medssl_bench.errors import printable

if TYPE_CHECKING:
    from medssl_bench.store.record import Record
    from medssl_bench.store.store import Store


@click.command("verify")
@click.argument("record")
@store_option
@data_dir_option
@click.option(
    "--suite", type=click.Path(path_type=Path), help="The suite, if the stage uses one of its inline plugins."
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps or auto.")
@click.option("--anyway", is_flag=True, help="Compare although torch, device or threads are different.")
@click.pass_context
def command(
    context: click.Context,
    /,
    record: str,
    store: Path,
    data_dir: Path | None,
    suite: Path | None,
    device: str,
    *,
    anyway: bool,
) -> int:
    """Compute a finished stage again and compare it with the store; the store is only read.

    RECORD is a content key, or the beginning of one, as `plan --stages` and `store ls` show it, or the path of a
    record.json. The exit status is 0 if all files have the same bytes and all metrics the same values, else 1.
    """
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.errors import StageError, UserError
    from medssl_bench.stages.recompute import recompute, unlike
    from medssl_bench.stages.workshop import Workshop
    from medssl_bench.training.device import find_device, same_bits

    opened, found = _find(record, store)
    plugins = load_suite(context, suite).plugins if suite else load_plugins(context)
    workshop = Workshop(plugins.registry, opened, dataset_context(data_dir), find_device(device))
    others = unlike(found, workshop)
    if others and not anyway:
        raise UserError(f"{found.title}: the same bits are not to be expected ({'; '.join(others)}); --anyway compares")
    click.echo(f"{printable(found.title)}: computed again ...")
    if not found.provenance.get("deterministic"):
        click.echo("note: its record does not promise the same bits")
    with tempfile.TemporaryDirectory(prefix="medssl-bench-") as folder:
        try:
            with same_bits(workshop.device, wanted=bool(found.provenance.get("deterministic"))):
                compared = recompute(found, workshop, Path(folder))
        except StageError as error:
            raise UserError(f"{found.title}: it fails now: {error}") from error
    for name in compared.same:
        click.echo(f"  the same bytes  {printable(name)}")
    for line in compared.different:
        click.echo(f"  DIFFERENT       {printable(line)}")
    click.echo("it is the same to the bit" if not compared.different else f"{len(compared.different)} things differ")
    return 1 if compared.different else 0


def _find(text: str, store: Path) -> tuple[Store, Record]:
    """Return a record, and the store that it is in.

    Raises:
        UserError: there is none, or its stage is damaged.
    """
    from medssl_bench.errors import UserError
    from medssl_bench.store.store import Store

    path = Path(text)
    if path.name == "record.json" and path.is_file():
        folder = path.resolve().parent
        opened, key = Store(folder.parents[2]), folder.name
    else:
        opened = Store(store)
        key = opened.find(text)
    record = opened.record(key)
    if record is None:
        raise UserError(f"{text}: {opened.damage(key) or 'this is no record in a store'}")
    return opened, record
