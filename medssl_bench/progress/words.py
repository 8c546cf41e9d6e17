"""How times, metrics and counts are said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medssl_bench.plugin.watching import Outcome


def numbers(metrics: Mapping[str, float]) -> str:
    """Return the metrics that a person follows, as ``loss 1.234  accuracy 0.771``."""
    shown = ("loss", "top1", "val_top1", "val_accuracy", "accuracy", "auroc")
    named = [name for name in shown if name in metrics] or list(metrics)[:3]
    return "  ".join(f"{name.replace('_', ' ')} {metrics[name]:.3f}" for name in named)


def duration(seconds: float) -> str:
    """Return a time as people say it: ``8 s``, ``3 min 20 s``, ``5 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if whole else f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def ended(outcomes: Iterable[Outcome]) -> str:
    """Return how stages ended, as ``27 done, 1 failed, 2 blocked``; what there is none of is left out, but done."""
    statuses = [outcome.status for outcome in outcomes]
    counts = [(statuses.count(status), status) for status in ("done", "failed", "blocked")]
    return ", ".join(f"{count} {status}" for count, status in counts if count or status == "done")
