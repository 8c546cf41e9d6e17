"""The contract of published claims."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from medssl_bench.published.claims import Claims
from medssl_bench.testing.checking import Group, require


def claims_steps(build: Callable[[], Claims]) -> list[Group]:
    """Return the steps for claims.

    Args:
        build: makes them.

    Raises:
        Failed: what it makes is no claims.
    """
    made = build()
    require(isinstance(made, Claims), f"the factory gives {type(made).__name__}, not Claims")
    return [[("every claim has a name of its own", partial(_named, made)), ("a citation", lambda: _cited(made))]]


def _named(claims: Claims) -> str:
    names = [claim.id for claim in claims.claim]
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, f"more than one claim is called {', '.join(twice)}")
    return ", ".join(names)


def _cited(claims: Claims) -> str:
    require(claims.citation.strip(), "it says not whose claims they are")
    return claims.citation
