"""Which publications are found in what components say of themselves."""

from __future__ import annotations

import pytest

from medssl_bench.models.card.citations import _CITED, _cited
from medssl_bench.plugin.manager import load_plugins


@pytest.mark.parametrize(
    ("kind", "value", "publication"),
    [
        ("method", "simclr", "Chen et al. 2020"),
        ("evaluator", "linear_probe", "Jiang 2023"),
        ("encoder", "resnet18", "He et al. 2016"),
        ("augmentation", "tau_nov", "Jiang 2023"),
    ],
)
def test_what_a_component_names(kind: str, value: str, publication: str) -> None:
    registry = load_plugins().registry
    assert publication in _cited(registry, registry.resolve_or_raise(kind, value))


def test_what_names_nobody_cites_nobody() -> None:
    registry = load_plugins().registry
    assert _cited(registry, registry.resolve_or_raise("dataset", "bloodmnist")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(He et al. 2016), timm's", ["He et al. 2016"]),
        ("Acevedo et al. (2020)", ["Acevedo et al. 2020"]),
        ("after Ronneberger and Brox, 2015.", ["Ronneberger and Brox 2015"]),
        ("of 2048 features; in 10000 steps; Figure 3", []),
    ],
)
def test_how_publications_are_recognised(text: str, found: list[str]) -> None:
    assert [f"{who} {year}" for who, year in _CITED.findall(text)] == found
