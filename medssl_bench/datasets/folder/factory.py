"""The data set `folder`: what a suite may say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from medssl_bench.datasets.base import DatasetContext, SplitName
from medssl_bench.datasets.folder.dataset import FolderDataset
from medssl_bench.datasets.folder.patients import GroupPattern
from medssl_bench.datasets.pixel_choices import Fit, Range, choices
from medssl_bench.errors import DataError, printable
from medssl_bench.plugin.parameters import AddedLater


def folder(
    context: DatasetContext,
    *,
    path: Path,
    size: Annotated[int, Field(ge=8)] = 28,
    task: Literal["multi-class", "binary", "ordinal", "multi-label"] | None = None,
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    test: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    seed: Annotated[int, Field(ge=0)] = 0,
    colour: Literal["auto", "grey", "rgb"] = "auto",
    title: str | None = None,
    licence: str = "unknown",
    source: str = "",
    splits: Annotated[dict[SplitName, str | list[str]] | None, AddedLater(None)] = None,
    classes: Annotated[list[str] | None, AddedLater(None)] = None,
    leave_out: Annotated[list[str] | None, AddedLater(None)] = None,
    groups: Annotated[GroupPattern, AddedLater(None)] = None,
    shared_groups: Annotated[bool, AddedLater(False)] = False,
    negative: Annotated[str | None, AddedLater(None)] = None,
    range: Annotated[Range | None, AddedLater(None)] = None,  # noqa: A002 - a key of suites
    fit: Annotated[Fit, AddedLater("crop")] = "crop",
    frame: Annotated[Annotated[int, Field(ge=0)] | None, AddedLater(None)] = None,
) -> FolderDataset:
    """Images in class folders, with given splits or without.

    With splits: ``path/train/<class>/``, ``path/val/<class>/`` and ``path/test/<class>/``. Those that are not given are
    drawn from the training images, class by class. Without: ``path/<class>/``, of which all three are drawn. Where
    several images are of one patient, say with `groups` how their paths tell it: no draw parts a group, and given
    splits that share one are refused. Classes are in the order of their names, with numbers by their value (``grade2``
    before ``grade10``). Each image is turned as its EXIF data says, its short side resized to `size` with antialiasing,
    and its middle square kept. Images below ``path/unlabelled/``, in folders or not, have no labels: recipes pretrain
    on them and on the training images.

    Usual names of splits (``Training``, ``valid``, ``0_train``), splits inside class folders, an archive's outer
    folder, and class names that differ in case are understood; `validate` says so. Folders that may be splits, folds,
    parts, patients or places, masks beside images, images outside of the classes, and files of a kind that is not read
    (DICOM) are refused: the next three parameters say what is meant. All that is not read is counted by `validate`.

    Args:
        context: whose `cache_dir` keeps the resized images.
        path: the folder; a relative path starts from the suite's folder.
        size: side of the images in pixels.
        task: what the labels mean; if left out, two classes mean binary, more multi-class. With ``"multi-label"`` an
            image has the labels of all class folders that its file lies in: with one name and one content.
        validation: fraction of the training images drawn for validation, where the folder gives no val/.
        test: fraction of the training images drawn for the test, where the folder gives no test/.
        seed: of that draw.
        colour: grey images have one channel, rgb ones three; auto looks at the first training image of each class, and
            refuses to make later ones grey that are in colour.
        title: name for people; if left out, the folder's name.
        licence: licence of the images, for tables and figures made of them.
        source: citation or address of the data.
        splits: folders below `path` that have the class folders of each split, one or several:
            ``{ train = ["fold_0", "fold_1"], test = "fold_2" }``; what is in no split is left out.
        classes: names of the class folders, in order; other folders are left out, and no name is taken for a fold or a
            patient. It changes no other reading.
        leave_out: patterns of files and folders to leave out, by name (``"*_mask*"``) or by path below `path`
            (``"./*.png"``); an empty list says that what looks like masks are images of their class.
        groups: regular expression with one group in brackets, which finds in an image's path below `path` what it
            belongs to, such as the patient: ``"(p[0-9]+)_"``; images with the same find belong together.
        shared_groups: whether given splits may share groups; then every table says how many they share.
        negative: class folder of images that have none of the labels, of a multi-label set.
        range: values that become black and white: ``"full"`` (all that the files can hold), ``"percentile"`` (0.5th and
            99.5th of each image), ``[low, high]``, or ``"window"`` (of each DICOM file); if left out, full, and files
            of more than 8 bits that use little of it, or are signed, are refused.
        fit: ``"crop"`` keeps the middle square, ``"pad"`` puts black beside the image, ``"stretch"`` changes its shape.
        frame: image of files that hold several (DICOM, TIFF), from 0; if left out, such files are refused.

    Raises:
        DataError: the fractions leave no training images, or the range holds nothing.
    """
    if validation + test >= 1:
        raise DataError(f"{path}: validation = {validation} and test = {test} leave no images for training")
    if negative is not None and task != "multi-label":
        raise DataError(f"{path}: 'negative' is for task = \"multi-label\"")
    draw, layout = (validation, test, seed), (splits, classes, leave_out)
    about = (title or printable(path.name), licence, source)
    chosen = choices(path, range, fit, frame)
    grouped = (groups, shared_groups, negative)
    return FolderDataset(context, path, size, task, *draw, colour, *about, *layout, *grouped, chosen)
