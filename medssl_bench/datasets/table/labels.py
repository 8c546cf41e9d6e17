"""The labels of a table's rows: one column of names, or a column of 0 and 1 for each label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from medssl_bench.datasets.base import Task
from medssl_bench.datasets.folder.names import natural, not_classes, plain
from medssl_bench.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from medssl_bench.datasets.table.reading import Table

Blank = Literal["negative", "leave_out", "unlabelled"]
Uncertain = Literal["negative", "positive", "leave_out"]

_MEANT = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1}
_UNCERTAIN = frozenset({"-1", "-1.0"})
_JOINS = "|;"
_MOST_CLASSES = 30
"""Above it, a column in which most names are of one or two images is no column of classes."""


@dataclass(frozen=True)
class Rules:
    """What a suite says of labels that are not plain.

    Attributes:
        task: None leaves it to the columns and the number of classes.
        classes: names in order; None: as people sort them.
        blank: what a blank label means; None refuses it. ``unlabelled`` takes rows without any label as images
            without labels.
        uncertain: what CheXpert's -1 means; None refuses it.
        separator: what is between the labels of one cell; None: a cell is one label.
        negative: what a cell says that has none of the labels, with a separator.
    """

    task: str | None
    classes: Sequence[str] | None
    blank: Blank | None
    uncertain: Uncertain | None
    separator: str | None
    negative: str | None


@dataclass(frozen=True)
class TableLabels:
    """The labels of the rows that are kept.

    Attributes:
        task: what they mean.
        classes: names, in order.
        numbers: (N, 1) class numbers, or (N, L) of 0 and 1.
        kept: places of the rows that have a label, ascending.
        notes: what the rules did, a line each.
        unlabelled: places of the rows that are images without labels, ascending.
    """

    task: Task
    classes: tuple[str, ...]
    numbers: NDArray[np.int64]
    kept: list[int]
    notes: tuple[str, ...] = ()
    unlabelled: tuple[int, ...] = ()

    def strata(self) -> list[int]:
        """Return one number for each row, whose proportions splits keep.

        It is the class, or the rarest label of a multi-label row; one more than the last where it has none.
        """
        if self.task is not Task.MULTI_LABEL:
            found: list[int] = self.numbers[:, 0].tolist()
            return found
        order = np.argsort(self.numbers.sum(axis=0), kind="stable")
        rows = self.numbers[:, order] == 1
        rarest = np.where(rows.any(axis=1), order[rows.argmax(axis=1)], len(self.classes))
        strata: list[int] = rarest.tolist()
        return strata


def read_labels(table: Table, columns: str | Sequence[str], rules: Rules) -> TableLabels:
    """Return the labels of a table.

    Args:
        table: all rows that the filters leave.
        columns: one column with the name of the class, or several, one for each label.
        rules: what the suite says.

    Raises:
        DataError: labels are blank, uncertain or something else, and no rule says what they mean; or they contradict
            the task.
    """
    if rules.blank == "unlabelled":
        return _with_unlabelled(table, columns, rules)
    if isinstance(columns, str) and rules.separator is None:
        if rules.task == Task.MULTI_LABEL:
            raise DataError(
                f"{table.path}: 'multi-label' needs label = [...], a column for each label, or separator = \"|\" for "
                f"several labels in one cell"
            )
        return _one_column(table, columns, rules)
    if rules.task not in {None, Task.MULTI_LABEL}:
        raise DataError(f"{table.path}: several labels of an image are the task 'multi-label', not {rules.task!r}")
    if isinstance(columns, str):
        return _joined(table, columns, rules)
    if rules.classes is not None and len(rules.classes) != len(columns):
        raise DataError(f"{table.path}: 'classes' has {len(rules.classes)} names for {len(columns)} columns of labels")
    return _many_columns(table, columns, rules)


def _with_unlabelled(table: Table, columns: str | Sequence[str], rules: Rules) -> TableLabels:
    """Return the labels of the rows that have some, and which rows have none; errors as of `read_labels`."""
    names = [columns] if isinstance(columns, str) else columns
    texts = [table.column(name, "label") for name in names]
    labelled = [place for place in range(len(table)) if any(column[place] for column in texts)]
    if not labelled:
        raise DataError(f"{table.path}: no row has a label ({', '.join(map(repr, names))})")
    found = read_labels(table.taken(labelled), columns, replace(rules, blank=None))
    unlabelled = tuple(sorted(set(range(len(table))) - set(labelled)))
    return replace(found, kept=[labelled[place] for place in found.kept], unlabelled=unlabelled)


def _one_column(table: Table, column: str, rules: Rules) -> TableLabels:
    texts = table.column(column, "label")
    kept = _without_blank(table, column, texts, rules)
    found = Counter(texts[place] for place in kept)
    _refuse_no_classes(table, column, found, unnamed=rules.classes is None)
    classes = list(rules.classes) if rules.classes is not None else sorted(found, key=natural)
    for place in kept:
        if texts[place] not in classes:
            near = did_you_mean(texts[place], classes)
            raise table.error(place, column, f"{texts[place]!r} is none of 'classes'{near}; add it, or say 'where'")
    task = Task(rules.task) if rules.task else Task.BINARY if len(classes) == 2 else Task.MULTI_CLASS
    if task is Task.BINARY and len(classes) != 2:
        raise DataError(f"{table.path}: column {column!r} has {len(classes)} classes; the task 'binary' needs two")
    notes = [_left_out(len(texts) - len(kept), f"no {column!r}")] if len(kept) < len(texts) else []
    if task is Task.ORDINAL:
        if rules.classes is None and not all(any(letter.isdecimal() for letter in name) for name in classes):
            raise DataError(
                f"{table.path}: column {column!r}: the order of {', '.join(classes[:8])} is not known; say it with "
                f"classes = [...], from the lowest"
            )
        notes.append(f"ordinal, from the lowest: {', '.join(classes)}")
    numbers = np.array([classes.index(texts[place]) for place in kept], np.int64)[:, None]
    return TableLabels(task, tuple(classes), numbers, kept, tuple(notes))


def _without_blank(table: Table, column: str, texts: Sequence[str], rules: Rules) -> list[int]:
    """Return the places of the rows with a label.

    Raises:
        DataError: some have none, and no rule says that they are left out.
    """
    blank = [place for place, text in enumerate(texts) if not text]
    if blank and rules.blank != "leave_out":
        raise table.error(
            blank[0],
            column,
            f'blank, as {len(blank):,} of {len(texts):,} rows are; say blank = "leave_out" to go without, or blank = '
            f'"unlabelled" to pretrain on them',
        )
    return [place for place, text in enumerate(texts) if text]


def _refuse_no_classes(table: Table, column: str, found: Counter[str], *, unnamed: bool) -> None:
    """Refuse a column that holds something else than one class for each image.

    Raises:
        DataError: it does.
    """
    if len(found) < 2:
        raise DataError(f"{table.path}: column {column!r}: all images have the same label; two classes are needed")
    for join in _JOINS:
        parts = [part.strip() for name in found if join in name for part in name.split(join)]
        if parts and any(part in found or number > 1 for part, number in Counter(parts).items()):
            raise DataError(
                f"{table.path}: column {column!r}: cells such as {next(n for n in found if join in n)!r} hold several "
                f'labels; say separator = "{join}" (multi-label), or choose a column with one'
            )
    if unnamed and (reason := not_classes(list(found), lambda name: found[name])):
        raise DataError(
            f"{table.path}: column {column!r}: its {len(found):,} texts {reason}; name another as 'label', or say "
            f"classes = [...] if they are"
        )
    if len(found) > _MOST_CLASSES and len(found) * 2 > found.total():
        raise DataError(
            f"{table.path}: column {column!r} holds {len(found):,} different texts in {found.total():,} rows, so they "
            f"are no classes; name another column as 'label'"
        )
    shared = Counter(map(plain, found))
    if len(shared) < len(found):
        alike = [name for name in found if plain(name) == max(shared, key=lambda text: shared[text])]
        raise DataError(
            f"{table.path}: column {column!r}: {alike[0]!r} and {alike[1]!r} differ in case or spaces alone; "
            f"correct one"
        )


def _joined(table: Table, column: str, rules: Rules) -> TableLabels:
    """Return the labels of cells that hold several, such as ``Effusion|Mass``."""
    assert rules.separator is not None
    texts = table.column(column, "label")
    all_rows = list(range(len(texts)))
    kept = all_rows if rules.blank == "negative" else _without_blank(table, column, texts, rules)
    cells = [[part.strip() for part in texts[place].split(rules.separator) if part.strip()] for place in kept]
    cells = [[] if parts == [rules.negative] else parts for parts in cells]
    found = {part for parts in cells for part in parts}
    classes = list(rules.classes) if rules.classes is not None else sorted(found, key=natural)
    for place, parts in zip(kept, cells, strict=True):
        if wrong := [part for part in parts if part not in classes or part == rules.negative]:
            also = f"{rules.negative!r} beside other labels" if wrong[0] == rules.negative else f"{wrong[0]!r} unknown"
            raise table.error(place, column, f"{also}; 'classes' names the labels, 'negative' what none of them is")
    numbers = np.array([[name in parts for name in classes] for parts in cells], np.int64)
    notes = [_left_out(len(texts) - len(kept), f"no {column!r}")] if len(kept) < len(texts) else []
    return TableLabels(Task.MULTI_LABEL, tuple(classes), numbers, kept, tuple(notes))


def _many_columns(table: Table, columns: Sequence[str], rules: Rules) -> TableLabels:
    if len(set(columns)) != len(columns):
        raise DataError(f"{table.path}: 'label' names a column twice")
    numbers = np.zeros((len(table), len(columns)), np.int64)
    out = np.zeros(len(table), bool)
    counts: Counter[str] = Counter()
    for at, column in enumerate(columns):
        for place, text in enumerate(table.column(column, "label")):
            numbers[place, at], odd = _meaning(table, place, column, text, rules)
            if odd:
                counts[odd] += 1
                out[place] |= odd.endswith("left out")
    kept = np.flatnonzero(~out).tolist()
    notes = [f"{number:,} labels {what}" for what, number in counts.items()]
    if len(kept) < len(table):
        notes.append(_left_out(len(table) - len(kept), "a label that is blank or -1"))
    names = rules.classes if rules.classes is not None else columns
    return TableLabels(Task.MULTI_LABEL, tuple(names), numbers[kept], kept, tuple(notes))


def _meaning(table: Table, place: int, column: str, text: str, rules: Rules) -> tuple[int, str]:
    """Return 0 or 1, and what is to be noted of a cell that does not say so itself.

    Raises:
        DataError: no rule says what it means.
    """
    known = _MEANT.get(text.casefold())
    if known is not None:
        return known, ""
    if not text:
        if rules.blank is None:
            raise table.error(place, column, 'blank; say what that means: blank = "negative" or "leave_out" (the row)')
        return 0, "are blank and read as negative" if rules.blank == "negative" else "are blank: rows left out"
    if text in _UNCERTAIN:
        if rules.uncertain is None:
            ways = '"negative", "positive" or "leave_out" (the row)'
            raise table.error(place, column, f"-1, which CheXpert writes where it is uncertain; say uncertain = {ways}")
        what = "are -1: rows left out" if rules.uncertain == "leave_out" else f"are -1 and read as {rules.uncertain}"
        return int(rules.uncertain == "positive"), what
    raise table.error(place, column, f"{text[:40]!r} is not 0 or 1")


def _left_out(number: int, why: str) -> str:
    return f"left out: {number:,} row{'s' if number > 1 else ''} with {why}"
