"""Fills the templates of pages: all text is escaped, and no script runs but the harness' own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup


def filled(
    template: str, scripts: Sequence[str] = (), filters: dict[str, Callable[[str], str]] | None = None, **values: Any
) -> str:
    """Return a page.

    Args:
        template: its file, from the folder of this module.
        scripts: files of its script, in order; the template gets them as ``script`` and their digest as
            ``script_hash``, by which its policy allows them.
        filters: of the template, by name.
        values: what it shows, by name; the style of all pages is ``style``.
    """
    folder = files("medssl_bench.report")
    script = "".join((folder / name).read_text("utf-8") for name in scripts)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= filters or {}
    return environment.from_string((folder / template).read_text("utf-8")).render(
        style=Markup((folder / "page" / "page.css").read_text("utf-8")),  # noqa: S704 - the harness' own file
        script=Markup(script),  # noqa: S704 - likewise
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **values,
    )
