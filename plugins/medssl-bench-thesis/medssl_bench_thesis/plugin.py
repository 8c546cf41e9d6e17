"""The hooks: what this plugin registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench import hookimpl

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Register

_SEQUENCES = ("tau_nat", "tau_nat_weak", "tau_short", "tau_short_literal", "tau_nov", "tau_grey")
_REVISIONS = {"tau_nov": 2, "tau_grey": 2}
"""2: equalisation of colour images is Pillow's to the digit."""


@hookimpl
def medssl_augmentations(register: Register) -> None:
    """Register the thesis' augmentation sequences."""
    for name in _SEQUENCES:
        register(name, f"medssl_bench_thesis.sequences:{name}", revision=_REVISIONS.get(name, 1))


@hookimpl
def medssl_references(register: Register) -> None:
    """Register the numbers of the thesis' tables."""
    register("thesis", "medssl_bench_thesis.tables:thesis")


@hookimpl
def medssl_claims(register: Register) -> None:
    """Register what the thesis claims."""
    register("thesis", "medssl_bench_thesis.claims:thesis")
