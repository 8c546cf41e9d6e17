"""The settings that validation labels have chosen for a result, as its record says them, and as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.store.record import Record


def tuned_values(record: Record | None) -> Mapping[str, Any]:
    """Return the settings that validation labels chose for a result, by name; empty where it was not tuned."""
    choices = record.metrics.get("choices") if record else None
    tuning = choices.get("tuning") if isinstance(choices, dict) else None
    values = tuning.get("values") if isinstance(tuning, dict) else None
    return values if isinstance(values, dict) else {}


def chosen_text(values: Mapping[str, Any]) -> str:
    """Return settings as text: ``lr = 0.01, optimizer = sgd``."""
    return ", ".join(f"{name} = {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    """Return a value as short as it can be told: a component by its name."""
    if isinstance(value, dict) and "name" in value:
        return str(value["name"])
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
