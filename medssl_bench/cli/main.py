"""The command ``medssl-bench``: its verbs, and how errors are printed."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from typing import TextIO

import click

from medssl_bench.cli.of_plugins import from_where, load, verbs_of_plugins
from medssl_bench.errors import PlainWarning, SuiteError, UserError, printable
from medssl_bench.stopping import Stopped, is_asked
from medssl_bench.surroundings import leave_out_relative_programs

_VERBS = {
    "init": "look at your images, and write a suite for them",
    "run": "run a suite to its leaderboard",
    "plan": "show what is done, what will run, why, and for how long",
    "validate": "check a suite without running it",
    "leaderboard": "show or write the tables of what a store holds",
    "report": "write tables, figures and an explorer into one page",
    "site": "write the results of several suites as web pages",
    "list": "list components, by kind",
    "show": "show a component's parameters and documentation",
    "preview": "draw images and their augmented views",
    "data": "list, fetch and check data sets",
    "encoders": "list public encoders, and fetch their weights",
    "embed": "write the features of a trained encoder",
    "export": "write a trained model with its card, for plain timm",
    "predict": "write what a trained model says of new images",
    "import": "take the encoder out of another program's checkpoint",
    "plugins": "show plugins and what they provide",
    "new-plugin": "write a new, working plugin package",
    "check-plugin": "test every component of a plugin",
    "schema": "print the JSON Schema of suite files, for editors",
    "store": "list, check, clean, export or merge a store",
    "verify": "compute a finished stage again and compare",
    "doctor": "check this machine and this installation",
}


_NoArguments: type[click.UsageError] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What click raises for a command without arguments; before 8.2 it shows the help itself."""

_MOST_LINES = 100
"""How many problems of a suite are printed at once."""


class _Verbs(click.Group):
    """A group that imports a verb's module when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*_VERBS, *(name for name in verbs_of_plugins() if name not in _VERBS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _VERBS:
            point = verbs_of_plugins().get(cmd_name)
            return load(point) if point else None
        module = f"{cmd_name.replace('-', '_')}{'_' if iskeyword(cmd_name) else ''}"
        command: click.Command = import_module(f"medssl_bench.cli.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which verb was meant when there is none of that name."""
        from medssl_bench.errors import did_you_mean

        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            known = self.list_commands(ctx)
            if args[0] not in known:
                ctx.fail(f"there is no command {args[0]!r}{did_you_mean(args[0], known)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))
        others = {name: point for name, point in verbs_of_plugins().items() if name not in _VERBS}
        if others:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, f"of {from_where(point)}") for name, point in others.items()])


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from medssl_bench import __version__

        click.echo(f"medssl-bench {__version__}")
        context.exit()


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with your images: medssl-bench init IMAGES. To check a machine: medssl-bench doctor.",
)
@click.option(
    "-p", "plugin", multiple=True, metavar="no:NAME", help="Leave out the plugin NAME. May be given more than once."
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_context
def cli(context: click.Context, plugin: tuple[str, ...]) -> None:
    """Find out which self-supervised recipe is worth it for your medical images.

    A suite, a TOML file, declares the comparisons; `run` turns it into trained models and a leaderboard, and never
    computes the same thing twice.
    """
    for text in plugin:
        if not text.startswith("no:") or text == "no:":
            raise click.BadParameter(f"{text!r} is not no:NAME", param_hint="-p")
    context.obj = tuple(text.removeprefix("no:") for text in plugin)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - the signature of warnings.showwarning
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Print a warning of this package in one line, and any other with its place."""
    known = issubclass(category, PlainWarning)
    place = "" if known else f"{filename}:{lineno}: {category.__name__}: "
    with suppress(OSError):  # as in Python itself: a closed stderr must not end a run
        click.echo(f"warning: {place}{printable(str(message))}", err=True)


def _invoke() -> object:
    try:
        return cli.main(prog_name="medssl-bench", standalone_mode=False)
    except BaseException as error:
        if is_asked():  # whatever a library has made of it
            raise Stopped from error
        raise


def main() -> None:
    """Run the command line and exit: 0 done, 1 something failed, 2 bad input, 75 asked to stop, 130 interrupted."""
    warnings.showwarning = _show_warning
    leave_out_relative_programs()
    # read when torch is imported: threads that wait must not keep a core busy that another process needs
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if isinstance(sys.stdout, TextIOWrapper):  # where the locale has no letters for a name, it is escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _invoke()
    except click.exceptions.Abort:
        sys.exit(130)
    except _NoArguments as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        verb = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
        hint = f" (see {verb} --help)" if verb else ""
        click.echo(f"error: {printable(error.format_message()).rstrip('.')}{hint}", err=True)
        sys.exit(2)
    except UserError as error:
        lines = list(map(str, error.problems)) if isinstance(error, SuiteError) else [printable(str(error))]
        for line in lines[:_MOST_LINES]:
            click.echo(f"error: {line}", err=True)
        if len(lines) > _MOST_LINES:
            click.echo(f"error: and {len(lines) - _MOST_LINES:,} problems more", err=True)
        sys.exit(2)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:  # a full disk, say, or a folder that may not be written
        click.echo(f"error: {printable(f'{error.filename}: ' if error.filename else '')}{error.strerror}", err=True)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)
