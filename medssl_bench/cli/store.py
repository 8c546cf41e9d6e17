"""``medssl-bench store``: looking at a store, checking, cleaning, taking out of it and merging."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import data_dir_option, json_option, load_suite, selection_options, store_option
from medssl_bench.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from medssl_bench.plan.stage import Plan
    from medssl_bench.store.archive import Study as ArchivedStudy
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite


@click.group("store")
def command() -> None:
    """List, check or clean a store; export a study from it; or merge another store into it."""


def _opened(path: Path) -> Store:
    """Return a store that is there.

    Raises:
        UserError: there is none.
    """
    from medssl_bench.errors import UserError
    from medssl_bench.store.store import Store

    store = Store(path)
    if not (path / "store.json").is_file():
        raise UserError(f"{path}: there is no store here; give another --store")
    return store


@command.command("ls", short_help="List finished, failed, damaged and running stages.")
@store_option
@json_option
def ls(store: Path, *, as_json: bool) -> None:
    """List the stages of a store: finished, failed and running."""
    from medssl_bench.store.contents import contents

    rows = contents(_opened(store))
    if as_json:
        click.echo(json.dumps([vars(row) for row in rows], indent=1, ensure_ascii=False))
        return
    from rich.table import Table
    from rich.text import Text

    from medssl_bench.cli.console import standard_output
    from medssl_bench.progress.words import duration

    styles = {"done": "green", "failed": "red", "damaged": "red"}
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (("key", "left"), ("stage", "left"), ("status", "left"), ("size", "right"), ("time", "right")):
        drawn.add_column(name, justify=justify, no_wrap=name != "stage")  # type: ignore[arg-type]
    for row in rows:
        title = Text(printable(row.title))
        if row.what:
            title.append(f"\n  {printable(row.what)}", style="dim")
        seconds = duration(row.seconds) if row.seconds is not None else ""
        status = Text(row.status, style=styles.get(row.status, "yellow"))
        drawn.add_row(printable(row.key[:12]), title, status, size(row.bytes), seconds)
    console = standard_output()
    console.print(drawn)
    totals = ", ".join(f"{count} {status}" for status, count in Counter(row.status for row in rows).items())
    console.print(f"\n{totals or 'nothing'}; {size(sum(row.bytes for row in rows))}", highlight=False, markup=False)


@command.command("verify", short_help="Read all files and compare them with their checksums.")
@store_option
@click.option("--set-aside", is_flag=True, help="Move damaged stages to damaged/: the next run computes them again.")
def verify(store: Path, *, set_aside: bool) -> int:
    """Compare every finished stage with its checksums; exit status 1 if one is damaged or cannot be read."""
    from medssl_bench.store.audit import audit

    opened, count, wrong, unread = _opened(store), 0, 0, 0
    for finding in audit(opened):
        count += 1
        if finding is None:
            continue
        wrong += finding.is_damage
        unread += not finding.is_damage
        moved = opened.set_aside(finding.key) if set_aside and finding.is_damage else None
        click.echo(printable(f"{finding.key[:12]}: {finding.what}{f'; set aside in {moved}' if moved else ''}"))
    more = f", {unread} that you may not read" if unread else ""
    click.echo(f"{count} finished stages, {wrong} of them not what was written{more}")
    wrong += _verify_descriptions(opened, set_aside=set_aside)
    return 1 if wrong or unread else 0


def _verify_descriptions(store: Store, *, set_aside: bool) -> int:
    """Tell which descriptions of data sets are not what was written, and return how many."""
    from medssl_bench.store.descriptions import descriptions, set_description_aside

    wrong = unsigned = 0
    for file, found in descriptions(store.path):
        if not isinstance(found, str):
            unsigned += not found.signed
            continue
        wrong += 1
        moved = set_description_aside(store.path, file) if set_aside else None
        click.echo(printable(f"datasets/{file.name}: {found}{f'; set aside in {moved}' if moved else ''}"))
    if unsigned:
        text = f"note: {unsigned} descriptions of data sets have no digest, as an older version wrote them; a run where"
        click.echo(f"{text} the data are writes them again", err=True)
    return wrong


@command.command("gc", short_help="Delete stages that none of the named suites needs.")
@click.argument("suites", nargs=-1, type=click.Path(path_type=Path), metavar="[SUITE]...")
@store_option
@data_dir_option
@click.option("--delete", is_flag=True, help="Delete; without this option, only list.")
@click.option(
    "--gone",
    multiple=True,
    metavar="HOST",
    help="No run on HOST, another machine, is alive: a name, or a pattern like 'node*'. May be given more than once.",
)
@click.pass_context
def gc(
    context: click.Context,
    suites: tuple[Path, ...],
    store: Path,
    data_dir: Path | None,
    gone: tuple[str, ...],
    *,
    delete: bool,
) -> None:
    """Delete stages that none of the SUITEs needs, and damaged and left-over files; without SUITE, only the latter.

    Results of scaled-down runs of a SUITE stay. What a running run needs is never deleted, whatever its suite. A run
    on another machine counts as running until you say --gone HOST.
    """
    from medssl_bench.store.garbage import delete as delete_one
    from medssl_bench.store.garbage import find_garbage
    from medssl_bench.store.presence import runs_elsewhere

    opened = _opened(store)
    needed = {key for suite in suites for key in _needed(context, suite, data_dir, opened)} if suites else None
    found = find_garbage(opened, needed, gone)
    for process in runs_elsewhere(opened.path) if suites else ():
        click.echo(
            f"note: what process {process.number} on {process.host} needs stays; if it is no longer alive, say "
            f"--gone {process.host}",
            err=True,
        )
    for item in found:
        click.echo(f"{item.kind:10}  {size(item.bytes):>9}  {printable(item.title)}")
    total = size(sum(item.bytes for item in found))
    if not delete:
        click.echo(
            f"{len(found)} can be deleted, {total}: say --delete to do so" if found else "nothing can be deleted"
        )
        return
    deleted = sum(delete_one(item, opened) for item in found)
    click.echo(f"{deleted} deleted, {total}")


@command.command("export", short_help="Write a study as one file.")
@click.argument("suite", type=click.Path(path_type=Path))
@click.option("-o", "output", required=True, type=click.Path(path_type=Path), help="File to write, as study.tar.gz.")
@store_option
@data_dir_option
@selection_options
@click.pass_context
def export(
    context: click.Context, /, suite: Path, output: Path, store: Path, data_dir: Path | None, **selected: Any
) -> None:
    """Write a study as one file: SUITE, all its finished stages, and what is known of its data; no images.

    Unpack it with tar, or copy it into a store with `store merge`: it gives the same report.
    """
    from medssl_bench.errors import UserError
    from medssl_bench.plan.remembered import remembered_names
    from medssl_bench.store.archive import Study, write_archive
    from medssl_bench.suite.files import source_files

    if output.exists():
        raise UserError(f"-o {output}: this is there already; give another name")
    opened = _opened(store)
    loaded, plan = _plan(context, suite, data_dir, opened, **selected)
    if not any(opened.is_done(key) for key in plan.stages):
        raise UserError(f"{store}: it holds no results of {loaded.name!r}; run it first")
    study = Study(loaded.name, source_files(loaded), list(plan.stages), remembered_names(plan))
    count = write_archive(study, opened, output, readme=_readme(loaded.name, suite.name))
    click.echo(f"{output}: {count} of {len(plan.stages)} stages, {size(output.stat().st_size)}")
    if count < len(plan.stages):
        click.echo(f"note: {len(plan.stages) - count} stages are not finished", err=True)
    for line in _told_places(study, plan):
        click.echo(f"note: {printable(line)}", err=True)


def _told_places(study: ArchivedStudy, plan: Plan) -> Iterator[str]:
    """Yield a line for each place of this machine that an archive shows as it is what was asked for."""
    from medssl_bench.store.places import places_in

    for name, file in study.files.items():
        texts = tomllib.loads(file.read_text("utf-8")) if file.suffix == ".toml" else {}
        for place in dict.fromkeys(places_in(texts)):
            yield f"suite/{name} names a place of this machine, {place!r}, which its readers see"
    for place in dict.fromkeys(place for stage in plan.stages.values() for place in places_in(stage.identity)):
        yield f"{place!r} is in the keys of results, which name it to their readers"


@command.command("merge", short_help="Copy the stages of another store, or of an exported study.")
@click.argument("other", type=click.Path(path_type=Path))
@store_option
def merge(other: Path, store: Path) -> int:
    """Copy the stages of OTHER, a store or a file of `store export`, into this store.

    All files are verified. A good result is never replaced; a damaged one is. Both stores may be in use.
    """
    from medssl_bench.store.archive import opened_archive
    from medssl_bench.store.copying import merge as merge_stores
    from medssl_bench.store.store import Store

    with ExitStack() as stack:
        source = stack.enter_context(opened_archive(other)) if other.is_file() else _opened(other)
        found = merge_stores(source, Store(store))
    for line in (*found.refused, *found.descriptions):
        click.echo(f"not taken: {printable(line)}", err=True)
    click.echo(f"{len(found.taken)} stages taken, {found.kept} were here already, {len(found.refused)} not taken")
    return 1 if found.refused or found.descriptions else 0


def _plan(
    context: click.Context, suite: Path, data_dir: Path | None, store: Store, **selected: Any
) -> tuple[Suite, Plan]:
    """Return a suite and its plan.

    Raises:
        UserError: its data sets were never read, so its stages are unknown.
    """
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.errors import UserError
    from medssl_bench.plan.build import build_plan
    from medssl_bench.session.selected import make_selection

    loaded = load_suite(context, suite)
    plan = build_plan(loaded, dataset_context(data_dir), make_selection(**selected), store)
    pending = [stage.title for stage in plan.stages.values() if stage.pending]
    if pending:
        raise UserError(f"{suite}: the data of {pending[0]!r} were never read, so its stages are unknown")
    return loaded, plan


def _needed(context: click.Context, suite: Path, data_dir: Path | None, store: Store) -> Sequence[str]:
    """Return the keys of all stages of a suite, those of its scaled-down runs too."""
    from medssl_bench.session.api import scales

    plans = [_plan(context, suite, data_dir, store, epochs_scale=scale)[1] for scale in (None, *scales(store))]
    return [key for plan in plans for key in plan.stages]


def size(count: int) -> str:
    """Return a number of bytes as people say it, in powers of ten."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _readme(name: str, file: str) -> str:
    return "\n".join(
        [
            f"# {name}",
            "",
            "A study of medssl-bench. To make its report again:",
            "",
            f"    medssl-bench report {shlex.quote(f'suite/{file}')} --store store -o report",
            "",
        ]
    )
