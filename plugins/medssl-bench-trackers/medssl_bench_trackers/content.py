"""What is logged of a stage, and how it is named: the same in every tracker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medssl_bench.plugin.watching import StageInfo

CURVE = "epoch/"
"""What names of curves begin with: ``epoch/loss``."""

RESULT = "result/"
"""What names of results begin with: ``result/accuracy``."""

BOARD = "leaderboard"
"""What the run of a tracker is called that has the tables of a suite."""

_SECRET = re.compile(
    r"(^|[._-])(password|passwd|passphrase|secret|token|authorization|credentials?"
    r"|(secret[_-]?)?(access|api|private|secret)[_-]?key)$",
    re.IGNORECASE,
)
_USER = re.compile(r"(?<=://)[^\s/?#]*@")
_SIGNED = re.compile(r"([?&][^=&#\s]*(?:token|sig|signature|key|secret|password|credential)=)[^&#\s]*", re.IGNORECASE)
_HIDDEN = "***"


@dataclass(frozen=True)
class Numbers:
    """Numbers by name, of one epoch.

    Attributes:
        epoch: from 0.
        values: such as ``epoch/loss``.
    """

    epoch: int
    values: Mapping[str, float]

    @classmethod
    def of(cls, epoch: int, metrics: Mapping[str, Any], images_per_second: float | None = None) -> Numbers:
        """Return the curves of an epoch from its metrics."""
        named = {CURVE + name: float(value) for name, value in metrics.items() if _is_number(value) and name != "epoch"}
        if images_per_second is not None:
            named[f"{CURVE}images_per_second"] = float(images_per_second)
        return cls(epoch, named)


@dataclass(frozen=True)
class Ending:
    """How a stage has ended.

    Attributes:
        status: ``done``, ``failed`` or ``blocked``; ``stopped``: the run has ended before it.
        results: such as ``result/accuracy``.
        notes: texts by name: the reason of a failure, and what a reader must know of a result.
    """

    status: str
    results: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


def results_of(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers among metrics by the names that trackers have for them."""
    return {RESULT + name: float(value) for name, value in metrics.items() if _is_number(value)}


def settings_of(stage: StageInfo) -> dict[str, str | int | float | bool]:
    """Return the settings of a stage and the axes that decide its result: one level, names with dots, no secrets.

    They are fixed by the key of the stage, but for labels that suites give data sets and recipes.
    """
    found = dict(_flat(cleaned(stage.parameters)))
    axes = {"kind": stage.kind, "labels": stage.labels, "seed": stage.seed, "draw": stage.draw, "fold": stage.fold}
    found |= {name: value for name, value in axes.items() if value not in (None, "")}
    return {name: _HIDDEN if _SECRET.search(name) else value for name, value in found.items()}


def names_of(stage: StageInfo) -> dict[str, str]:
    """Return what the suite calls the parts of a stage: texts that a later suite may change for the same stage."""
    said = {
        "key": stage.key,
        "title": stage.title,
        "dataset": stage.dataset,
        "recipe": stage.recipe,
        "method": stage.method,
        "on": stage.on,
        "arms": " | ".join(dict.fromkeys(arm.name for arm in stage.arms)),
        "comparisons": " | ".join(dict.fromkeys(arm.comparison for arm in stage.arms)),
    }
    return {name: without_secrets(text) for name, text in said.items() if text}


def without_secrets(value: Any) -> Any:
    """Return a value; of addresses in a text, users, passwords, tokens, keys and signatures are hidden."""
    return _SIGNED.sub(rf"\1{_HIDDEN}", _USER.sub(f"{_HIDDEN}@", value)) if isinstance(value, str) else value


def cleaned(data: Any) -> Any:
    """Return JSON-able data without secrets."""
    if isinstance(data, Mapping):
        return {name: _HIDDEN if _SECRET.search(str(name)) else cleaned(item) for name, item in data.items()}
    return [cleaned(item) for item in data] if isinstance(data, list | tuple) else without_secrets(data)


def file_name(text: str, most: int = 80) -> str:
    """Return a text as a part of a path: letters, digits and a few signs."""
    return re.sub(r"[^\w.=+-]+", "-", text).strip("-.")[:most].strip("-.") or "run"


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str | int | float | bool]]:
    for name, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{before}{name}.")
        elif isinstance(item, str | int | float | bool):
            yield before + name, item
        else:
            yield before + name, json.dumps(item, ensure_ascii=False)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
