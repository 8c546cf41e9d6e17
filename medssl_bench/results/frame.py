"""The numbers of a leaderboard as a pandas DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.errors import UserError
from medssl_bench.results.records import value_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from medssl_bench.results.records import HasCells

_WHOLE = ("seed", "draw", "fold", "needed_seeds", "needed_draws")
"""Columns of whole numbers that a line may lack."""

_NUMBERS = (
    "value", "mean", "std", "difference", "low", "high", "difference_low", "difference_high", "df", "p", "p_holm",
    "reruns_won", "sd_seed", "sd_draw", "sd_cell", "sd_image", "reference", "scaled",
)  # fmt: skip
"""Columns of other numbers that a line may lack."""


def to_frame(board: HasCells) -> DataFrame:
    """Return one line per value, as `medssl_bench.Leaderboard.to_frame` describes it.

    Raises:
        UserError: pandas is not installed.
    """
    heads, rows = value_lines(board)
    frame = framed(heads, rows)
    numbers = [name for name in _NUMBERS if name in heads]
    return frame.astype({**dict.fromkeys(_WHOLE, "Int64"), **dict.fromkeys(numbers, "float64")})


def framed(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> DataFrame:
    """Return rows as a pandas DataFrame.

    Raises:
        UserError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        message = "to_frame() needs pandas, which is not here; python -m pip install 'medssl-bench[pandas]'"
        raise UserError(message) from error
    return pd.DataFrame(rows, columns=list(heads))
