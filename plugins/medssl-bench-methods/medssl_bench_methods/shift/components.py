"""Data sets made of others, to ask what an encoder is worth where the data change, and an analysis of unknown classes.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.plugin.parameters import Components, OneComponent

if TYPE_CHECKING:
    from medssl_bench.datasets import Dataset, DatasetContext
    from medssl_bench.plugin.registry import Register

OneDataset = Annotated[Any, OneComponent("dataset")]


@hookimpl
def medssl_datasets(register: Register) -> None:
    """Register the data sets that are made of others."""
    register("union", union)
    register("shifted", shifted)
    register("without_classes", without_classes)
    register("corrupted", corrupted)


@hookimpl
def medssl_evaluators(register: Register) -> None:
    """Register the analysis."""
    from medssl_bench_methods.shift.novelty import Novelty

    register("novelty", Novelty)


def union(
    context: DatasetContext,  # noqa: ARG001 - those that it is made of are given it
    *,
    datasets: Annotated[list[Any], Components("dataset")],
) -> Dataset:
    """Several data sets of the same classes as one, such as those of several hospitals.

    Each split has the images of that split of all sets. Groups (patients) of different sets stay apart.

    Args:
        datasets: two or more, with the same task, classes and size of images.
    """
    from medssl_bench_methods.shift.union import Union

    return Union(datasets)


def shifted(context: DatasetContext, *, train: OneDataset, test: OneDataset) -> Dataset:
    """Train here, test there: training and validation images of one data set, test images of another.

    Args:
        train: whose training, validation and unlabelled images count.
        test: whose test images count; its classes have the same names, in any order.
    """
    from medssl_bench_methods.shift.shifted import Shifted

    return Shifted(train(context=context), test(context=context))


def without_classes(
    context: DatasetContext,
    *,
    base: OneDataset,
    classes: Annotated[list[str], Field(min_length=1)],
) -> Dataset:
    """A data set without the images of some classes: what an encoder learns from that is to meet them as unknown.

    Args:
        base: the data set.
        classes: names of the classes that are left out; two or more must stay.
    """
    from medssl_bench_methods.shift.without_classes import WithoutClasses

    return WithoutClasses(base(context=context), classes)


def corrupted(
    context: DatasetContext,
    *,
    base: OneDataset,
    corruption: Annotated[Any, OneComponent("augmentation")],
    seed: Annotated[int, Field(ge=0)] = 0,
) -> Dataset:
    """A data set whose test images are corrupted; training and validation images stay as they are.

    Args:
        base: the data set.
        corruption: an augmentation or a list of ops, such as ``[{ name = "gaussian_noise", sigma = [0.1, 0.1] }]``;
            each test image is corrupted once, the same for every arm.
        seed: of the corruption's draws.
    """
    from medssl_bench_methods.shift.corrupted import Corrupted

    return Corrupted(base(context=context), corruption, seed)
