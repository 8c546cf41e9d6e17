"""Which publications the components of a model name in their documentation."""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING

from medssl_bench.errors import UserError
from medssl_bench.plugin import docstring
from medssl_bench.plugin.component import Component, components_in

if TYPE_CHECKING:
    from medssl_bench.models.card.facts import CardSource
    from medssl_bench.plugin.registry import Registry

_CITED = re.compile(r"\b([A-Z][\w'-]+(?: et al\.| and [A-Z][\w'-]+)?),? \(?((?:19|20)\d\d)\b")

_WHOLE = {
    "Jiang 2023": "Jiang 2023: F. Jiang, *Evaluating SimCLR for Medical Image Classification*, thesis, "
    "Imperial College London, 2023",
}
"""Publications that can be cited as a whole."""


def citations_section(source: CardSource) -> str:
    """Return what to cite: each publication with the components that name it; empty where none does."""
    registry = source.suite.plugins.registry
    found: dict[str, list[str]] = {}
    for record in source.trainings():
        for component in components_in(record.spec):
            for publication in _cited(registry, component):
                names = found.setdefault(publication, [])
                names += [component.name] if component.name not in names else []
    rows = [
        f"* {_WHOLE.get(publication, publication)} (`{'`, `'.join(names)}`)"
        for publication, names in sorted(found.items())
    ]
    return "\n".join(["## Cite", "", "What its components name as their sources:", "", *rows]) if rows else ""


def _cited(registry: Registry, component: Component) -> list[str]:
    """Return the publications in what a component's factory says of itself, or the package that it comes with."""
    try:
        factory = registry.find(component.kind, component.name).factory
    except UserError:  # a plugin that has gone since
        return []
    package = sys.modules.get(factory.__module__.partition(".")[0])
    texts = [docstring.description(factory), inspect.getdoc(package) if package else ""]
    return [f"{who} {year}" for text in texts for who, year in _CITED.findall(" ".join((text or "").split()))]
