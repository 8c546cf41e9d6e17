"""What a component declares: the types and defaults of its parameters, however it does so."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Declaration:
    """The parameters of a component, in the order in which they are declared.

    Attributes:
        types: the type of each, with its marks and limits (``Annotated``).
        defaults: the defaults of those that have one.
    """

    types: dict[str, Any]
    defaults: dict[str, Any]


@contextmanager
def no_such_type() -> Iterator[None]:
    """Turn the error of a type that cannot be evaluated into one line.

    Raises:
        PluginError: instead of that error.
    """
    try:
        yield
    except (NameError, TypeError, SyntaxError, AttributeError) as error:
        raise PluginError(
            f"the type of a parameter cannot be evaluated ({error}); import it outside 'if TYPE_CHECKING'"
        ) from error
