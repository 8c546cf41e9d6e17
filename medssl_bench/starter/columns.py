"""Which columns of a table are the image, the label, the patient and the split, as far as the table shows it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from medssl_bench.datasets.folder.names import split_named
from medssl_bench.errors import UserError, printable
from medssl_bench.starter.image_column import ImageColumn, find_image_column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from medssl_bench.datasets.table.reading import Table


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LABEL_WORDS = _words_of(
    "label labels class classes category target diagnosis dx disease finding findings grade stage y gt truth outcome "
    "type celltype result"
)
_GROUP_WORDS = (
    _words_of("patient patients patientid subject subjects participant person individual donor animal mouse pid mrn"),
    _words_of("case cases group groups slide specimen study"),
)
"""Words in the names of columns whose values belong to one person; the second are looked at where there is no first."""

NO_GROUP = "none"
"""What a user says in place of a column that looks like patients, and is none."""

_NO_GROUP = (
    "groups: no column is named as a patient; where one patient has several images, --group COLUMN keeps them in one "
    "split"
)

_FEW_VALUES = 30
"""Most different texts of a column of classes."""

_BINARY = frozenset({"", "0", "1", "-1", "0.0", "1.0", "-1.0", "true", "false", "True", "False"})


@dataclass(frozen=True)
class Asked:
    """What the user says of a table; None or nothing where it is left to the table."""

    image: str | None = None
    label: tuple[str, ...] = ()
    group: str | None = None
    split: str | None = None
    root: Path | None = None


@dataclass(frozen=True)
class Columns:
    """The columns of a table.

    Attributes:
        image: where the paths are.
        label: column of classes, or columns of a multi-label set.
        group: column of the patient, or None.
        split: column of the split, or None.
        lines: what was seen, and which option decides, for people.
    """

    image: ImageColumn
    label: str | tuple[str, ...]
    group: str | None
    split: str | None
    lines: tuple[str, ...]


def find_columns(table: Table, asked: Asked) -> Columns:
    """Return which columns mean what.

    Args:
        table: all its rows.
        asked: what the user says.

    Raises:
        UserError: it is not clear; the message says what was seen, and which option decides.
    """
    for option, names in (("--label", asked.label), ("--split", (asked.split,))):
        for name in names:
            if name is not None:
                _require(table, name, option)
    _refuse_shared(table, asked)
    image, image_lines = find_image_column(table, asked.image, asked.root)
    taken = {image.name, *asked.label, asked.group, asked.split}
    split, split_lines = _split(table, asked.split, taken)
    group, group_lines = _group(table, asked.group, taken | {split})
    label, label_lines = _label(table, asked.label, taken | {split, group})
    return Columns(image, label, group, split, (*image_lines, *label_lines, *group_lines, *split_lines))


def _require(table: Table, name: str, option: str) -> None:
    if name not in table.columns:
        raise UserError(f"{table.path}: has no column {name!r} ({option}); it has {_listed(list(table.columns))}")


def _refuse_shared(table: Table, asked: Asked) -> None:
    """Refuse a column that is asked for as two things, which would fail only where splits are drawn."""
    options = {"--label": asked.label, "--group": (asked.group,), "--split": (asked.split,)}
    first: dict[str, str] = {}
    for option, name in ((option, name) for option, names in options.items() for name in names if name is not None):
        if name in first:
            twice = "names it twice" if first[name] == option else f"and {first[name]} both name it; each needs its own"
            raise UserError(f"{table.path}: column {name!r}: {option} {twice}")
        first[name] = option


def _split(table: Table, asked: str | None, taken: set[str | None]) -> tuple[str | None, list[str]]:
    """Return the column of the splits: all its values are names of splits, training among them."""
    if asked is not None:
        return asked, [f"split: column {asked!r}"]
    found = []
    for name, texts in table.columns.items():
        splits = {split_named(text) for text in set(texts)} if name not in taken and len(set(texts)) <= 12 else set()
        if "train" in splits and len(splits) > 1 and None not in splits:
            found.append(name)
    if len(found) > 1:
        raise UserError(f"{table.path}: columns {_listed(found)} all have names of splits; say --split COLUMN")
    if found:
        return found[0], [f"split: column {found[0]!r}, as its values are names of splits"]
    folds = [name for name in table.columns if _words(name) & {"fold", "folds", "split", "partition"}]
    folds = [name for name in folds if name not in taken and 2 <= len(set(table.columns[name])) <= _FEW_VALUES]
    if not folds:
        return None, []
    values = sorted(set(table.columns[folds[0]]))[:3]
    unused = f"split: column {folds[0]!r} is not used, as its values ({_listed(values)}) are no names of splits; "
    return None, [f"{unused}--split {folds[0]} with --set 'splits={{train=[...],test=[...]}}' uses it"]


def _group(table: Table, asked: str | None, taken: set[str | None]) -> tuple[str | None, list[str]]:
    """Return the column of the patients: named so, and with values that repeat."""
    if asked == NO_GROUP and asked not in table.columns:
        return None, ["groups: none, as asked: images of one patient may be in two splits"]
    if asked is not None:
        _require(table, asked, "--group")
        return asked, [f"groups: column {asked!r}"]
    for words in _GROUP_WORDS:
        found = [name for name in table.columns if name not in taken and _words(name) & words and _repeats(table, name)]
        if found:
            other = f" ({_listed(found[1:])} would do too)" if len(found) > 1 else ""
            if blank := table.columns[found[0]].count(""):
                raise UserError(
                    f"{table.path}: column {found[0]!r} looks like patients, and is blank in {blank:,} rows; fill them "
                    f"in, or say --group COLUMN, or --group none to go without patients"
                )
            return found[0], [f"groups: column {found[0]!r}, by its name{other}; --group COLUMN says another"]
    return None, [_NO_GROUP]


def _repeats(table: Table, name: str) -> bool:
    texts = [text for text in table.columns[name] if text]
    return 1 < len(set(texts)) < len(texts)


def _label(table: Table, asked: Sequence[str], taken: set[str | None]) -> tuple[str | tuple[str, ...], list[str]]:
    if asked:
        several = len(asked) > 1
        what = f"columns {_listed(asked)}: several labels of an image" if several else f"column {asked[0]!r}"
        return (tuple(asked) if several else asked[0]), [f"label: {what}"]
    could = [name for name in table.columns if name not in taken and _could_be_classes(table.columns[name])]
    named = [name for name in could if _words(name) & _LABEL_WORDS]
    binary = [name for name in could if set(table.columns[name]) <= _BINARY]
    if len(named) == 1:
        others = [name for name in could if name != named[0]]
        also = f" (not {_listed(others)})" if others else ""
        return named[0], [f"label: column {named[0]!r}, by its name{also}; --label COLUMN says another"]
    if len(could) == 1:
        return could[0], [f"label: column {could[0]!r}, as no other has a few values; --label COLUMN says another"]
    if not could:
        raise UserError(
            f"{table.path}: no column looks like classes (2 to {_FEW_VALUES} different texts); say --label COLUMN, one "
            f"of {_listed([name for name in table.columns if name not in taken])}"
        )
    seen = ", ".join(f"{name!r} ({_values(table.columns[name])})" for name in (named or could)[:6])
    instead = ""
    if len(binary) > 1:
        options = " ".join(f"--label {quote(name)}" for name in binary[:3]) + (" ..." if len(binary) > 3 else "")
        instead = f"; or {options} if they are several labels of one image"
    raise UserError(
        f"{table.path}: which column has the labels? {seen}{' and more' if len(named or could) > 6 else ''}: "
        f"say --label COLUMN{instead}"
    )


def _could_be_classes(texts: Sequence[str]) -> bool:
    """Return whether a column has a few different texts, each of them more than once in the mean."""
    found = Counter(text for text in texts if text)
    return 2 <= len(found) <= _FEW_VALUES and 2 * len(found) <= found.total()


def _values(texts: Sequence[str]) -> str:
    found = Counter(text for text in texts if text)
    first = ", ".join(printable(text)[:20] for text, _ in found.most_common(3))
    return f"{len(found)} values: {first}{', ...' if len(found) > 3 else ''}"


def _words(name: str) -> set[str]:
    """Return the words of a column's name, and all of it as one word."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W\d_]+", spaced.casefold())
    return {*words, "".join(words)}


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
