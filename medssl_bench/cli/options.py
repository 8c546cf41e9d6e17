"""Options that several verbs share, and the suite they are about."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from medssl_bench.errors import printable
from medssl_bench.suite.wording import shown

if TYPE_CHECKING:
    from medssl_bench.plugin.manager import Plugins
    from medssl_bench.suite.suite import Suite

_Function = TypeVar("_Function", bound=Callable[..., Any])


_MOST = 10_000
_LARGEST = 2**63 - 1
"""The largest seed or draw, as TOML has it."""


class Numbers(click.ParamType):  # type: ignore[type-arg] # only since click 8.4 can it be given one
    """Whole numbers from 0, as in ``0,1,2`` or ``0-4``."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the numbers."""
        if isinstance(value, tuple):
            return value
        found: list[int] = []
        for part in str(value).split(","):
            first, dash, last = part.strip().partition("-")
            if not first.isdecimal() or (dash and not last.isdecimal()):
                self.fail(f"{value!r} is not a list of whole numbers from 0; write 0,1,2 or 0-4", param, ctx)
            if any(len(text) > len(str(_LARGEST)) or int(text or 0) > _LARGEST for text in (first, last)):
                self.fail(f"{shown(value)} has a number above {_LARGEST:,}", param, ctx)
            numbers = range(int(first), int(last if dash else first) + 1)
            if len(found) + len(numbers[:_MOST]) >= _MOST:
                self.fail(f"{value!r} names {_MOST:,} numbers or more", param, ctx)
            found += numbers
        if not found:
            self.fail(f"{value!r} names no number; write 0,1,2 or 0-4", param, ctx)
        return tuple(dict.fromkeys(found))


suite_argument = click.argument("suite", type=click.Path(path_type=Path))

store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("store"),
    show_default=True,
    envvar="MEDSSL_BENCH_STORE",
    help="Directory of finished stages.",
)

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="MEDSSL_BENCH_DATA",
    help="Folder of data files, downloaded or put there by hand.  [default: in your cache folder]",
)

device_option = click.option(
    "--device", default="auto", show_default=True, help="Where to compute: cpu, cuda, cuda:1, mps or auto."
)

executor_set_option = click.option(
    "--executor-set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the executor; or several, with commas between them.",
)

watch_set_option = click.option(
    "--watch-set",
    "watch_settings",
    multiple=True,
    metavar="NAME.KEY=VALUE",
    help="A parameter of a watcher.",
)

without_copies_option = click.option(
    "--without-copies",
    is_flag=True,
    help="Compute every number without the test images that another part of their data set has too. Tables say so.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def selection_options(function: _Function) -> _Function:
    """Add the options that say which part of a suite is meant, and how it is scaled."""
    for option in (
        click.option(
            "--epochs-scale",
            type=float,
            metavar="F",
            help="Scale every pretraining and fine-tuning by F, up to 1; probes keep their length. Results are marked."
        ),
        click.option("--folds", type=Numbers(), help="Only these folds, such as 0,1, of comparisons that have folds."),
        click.option("--draws", type=Numbers(), help="Label draws, such as 0,1,2 or 0-4, instead of the suite's."),
        click.option("--seeds", type=Numbers(), help="Training seeds, such as 0,1,2 or 0-4, instead of the suite's."),
        click.option(
            "--only", multiple=True, metavar="NAME",
            help="Only this comparison, arm or data set. May be given more than once.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def command_line(context: click.Context, verb: str, suite: Path, options: Sequence[str]) -> str:
    """Return a command on a suite, as a shell takes it, with options that this command was given.

    Args:
        context: of this command.
        verb: of the other command.
        suite: the suite.
        options: the names of those parameters that the other command has too.
    """
    words = ["medssl-bench", verb, str(suite)]
    for option in context.command.params:
        name = option.name or ""
        if name in options and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            value = context.params[name]
            for each in value if option.multiple else [value]:
                words += [option.opts[0], ",".join(map(str, each)) if isinstance(each, tuple) else str(each)]
    return shlex.join(words)


def parse_setting(text: str) -> tuple[str, Any]:
    """Return the key and the value of ``KEY=VALUE``; the value is TOML, or else text.

    Raises:
        click.BadParameter: there is no equals sign.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE")
    found = _as_toml(value)
    return key.strip(), value.strip() if found is None else found


def parse_executor(name: str, settings: Sequence[str]) -> str | dict[str, Any]:
    """Return an executor as suites write components: its name, or a table with texts of ``KEY=VALUE,KEY=VALUE``.

    A comma within a TOML value separates nothing.

    Raises:
        click.BadParameter: as of `parse_setting`.
    """
    found: dict[str, Any] = {"name": name}
    for text in settings:
        is_one = _as_toml(text.partition("=")[2]) is not None
        found |= map(parse_setting, [text] if is_one else re.split(r",(?=\s*\w+\s*=)", text))
    return found if settings else name


def parse_watchers(names: Sequence[str], settings: Sequence[str]) -> list[str | dict[str, Any]]:
    """Return watchers as suites write components: names, or tables with texts of ``NAME.KEY=VALUE``.

    Raises:
        click.BadParameter: as of `parse_setting`, or a text is for none of these watchers.
    """
    found: dict[str, dict[str, Any]] = {name: {"name": name} for name in names}
    for text in settings:
        place, value = parse_setting(text)
        name, _, key = place.rpartition(".")
        if name not in found:
            raise click.BadParameter(f"{text!r} is for none of --watch; write --watch NAME --watch-set NAME.KEY=VALUE")
        found[name][key] = value
    return [name if len(table) == 1 else table for name, table in found.items()]


def _as_toml(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return None


def load_plugins(context: click.Context) -> Plugins:
    """Load the plugins, and warn of the broken ones."""
    from medssl_bench.plugin.manager import load_plugins as load

    plugins = load(context.obj or ())
    for warning in plugins.warnings:
        click.echo(f"warning: {warning}", err=True)
    return plugins


def load_suite(context: click.Context, path: Path) -> Suite:
    """Load a suite, and say which code it makes run before it runs.

    Raises:
        SuiteError: it is not valid.
    """
    from medssl_bench.suite.suite import Suite

    def announce(names: Sequence[str]) -> None:
        named = "named there as a plugin" if len(names) == 1 else "named there as plugins"
        files = printable(", ".join(names))
        click.echo(f"note: {path} runs the code of {files}, {named}", err=True)  # written out at once

    return Suite.load(path, load_plugins(context), announce)
