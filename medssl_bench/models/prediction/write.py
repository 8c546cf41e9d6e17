"""Predictions as a table: a row for each image."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from medssl_bench.datasets.partial_files import replacing
from medssl_bench.datasets.progress import progress_bar
from medssl_bench.errors import UserError
from medssl_bench.results.records import inert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from medssl_bench.datasets.new_images.find import Found
    from medssl_bench.models.prediction.classifier import Classifier

_PATH = "path"
"""Head of the first column."""

_BATCHES = 4
"""Batches that are read together."""


def check_table(output: Path, *, overwrite: bool) -> None:
    """Raise an error if a table of this name may not be written.

    Raises:
        UserError: there is something already.
    """
    if output.is_dir() or (output.exists() and not output.is_file()):
        raise UserError(f"-o {output}: this is no file; give the name of a new one")
    if output.exists() and not overwrite:
        raise UserError(f"-o {output}: this is there already; give the name of a new file, or --overwrite")


def heads(classes: Sequence[str]) -> list[str]:
    """Return the heads of the columns: the path, under a name that no class has, and the classes."""
    path = _PATH
    while path in classes:
        path = f"_{path}"
    return [path, *classes]


def write_predictions(classifier: Classifier, found: Found, output: Path, *, overwrite: bool = False) -> int:
    """Write the probabilities of new images as CSV, whole or not at all; a few batches are in memory at a time.

    Probabilities are written as the shortest text that is the same float32 when it is read.

    Args:
        classifier: what predicts.
        found: the images.
        output: the file.
        overwrite: replace a file of that name.

    Returns:
        The number of images.

    Raises:
        UserError: images cannot be used, or the file cannot be written.
    """
    check_table(output, overwrite=overwrite)
    total, done = sum(map(len, found.groups)), 0
    try:
        with replacing(output) as part:
            with (
                part.open("w", encoding="utf-8", newline="") as file,
                progress_bar(f"predicting {total:,} images", "images") as report,
            ):
                table = csv.writer(file, lineterminator="\n")
                table.writerow(map(inert, heads(classifier.facts.classes)))
                for group in found.groups:
                    names = iter(group.names)
                    for images in group.parts(_BATCHES * classifier.batch):
                        scores = classifier.predict(images)
                        # `names` is second: zip must not take one more than there are rows
                        table.writerows([inert(name), *map(str, row)] for row, name in zip(scores, names, strict=False))
                        done += len(images)
                        report(done, total)
            check_table(output, overwrite=overwrite)
    except OSError as error:
        raise UserError(f"-o {output}: this cannot be written: {error.strerror or error}") from error
    return done
