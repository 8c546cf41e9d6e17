"""What a comparison says of corrupted images and of other data sets: names that mean nothing are problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.augmentations.corruptions.catalogue import CORRUPTIONS
from medssl_bench.errors import did_you_mean, quoted
from medssl_bench.suite.table import OtherSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.suite import schema
    from medssl_bench.suite.table import NamedDataset

Problem = tuple[tuple[str | int, ...], str]
"""The key of a comparison, and what is wrong with it."""


def problems_of(model: schema.Comparison) -> Iterator[Problem]:
    """Yield what is wrong with ``corrupted`` and ``test_on``, as far as no data set need be known."""
    for name, is_there in (("corrupted", model.corrupted is not None), ("test_on", bool(model.test_on))):
        if is_there and model.shuffle_labels:
            yield (name,), "the labels of this control are shuffled, so its classifiers have learned nothing to test"
    wanted = model.corrupted
    if wanted is None:
        return
    for place, name in enumerate(wanted.ops or ()):
        if name not in CORRUPTIONS:
            hint = did_you_mean(name, CORRUPTIONS) or f"; there are: {quoted(list(CORRUPTIONS))}"
            yield ("corrupted", "ops", place), f"there is no corruption {name!r}{hint}"


def other_set(model: schema.TestOn, dataset: NamedDataset) -> OtherSet:
    """Return another data set with its classes."""
    classes = {own: (other,) if isinstance(other, str) else tuple(other) for own, other in model.classes.items()}
    return OtherSet(dataset, classes)
