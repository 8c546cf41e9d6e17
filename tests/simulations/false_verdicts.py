"""How often chance alone is called a difference: three intervals on simulated arms that are equal. Draw it again with

PYTHONPATH=tests python -m simulations.false_verdicts

which takes minutes, and writes ``docs/explanation/false-verdicts.csv`` and ``false-verdicts.svg``.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from simulations.equal_arms import WORLDS, equal_arms

from medssl_bench.statistics.interval import estimate
from medssl_bench.statistics.verdict import ALPHA

FOLDER = Path(__file__).parents[2] / "docs" / "explanation"
NUMBERS = FOLDER / "false-verdicts.csv"
DRAWING = FOLDER / "false-verdicts.svg"

SEEDS = (2, 3, 5, 7, 10)
DRAWS = 3
IMAGES = 400
RUNS = 2000

_Values = NDArray[np.float64]
INTERVALS: dict[str, Callable[[_Values], float]] = {
    "over all values": lambda values: float(stats.ttest_1samp(values.mean(2).ravel(), 0.0).pvalue),
    "over means of seeds": lambda values: float(stats.ttest_1samp(values.mean((1, 2)), 0.0).pvalue),
    "of this page": lambda values: estimate(values).p,
}
"""The p-value of each way to make an interval."""


class Share(NamedTuple):
    """How many of the simulated runs call equal arms different."""

    interval: str
    world: str
    seeds: int
    false: float


def simulate(world: str, seeds: int, runs: int) -> list[Share]:
    """Return the share of false verdicts of each interval, on the same runs."""
    random = np.random.default_rng([ord(world), seeds, DRAWS])
    found = dict.fromkeys(INTERVALS, 0)
    with np.errstate(all="ignore"), warnings.catch_warnings():  # all values may be the same
        warnings.simplefilter("ignore", RuntimeWarning)
        for _ in range(runs):
            values = equal_arms(random, (seeds, DRAWS, IMAGES), WORLDS[world])
            for name, p_value in INTERVALS.items():
                found[name] += p_value(values) < ALPHA
    return [Share(name, world, seeds, count / runs) for name, count in found.items()]


def read() -> list[Share]:
    """Return the shares that the documentation shows."""
    with NUMBERS.open(encoding="utf-8", newline="") as file:
        return [
            Share(row["interval"], row["world"], int(row["seeds"]), float(row["false"])) for row in csv.DictReader(file)
        ]


def draw(shares: list[Share], path: Path) -> None:
    """Draw the least and the largest share of the worlds against the number of seeds."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    from medssl_bench.figures.style import COLUMN, PALETTE

    style: Any = {"svg.hashsalt": "false verdicts", "svg.fonttype": "none", "font.size": 7}
    with mpl.rc_context(style):
        figure = Figure(figsize=(1.6 * COLUMN, COLUMN), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.axhline(100 * ALPHA, color="black", linewidth=0.8, linestyle=":")
        for name, colour in zip(INTERVALS, (PALETTE[3], PALETTE[1], PALETTE[0]), strict=True):
            rows = [[100 * each.false for each in shares if (each.interval, each.seeds) == (name, n)] for n in SEEDS]
            axes.fill_between(SEEDS, [min(row) for row in rows], [max(row) for row in rows], color=colour, alpha=0.25)
            axes.plot(SEEDS, [sum(row) / len(row) for row in rows], color=colour, marker="o", markersize=3, label=name)
        axes.set(xlabel="training seeds", ylabel="equal arms called different, % of runs", xticks=SEEDS, ylim=(0, None))
        axes.legend(frameon=False, title="interval", alignment="left")
        axes.text(SEEDS[-1], 100 * ALPHA + 1.8, "5 % is promised", ha="right")
        figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Simulate, and write both files."""
    shares = [share for world in WORLDS for seeds in SEEDS for share in simulate(world, seeds, RUNS)]
    with NUMBERS.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Share._fields)
        rows.writerows(shares)
    draw(shares, DRAWING)


if __name__ == "__main__":
    main()
