"""The published numbers of a comparison, and which of its data sets they are of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medssl_bench.errors import PluginError
from medssl_bench.published.reference import Reference

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.results.cells import Cell
    from medssl_bench.suite.table import NamedDataset, Table


@dataclass(frozen=True)
class Published:
    """What was published of a comparison.

    Attributes:
        reference: the published table.
        name: its name, such as ``table-7.1``; empty where the comparison has none.
        datasets: the name that a data set was published under, by its label.
    """

    reference: Reference = field(default_factory=lambda: Reference("", ()))
    name: str = ""
    datasets: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table, registry: Registry) -> Published:
        """Return what was published of a comparison; nothing where it names no reference."""
        names = {dataset.label: _published_name(dataset, registry) for dataset in table.datasets}
        if table.model.reference is None:
            return cls(datasets=names)
        plugin, _, name = table.model.reference.partition(":")
        return cls(find_reference(plugin, name, registry), name, names)

    def value(self, cell: Cell) -> float | None:
        """Return the published number of a cell, or None."""
        wanted = (self.datasets[cell.dataset], cell.labels, cell.arm, cell.metric)
        for found in self.reference.cells:
            if (found.dataset, found.labels, found.arm, found.metric) == wanted:
                return found.value
        return None


def find_reference(name: str, table: str, registry: Registry) -> Reference:
    """Return a published table.

    Args:
        name: name of the reference, such as ``thesis``.
        table: name of the table in it, such as ``table-7.1``.
        registry: where references come from.

    Raises:
        UserError: there is no such reference, or it has no such table.
        PluginError: the plugin gives something else.
    """
    found = registry.build(registry.resolve_or_raise("reference", name), table=table)
    if not isinstance(found, Reference):
        raise PluginError(f"reference {name!r} gave {type(found).__name__} for {table!r}, not a Reference")
    return found


def _published_name(dataset: NamedDataset, registry: Registry) -> str:
    """Return the name that published numbers call a data set by.

    That is its component's where it has no parameters of its own (numbers of 28 pixels are not those of 224), else its
    label.
    """
    required = any(
        parameter.required for parameter in registry.find("dataset", dataset.component.name).table.parameters()
    )
    plain = None if required else registry.resolve_or_raise("dataset", dataset.component.name)
    return dataset.component.name if dataset.component == plain else dataset.label
