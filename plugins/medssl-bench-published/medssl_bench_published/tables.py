"""The published numbers, as data."""

from __future__ import annotations

import csv
from importlib.resources import files

from medssl_bench.errors import UserError, did_you_mean
from medssl_bench.published.reference import Reference, ReferenceCell

_V2 = "[Yang 2023] J. Yang et al., MedMNIST v2, Scientific Data 10:41, 2023, Table 3"
_PLUS = (
    "[Doerrich 2024] S. Doerrich et al., Rethinking Model Prototyping through the MedMNIST+ Dataset Collection, "
    "arXiv 2404.15786, 2024"
)


def medmnist_v2(table: str) -> Reference:
    """Baselines of MedMNIST v2 (Yang et al. 2023, Table 3): `28` and `224` pixels, the mean of three trainings or more.

    Arms are ``ResNet-18`` and ``ResNet-50``, trained from scratch, and at 28 pixels ``auto-sklearn``, ``AutoKeras`` and
    ``Google AutoML Vision``. At 224 pixels images of 28 are enlarged. The numbers are quoted from other works; not all
    of the table is there.

    Raises:
        UserError: there is no such table.
    """
    return _reference("medmnist_v2", _V2, table, "{name}")


def medmnist_plus(table: str) -> Reference:
    """Baselines of MedMNIST+ (Doerrich et al. 2024): `28`, `64`, `128` and `224` pixels, the mean of three trainings.

    Arms are an encoder, ``VGG-16``, ``ResNet-18``, ``DINO ViT-B16`` or ``CLIP ViT-B16``, and what was made of it:
    ``ResNet-18, fine-tuned``, ``ResNet-18, linear probe``, ``ResNet-18, k-NN``.

    Raises:
        UserError: there is no such table.
    """
    return _reference("medmnist_plus", _PLUS, table, "{name}" if table == "28" else "{name} size={size}")


def _reference(source: str, citation: str, table: str, label: str) -> Reference:
    """Return the numbers of a table; `label` is how suites name a data set of that size."""
    text = (files("medssl_bench_published") / "data" / "published.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["source"] == source]
    tables = list(dict.fromkeys(row["size"] for row in sorted(rows, key=lambda row: int(row["size"]))))
    if table not in tables:
        hint = did_you_mean(table, tables) or f"; there are {', '.join(tables)}"
        raise UserError(f"there is no table {table!r}{hint}")
    cells = tuple(
        ReferenceCell(
            label.format(name=row["dataset"], size=table), "all", row["arm"], row["metric"], float(row["value"])
        )
        for row in rows
        if row["size"] == table
    )
    return Reference(f"{citation}, {table} pixels", cells)
