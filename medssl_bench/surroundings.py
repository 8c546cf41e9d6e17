"""Keeps the current directory off `sys.path` and off the search for programs.

A suite's folder may come from another person. Only the plugins that the suite names run.
"""

from __future__ import annotations

import os
import sys


def leave_out_working_directory() -> None:
    """Take the working directory off `sys.path`, where ``python -m medssl_bench`` has it first.

    A file ``json.py`` or ``torch.py`` in it would be run in place of the library. To be called before anything that
    could be such a file is imported.
    """
    as_module = sys.argv[:1] == ["-m"] and any(
        word.removeprefix("-m").partition(".")[0] == "medssl_bench" for word in sys.orig_argv[1:]
    )
    if as_module and not sys.flags.safe_path and sys.path and sys.path[0] in {"", os.getcwd()}:  # noqa: PTH109
        del sys.path[0]


def leave_out_relative_programs() -> None:
    """Take entries such as ``.`` out of the environment's ``PATH``: libraries look up programs there."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(entry for entry in entries if os.path.isabs(entry)) or os.defpath  # noqa: PTH117
