"""Prints constraints for pip, one a line: the lowest version of each dependency that this repository declares."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

LEFT_OUT = frozenset({"torch", "medssl-bench"})
"""torch is the largest by far, and its lowest release is not built for every machine."""


def lowest(requirements: list[str]) -> dict[str, str]:
    """Return the version after ``>=`` of each requirement, by the name of its distribution."""
    found = {}
    for text in requirements:
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?>=([0-9.]+)", text.replace(" ", ""))
        if match is None:
            sys.exit(f"{text!r} has no lower bound of the form name>=version")
        found[match[1]] = match[2]
    return found


def main() -> None:
    """Print the constraints of all ``pyproject.toml`` files."""
    root = Path(__file__).resolve().parents[1]
    bounds: dict[str, set[str]] = {}
    for file in [root / "pyproject.toml", *sorted(root.glob("plugins/*/pyproject.toml"))]:
        for name, version in lowest(tomllib.loads(file.read_text("utf-8"))["project"]["dependencies"]).items():
            bounds.setdefault(name, set()).add(version)
    for name, versions in sorted(bounds.items()):
        if name in LEFT_OUT:
            continue
        if len(versions) > 1:
            sys.exit(f"{name} has several lower bounds: {', '.join(sorted(versions))}")
        print(f"{name}=={versions.pop()}")


if __name__ == "__main__":
    main()
