"""Prints the requirements of an extra, one a line: pip can install them without this distribution."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    print("\n".join(project["optional-dependencies"][sys.argv[1]]))
