"""``python -m benchmarks``: measure this machine, and write what was found as Markdown."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import torch

from benchmarks.machine import machine
from benchmarks.parts import PARTS
from benchmarks.tables import table


@click.command(help=__doc__)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--only", multiple=True, type=click.Choice(list(PARTS)), help="A part to run, once or more; all of them by default."
)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Turns that every arm gets.")
@click.option("--steps", type=click.IntRange(1), help="Training steps of a turn.  [default: 10; on a GPU 100]")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("benchmark.md"), show_default=True)
def main(device: str, only: tuple[str, ...], rounds: int, steps: int | None, output: Path) -> None:
    """Run the parts, and keep what is finished if one is interrupted."""
    if device == "cuda" and not torch.cuda.is_available():
        raise click.BadParameter("there is no CUDA device here", param_hint="--device")
    if not output.parent.is_dir():
        raise click.BadParameter(f"there is no folder {output.parent}", param_hint="--output")
    about = table(["", ""], [[name, value] for name, value in machine(device).items()])
    sections = [
        f"# Benchmark of {datetime.now(UTC):%Y-%m-%d}",
        f"Medians over {rounds} round{'s' if rounds > 1 else ''}.",
        about,
    ]
    for name in only or PARTS:
        click.echo(f"{name} ...", err=True)
        sections.append(PARTS[name](device, rounds, steps or (100 if device == "cuda" else 10)))
        output.write_text("\n\n".join(sections) + "\n", "utf-8")
    click.echo(output.read_text("utf-8"))
    click.echo(f"written to {output}", err=True)


if __name__ == "__main__":
    main()
