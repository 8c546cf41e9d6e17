"""``medssl-bench init``."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import data_dir_option, device_option, load_plugins, parse_setting
from medssl_bench.cli.range_option import RangeType
from medssl_bench.errors import DataError, UserError

if TYPE_CHECKING:
    from medssl_bench.starter.begin import Wanted


@click.command("init")
@click.argument("path", metavar="PATH")
@click.option(
    "--unlabelled",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="A folder, .npy or .npz file of images without labels, to pretrain on. May be given more than once.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("suite.toml"),
    show_default=True,
    help="The suite to write; a file that is there is not overwritten.",
)
@click.option(
    "--hours", type=click.FloatRange(min=0, min_open=True), help="Time there is: epochs are chosen to fit it."
)
@click.option("--size", type=click.IntRange(8), default=28, show_default=True, help="Side of the images in pixels.")
@click.option("--image", metavar="COLUMN", help="Of a table: the column with the paths of the images.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), help="Of a table: where its paths start.")
@click.option(
    "--label",
    multiple=True,
    metavar="COLUMN",
    help="Of a table: the column with the classes. Given several times: a column of 0 and 1 for each label.",
)
@click.option(
    "--group",
    metavar="COLUMN|REGEX",
    help="The patient: a column of a table, or what a pattern finds in a path; none: no patients.",
)
@click.option("--split", metavar="COLUMN", help="Of a table: the column with the splits.")
@click.option(
    "--task",
    type=click.Choice(["multi-class", "binary", "ordinal", "multi-label"]),
    help="What the labels mean, where it is not clear.",
)
@click.option(
    "--range",
    "values",
    type=RangeType(),
    metavar="LOW,HIGH",
    help="Values that become black and white, of files of 12 or 16 bits; or full, percentile, window.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other parameter of the data set, as in TOML."
)
@click.option(
    "--look",
    type=click.Choice(["auto", "some", "all"]),
    default="auto",
    show_default=True,
    help="Whether all images are read, to find copies and unreadable files; auto: up to 10,000.",
)
@click.option("--rough", is_flag=True, help="Do not measure this machine for --hours; times are rough.")
@device_option
@data_dir_option
@click.pass_context
def command(
    context: click.Context,
    path: str,
    unlabelled: tuple[Path, ...],
    output: Path,
    hours: float | None,
    size: int,
    image: str | None,
    root: Path | None,
    label: tuple[str, ...],
    group: str | None,
    split: str | None,
    task: str | None,
    values: Any,
    settings: tuple[str, ...],
    look: str,
    rough: bool,
    device: str,
    data_dir: Path | None,
) -> None:
    """Look at your images, and write a suite with comments that runs as it is.

    PATH is what has labels: a folder of class folders, a table (CSV, TSV, JSON Lines, Parquet), an npz file, or the
    name of a data set. Images without labels are named with --unlabelled:

    \b
      medssl-bench init photos/ --hours 8
      medssl-bench init labels.csv --unlabelled archive/ --hours 8

    It says what it has found: classes and counts, sizes, bits, patients, copies. What it cannot know, it does not
    guess: it ends with a line that says what was seen, and which option decides. The suite compares floors, supervised
    learning with and without augmentation, SimCLR, and ImageNet weights. No image is changed or moved.
    """  # noqa: D301 - click reads the backspace
    from medssl_bench.cli.init_text import Told
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.starter.begin import Wanted, begin
    from medssl_bench.starter.columns import Asked

    common: dict[str, Any] = {"size": size}
    common |= {"task": task} if task else {}
    common |= {"range": values} if values is not None else {}
    wanted = Wanted(
        target=path,
        unlabelled=unlabelled,
        output=output,
        hours=hours,
        asked=Asked(image, label, group, split, root),
        common=common,
        settings=dict(map(parse_setting, settings)),
        look=look,
        device=device,
    )
    told = Told()
    try:
        begin(wanted, load_plugins(context), dataset_context(data_dir), told, _calibrated(wanted, context, rough=rough))
    except DataError as error:
        raise UserError(f"{error}{_how(str(error))}") from error


def _calibrated(wanted: Wanted, context: click.Context, *, rough: bool) -> Any:
    """Return what measures this machine, where that is needed and wished."""

    def measure(cache: Path) -> None:
        from medssl_bench.calibration.calibrate import calibrate
        from medssl_bench.plugin.manager import load_plugins as load
        from medssl_bench.training.device import find_device

        click.echo("measuring how fast this machine is, once (under a minute) ...", err=True)
        calibrate(load(context.obj or ()), find_device(wanted.device), lambda *_: None).write(cache)

    return None if rough or wanted.hours is None else measure


def _how(message: str) -> str:
    """Return how what a data set asks for, as a suite would say it, is said to this command."""
    found = re.search(r"\bsay (?:which with )?(\w+) = (\[[^\]]*\]|\{.*?\}(?! \})|\"[^\"]*\"|\w+)", message)
    if found is None or found[1] == "path":
        return ""
    key, value = found.groups()
    if key == "range":
        numbers = re.search(r"range = \[(\S+), (\S+)\]", message)
        return f" (here: {f'--range {numbers[1]},{numbers[2]} or ' if numbers else ''}--range percentile)"
    return f" (here: --set {quote(f'{key}={value}')})"
