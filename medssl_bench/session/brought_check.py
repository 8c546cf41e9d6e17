"""Whether files of features have those of the images that stages need, found out before any of them runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets.check_splits import checked_splits
from medssl_bench.datasets.download import Downloadable
from medssl_bench.encoders.brought_file import is_brought, read_split
from medssl_bench.errors import DataError, Problem, SuiteError, UserError
from medssl_bench.key_path import key_text
from medssl_bench.plan.kinds.embed import EmbedSpec
from medssl_bench.plugin.guarded import asking, make

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from medssl_bench.datasets import Dataset, DatasetContext, Splits
    from medssl_bench.plan.spec import DatasetSpec
    from medssl_bench.plan.stage import Stage
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.suite.suite import Suite


def check_brought(suite: Suite, stages: Iterable[Stage], context: DatasetContext) -> None:
    """Read the files of features that stages need; those of data that is not here, or is damaged, are left out.

    Raises:
        SuiteError: a file lacks images or has others, or its features are no finite numbers.
    """
    needed: dict[str, tuple[DatasetSpec, dict[str, Component]]] = {}
    for stage in stages:
        if isinstance(stage.spec, EmbedSpec) and stage.spec.encoder and is_brought(stage.spec.encoder.component):
            component = stage.spec.encoder.component
            files = needed.setdefault(stage.spec.dataset.key, (stage.spec.dataset, {}))[1]
            files[component.parameters["file"]] = component
    problems: list[Problem] = []
    for dataset, files in needed.values():
        for component, message in _wrong(suite.plugins.registry, dataset, files, context):
            key = suite.place_of(component)
            problems.append(Problem(suite.position(key), key_text(key), message))
    if problems:
        raise SuiteError(dict.fromkeys(problems))


def _wrong(
    registry: Registry, spec: DatasetSpec, files: dict[str, Component], context: DatasetContext
) -> Iterator[tuple[Component, str]]:
    """Yield the files that do not fit a data set, with what is wrong."""
    data = _read(registry, spec, context)
    if data is None:
        return
    splits, names = data
    for file, component in files.items():
        try:
            for split, images in splits.items():
                read_split(Path(file), split, images.labels, names.get(split))
        except DataError as error:
            yield component, str(error)


def _read(registry: Registry, spec: DatasetSpec, context: DatasetContext) -> tuple[Splits, dict[str, list[str]]] | None:
    """Return the images of a data set, and the names of their files by split; None: a stage will say why not."""
    try:
        dataset: Dataset = make(registry, spec.component, context=context)
        with asking(spec.component):
            if isinstance(dataset, Downloadable) and not dataset.is_present():
                return None
            _, splits = checked_splits(dataset, spec.component.name)
            return splits, dataset.image_names()
    except UserError:
        return None
