"""Links torch into another environment: it is the largest package by far, and a second copy would take minutes.

What torch needs and others release (numpy, sympy, jinja2) is not linked: pip installs it, in the version it is told.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

COMPANY = re.compile(r"torch|torchvision|triton|(nvidia|cuda)-.+")
"""What is made for one release of torch, with that release itself."""


def main() -> None:
    """Link what is installed here into the ``site-packages`` that the first argument names.

    Each file by itself: whatever pip does there, nothing is written into folders of this environment.
    """
    target = Path(sys.argv[1])
    for found in distributions():
        if COMPANY.fullmatch(re.sub(r"[-_.]+", "-", found.name).lower()):
            for file in found.files or []:
                if ".." not in file.parts:
                    (target / file).parent.mkdir(parents=True, exist_ok=True)
                    (target / file).symlink_to(found.locate_file(file))


if __name__ == "__main__":
    main()
