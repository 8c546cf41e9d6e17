"""The data set `table`: what a suite may say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from medssl_bench.datasets.base import DatasetContext, SplitName
from medssl_bench.datasets.pixel_choices import Fit, Range, choices
from medssl_bench.datasets.table.dataset import TableDataset
from medssl_bench.datasets.table.labels import Blank, Uncertain
from medssl_bench.errors import DataError, printable


def table(
    context: DatasetContext,
    *,
    path: Path,
    image: str,
    label: str | list[str],
    root: Path | None = None,
    folders: list[str] | None = None,
    ending: str = "",
    split: str | None = None,
    splits: dict[SplitName, str | list[str]] | None = None,
    group: str | None = None,
    shared_groups: bool = False,
    where: dict[str, str | int | list[str | int]] | None = None,
    task: Literal["multi-class", "binary", "ordinal", "multi-label"] | None = None,
    classes: list[str] | None = None,
    blank: Blank | None = None,
    uncertain: Uncertain | None = None,
    separator: Annotated[str, Field(min_length=1)] | None = None,
    negative: str | None = None,
    missing: Literal["leave_out"] | None = None,
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    test: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    seed: Annotated[int, Field(ge=0)] = 0,
    size: Annotated[int, Field(ge=8)] = 28,
    colour: Literal["auto", "grey", "rgb"] = "auto",
    range: Range | None = None,  # noqa: A002 - a key of suites
    fit: Fit = "crop",
    frame: Annotated[int, Field(ge=0)] | None = None,
    title: str | None = None,
    licence: str = "unknown",
    source: str = "",
) -> TableDataset:
    """Images that a table names, a row for each, with their labels, splits and patients.

    The table is CSV (with commas, semicolons or tabs), TSV, JSON Lines (``.jsonl``) or Parquet. One column has the path
    of the image, one the name of its class; or several columns have 0 and 1, one for each label of a multi-label set.
    What a blank label or CheXpert's -1 means, the suite says. Splits that no column gives are drawn from the training
    rows: with `group`, no patient is in two of them. Images are read as those of a `folder` are.

    Args:
        context: whose `cache_dir` keeps the resized images.
        path: the table; a relative path starts from the suite's folder.
        image: column with the path of the image, relative to `root`.
        label: column with the name of the class, or the columns of a multi-label set.
        root: folder that the paths start from; if left out, the table's.
        folders: folders below `root` that have the images, where the table does not say which.
        ending: what the files' names have more than the table says (``".jpg"``).
        split: column with the split of each row, called as folders of splits are (``train``, ``valid``, ``Testing``).
        splits: values of that column, where they are called otherwise: ``{ train = ["0", "1"], test = "2" }``; rows in
            no split are left out.
        group: column with the patient (or whatever images have in common); its values reach no record.
        shared_groups: accept given splits that share groups; tables are marked.
        where: values that columns must have: ``{ view = ["PA", "AP"] }``; other rows are left out.
        task: what the labels mean; if left out, several columns mean multi-label, two classes binary, else multi-class.
        classes: names of the classes in order (ordinal: from the lowest), or of the columns.
        blank: what a blank label means: ``"negative"`` (several labels), ``"leave_out"``, which leaves the row out, or
            ``"unlabelled"``: images of rows without any label are pretrained on, unless their group has validation or
            test images; if left out, it is refused.
        uncertain: what CheXpert's -1 means: ``"negative"`` (U-Zeros), ``"positive"`` (U-Ones) or ``"leave_out"``
            (the row); if left out, it is refused.
        separator: what is between the labels of one cell (``"|"``), for a multi-label set in one column.
        negative: what a cell says that has none of them (``"No Finding"``).
        missing: ``"leave_out"`` leaves out rows whose image is not there; if left out, they are refused.
        validation: fraction of the training rows drawn for validation, where no column gives it.
        test: fraction of the training rows drawn for the test, where no column gives it.
        seed: of that draw.
        size: side of the images in pixels.
        colour: grey images have one channel, rgb ones three; auto looks at the first training image of each class, and
            refuses to make later ones grey that are in colour.
        range: values that become black and white: ``"full"``, ``"percentile"``, ``[low, high]`` or ``"window"``; see
            `folder`.
        fit: ``"crop"``, ``"pad"`` or ``"stretch"``; see `folder`.
        frame: image of files that hold several, from 0.
        title: name for people; if left out, the table's name.
        licence: licence of the images, for tables and figures made of them.
        source: citation or address of the data.

    Raises:
        DataError: options contradict each other.
    """
    from medssl_bench.datasets.table.labels import Rules
    from medssl_bench.datasets.table.wishes import Wishes

    if validation + test >= 1:
        raise DataError(f"{path}: validation = {validation} and test = {test} leave no images for training")
    for name, value, needs in (("splits", splits, split), ("negative", negative, separator)):
        if value is not None and needs is None:
            raise DataError(f"{path}: '{name}' needs '{'split' if name == 'splits' else 'separator'}'")
    if blank == "negative" and isinstance(label, str) and separator is None:
        raise DataError(f'{path}: blank = "negative" is for several labels; a column of classes takes "leave_out"')
    wishes = Wishes(
        image=image,
        label=label,
        root=root or path.parent,
        folders=tuple(folders or ()),
        ending=ending,
        split=split,
        splits=splits and {name: _texts(values) for name, values in splits.items()},
        group=group,
        shared_groups=shared_groups,
        where={name: _texts(values) for name, values in (where or {}).items()},
        leave_out_missing=missing is not None,
    )
    rules = Rules(task, classes, blank, uncertain, separator, negative)
    about = (title or printable(path.stem), licence, source)
    read = choices(path, range, fit, frame)
    return TableDataset(context, path, wishes, rules, (validation, test, seed), size, colour, read, *about)


def _texts(values: str | int | list[str] | list[str | int]) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else [str(values)]
