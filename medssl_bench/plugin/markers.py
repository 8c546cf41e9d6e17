"""The pluggy markers of this project."""

from __future__ import annotations

import pluggy

PROJECT = "medssl_bench"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
