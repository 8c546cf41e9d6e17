"""What the thesis claims, as data."""

from __future__ import annotations

from importlib.resources import files

from medssl_bench.report.claims import Claims


def thesis() -> Claims:
    """The claims C1 to C16 of [Jiang 2023]: cells, direction and margin of each."""
    return Claims.from_toml((files("medssl_bench_thesis") / "data" / "claims.toml").read_text(encoding="utf-8"))
