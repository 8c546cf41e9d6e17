"""A table of a file as columns of text, with the number of each row."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_BLANK = frozenset({"", "nan", "null", "<na>", "n/a", "#n/a"})
"""What programs write where there is nothing; ``None`` and ``NA`` may be names of classes."""

_KINDS = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_PACKED = (".gz", ".bz2", ".xz")


@dataclass(frozen=True)
class Table:
    """Columns of text.

    Attributes:
        path: of the file.
        columns: by name, each with a text for each row; blank ones are empty.
        rows: number of each row as people count them: in CSV and TSV from the first line, which has the names.
    """

    path: Path
    columns: dict[str, list[str]]
    rows: list[int]

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str, option: str) -> list[str]:
        """Return a column.

        Args:
            name: of the column.
            option: the key of the suite that names it, for the message.

        Raises:
            DataError: there is none.
        """
        if name not in self.columns:
            near = did_you_mean(name, self.columns)
            raise DataError(
                f"{self.path}: has no column {name!r} ('{option}'){near}; it has {_listed(list(self.columns))}"
            )
        return self.columns[name]

    def taken(self, places: Sequence[int]) -> Table:
        """Return the table of some of its rows."""
        columns = {name: [texts[place] for place in places] for name, texts in self.columns.items()}
        return Table(self.path, columns, [self.rows[place] for place in places])

    def error(self, place: int, column: str, what: str) -> DataError:
        """Return an error that names file, row and column."""
        return DataError(f"{self.path}: row {self.rows[place]}, column {column!r}: {what}")


def read_table(path: Path, image: str | None) -> Table:
    """Read a table.

    Args:
        path: of the file; its ending says what it is.
        image: a column that it must have, by which a CSV's separator is known: comma, semicolon or tab; None: it is
            the one that gives the most columns.

    Raises:
        DataError: it cannot be read, has a column twice, or no rows.
    """
    kind = _kind(path)
    if kind is None:
        raise DataError(f"{path}: not a table that is read; save it as .csv, .tsv, .jsonl or .parquet")
    if not path.is_file():
        raise DataError(f"{path}: {'not a file' if path.exists() else 'there is no such file'}; correct 'path'")
    try:
        table = {"jsonl": _json_lines, "parquet": _parquet}[kind](path) if kind in {"jsonl", "parquet"} else None
        if table is None:
            table = _separated(path, "\t" if kind == "tsv" else ",", image)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not in UTF-8 (byte {error.start}); save it in UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not len(table):
        raise DataError(f"{path}: has no rows; a table of images needs one for each image")
    return table


def is_table(path: Path) -> bool:
    """Return whether a file is a table that is read, by its ending."""
    return _kind(path) is not None


def _kind(path: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return _KINDS.get(suffixes[-1] if suffixes else "")


def _separated(path: Path, separator: str, image: str | None) -> Table:
    """Read CSV or TSV; a CSV may have semicolons or tabs, if these give the column of the images."""
    cells = _cells(path, separator) if image is not None or separator != "," else _widest(path)
    if separator == "," and image is not None and image not in cells[0]:
        others = (other for other in (";", "\t") if other in ",".join(cells[0]))
        cells = next((found for other in others if image in (found := _cells(path, other))[0]), cells)
    names, body = [name.strip() for name in cells[0]], cells[1:]
    if twice := [name for name, number in Counter(names).items() if number > 1]:
        raise DataError(f"{path}: has the column {twice[0]!r} twice; rename one")
    places = [place for place, row in enumerate(body) if any(row)]  # blank lines are no rows
    columns = {name: [_text(body[place][at]) for place in places] for at, name in enumerate(names)}
    return Table(path, columns, [place + 2 for place in places])


def _widest(path: Path) -> list[list[str]]:
    """Read a CSV with the separator that gives the most columns."""
    found: list[list[list[str]]] = []
    problem: DataError | None = None
    for separator in (",", ";", "\t"):
        try:
            found.append(_cells(path, separator))
        except DataError as error:
            problem = problem or error
    if not found:
        assert problem is not None
        raise problem
    return max(found, key=lambda cells: len(cells[0]))


def _cells(path: Path, separator: str) -> list[list[str]]:
    import pandas as pd

    try:
        frame = pd.read_csv(
            path,
            sep=separator,
            header=None,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            encoding="utf-8-sig",
            skipinitialspace=True,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path}: {_line(error)}; correct that line") from error
    cells: list[list[str]] = frame.to_numpy(dtype=object).tolist()
    return cells


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
    return text[:1].lower() + text[1:]


def _json_lines(path: Path) -> Table:
    import pandas as pd

    with pd.io.common.get_handle(path, "r", encoding="utf-8-sig", compression="infer") as handle:
        lines = handle.handle.read().split("\n")
    rows, found = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{path}: row {number}: not JSON ({error}); a line of .jsonl is an object") from None
        if not isinstance(row, dict):
            raise DataError(f"{path}: row {number}: not an object, as {{...}} is")
        rows.append(number)
        found.append(row)
    names = dict.fromkeys(name for row in found for name in row)
    columns = {
        name: [_value(path, at, name, row.get(name)) for at, row in zip(rows, found, strict=True)] for name in names
    }
    return Table(path, columns, rows)


def _parquet(path: Path) -> Table:
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise DataError(f'{path}: Parquet is read with pyarrow: pip install "medssl-bench[parquet]"') from None
    except Exception as error:  # pyarrow has errors of many kinds
        raise DataError(f"{path}: not a Parquet file, or a damaged one ({_line(error)[:120]})") from error
    frame = frame.astype(object).where(frame.notna(), None)  # pandas has several kinds of nothing
    rows = list(range(1, len(frame) + 1))
    columns = {
        str(name): [_value(path, at, str(name), value) for at, value in zip(rows, frame[name], strict=True)]
        for name in frame.columns
    }
    return Table(path, columns, rows)


def _value(path: Path, row: int, column: str, value: Any) -> str:
    """Return a value of JSON or Parquet as the text that a CSV would have; whole numbers have no point."""
    if value is None:
        return ""
    if isinstance(value, list | dict | set | tuple) or bool(getattr(value, "shape", None)):
        raise DataError(
            f"{path}: row {row}, column {column!r}: holds a list or an object; a cell holds text or a number"
        )
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _text(str(value))


def _text(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return "" if text.casefold() in _BLANK else text


def _listed(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
