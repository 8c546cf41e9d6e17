"""What the medmnist package publishes of its data sets, read without importing the package."""

from __future__ import annotations

import ast
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

from medssl_bench.errors import DataError


@lru_cache(maxsize=1)
def published() -> dict[str, dict[str, Any]]:
    """Return the package's ``INFO``: task, classes, counts, licence, addresses and MD5 of each set, by flag.

    Importing medmnist would import torch, which planning does without, and make a folder in the user's home; the
    table is a literal, so its source is evaluated instead.

    Raises:
        DataError: the package is not installed, or keeps its table elsewhere.
    """
    spec = importlib.util.find_spec("medmnist")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("the package medmnist, which lists the MedMNIST sets, is not installed: pip install medmnist")
    file = Path(spec.submodule_search_locations[0]) / "info.py"
    try:
        tree = ast.parse(file.read_text("utf-8"))
        table: dict[str, dict[str, Any]] = next(
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["INFO"]
        )
    except (OSError, SyntaxError, ValueError, StopIteration) as error:
        raise DataError(f"{file}: cannot read the table of MedMNIST sets; install medmnist 3.0.2") from error
    return table
