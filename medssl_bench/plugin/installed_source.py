"""The source of installed plugins: where it is, and that what is imported is what was hashed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.plugin.content import read_source
from medssl_bench.plugin.hashed import import_from

if TYPE_CHECKING:
    from importlib.metadata import Distribution


def is_editable(distribution: Distribution) -> bool:
    """Return whether a distribution is installed in place, so that its source may change."""
    text = distribution.read_text("direct_url.json")
    return bool(text and json.loads(text).get("dir_info", {}).get("editable"))


def read_and_import(path: Path, root: Path) -> tuple[str, str]:
    """Return the digest of a package's source, and what stands against importing what was read, or ''."""
    source = read_source(path, root)
    return source.digest, import_from(source.files, source.root)


def package_of(module: str) -> tuple[Path, Path] | None:
    """Return the outermost package, or module, that a module belongs to, and its root; namespaces are none."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        try:
            spec = importlib.util.find_spec(".".join(parts[:length]))
        except (ImportError, ValueError):
            return None
        if spec is None:
            return None
        if spec.origin is not None:
            origin = Path(spec.origin)
            path = origin.parent if spec.submodule_search_locations else origin
            return path, path.parents[length - 1]
    return None
