"""``medssl-bench jobs``: the jobs of a store on clusters, of any run."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import json_option, store_option
from medssl_bench.errors import UserError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from medssl_bench_cluster.engine import Engine, State
    from medssl_bench_cluster.ledger import Handle, Notes


@dataclass(frozen=True)
class _Known:
    """A job, and where it stands."""

    notes: Notes
    job: dict[str, Any]
    handle: Handle | None
    state: State | None

    def to_data(self) -> dict[str, Any]:
        return {
            "unit": self.notes.unit,
            "executor": self.job.get("executor", {}).get("name"),
            "handle": self.handle.handle if self.handle else None,
            "attempt": self.handle.attempt if self.handle else 0,
            "state": self.state.phase if self.state else "unknown",
            "why": self.state.why if self.state else "",
            "stages": len(self.job.get("keys", ())),
            "title": self.job.get("title", ""),
            "log": str(self.notes.log),
        }


@click.command("jobs")
@click.argument("units", nargs=-1, metavar="[UNIT]...")
@store_option
@click.option("--cancel", is_flag=True, help="Let them save checkpoints and end; a second Ctrl-C kills them.")
@json_option
@click.pass_context
def command(context: click.Context, /, units: tuple[str, ...], store: Path, *, cancel: bool, as_json: bool) -> int:
    """Show the jobs that clusters have of STORE, or of these UNITs alone, named by how their names begin.

    A job that is over is one that no run has followed to its end: run the suite again, or cancel the job here.
    """
    from medssl_bench.stopping import stoppable
    from medssl_bench_cluster.ledger import Ledger

    chosen = [notes for notes in Ledger(store).open() if not units or notes.unit.startswith(units)]
    missing = [unit for unit in units if not any(notes.unit.startswith(unit) for notes in chosen)]
    if missing:
        raise UserError(f"{store}: there is no open job of a unit {missing[0]!r}; medssl-bench jobs shows all")
    with stoppable():
        engines = _engines(chosen, context.obj or ())
        known = _look(chosen, engines)
        if cancel:
            return _cancel(known, engines)
    if as_json:
        click.echo(json.dumps([each.to_data() for each in known], indent=1, ensure_ascii=False))
    elif not known:
        click.echo("no open jobs")
    for data in (each.to_data() for each in known) if not as_json else ():
        why = f" ({data['why']})" if data["why"] else ""
        again = f", attempt {data['attempt']}" if data["attempt"] > 1 else ""
        line = f"{data['unit']}  {data['executor']} {data['handle'] or 'not submitted'}{again}  {data['state']}{why}  "
        click.echo(printable(f"{line}{data['stages']} stages: {data['title']}"))
    return 0


def _engines(chosen: Iterable[Notes], block: tuple[str, ...]) -> dict[str, Engine]:
    """Return the engines of the executors that some jobs are with, by name."""
    from medssl_bench.plugin.guarded import make
    from medssl_bench.plugin.manager import load_plugins
    from medssl_bench_cluster.executor import ClusterExecutor

    named = {job["executor"]["name"]: job["executor"] for job in (notes.job() for notes in chosen) if "executor" in job}
    registry = load_plugins(block).registry if named else None
    found = {}
    for name, component in named.items():
        assert registry is not None
        executor: object = make(registry, registry.resolve_or_raise("executor", component))
        if not isinstance(executor, ClusterExecutor):
            raise UserError(f"the executor {name!r} has no engine that could be asked")
        found[name] = executor.engine
        found[name].check()
    return found


def _look(chosen: Iterable[Notes], engines: dict[str, Engine]) -> list[_Known]:
    """Return where jobs stand, by one question to each engine."""
    from medssl_bench_cluster.engine import State, Unreachable

    found = [(notes, notes.job(), notes.handle()) for notes in chosen]
    states: dict[tuple[str, str], State] = {}
    for name, engine in engines.items():
        handles = [handle.handle for _, job, handle in found if handle and job["executor"]["name"] == name]
        with suppress(Unreachable):
            known = engine.states(handles)
            states |= {(name, handle): known.get(handle, State("over")) for handle in handles}
    return [
        _Known(notes, job, handle, states.get((job.get("executor", {}).get("name"), handle.handle)) if handle else None)
        for notes, job, handle in found
    ]


def _cancel(known: list[_Known], engines: dict[str, Engine]) -> int:
    from medssl_bench_cluster.leaving import PATIENCE, cancel_and_wait

    for each in known:
        each.notes.claim()  # so that no worker submits a successor, as one whose time is up does
    all_over = True
    for name, engine in engines.items():
        jobs = [(k.notes, k.handle.handle) for k in known if k.handle and k.job["executor"]["name"] == name]
        all_over &= cancel_and_wait(engine, jobs, PATIENCE)
    for each in known:
        if each.handle is None:
            each.notes.close()
        each.notes.release()
    click.echo(f"{len(known)} cancelled" if all_over else "some jobs have not ended yet: cancel again, or wait")
    return 0 if all_over else 1
