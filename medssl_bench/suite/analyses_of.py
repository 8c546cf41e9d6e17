"""Which encoders the analyses of a comparison are computed of: the suite's words checked, and asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.errors import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from medssl_bench.suite.schema import AnalysesOf


def unknown(wanted: AnalysesOf, known: dict[str, Sequence[Any]]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the key and the fault of everything that is asked for and that the comparison does not have.

    Args:
        wanted: what the suite says.
        known: what there is, by key, as messages show it: ``arms``, ``datasets``, ``labels``, ``seeds``, ``draws``,
            ``folds``.
    """
    for key, word in _WORDS.items():
        there = [str(item) for item in known[key]]
        for place, item in enumerate(getattr(wanted, key) or ()):
            name = item.text if key == "labels" else str(item)
            if name in there:
                continue
            asked = repr(name) if isinstance(item, str) else name
            shown = quoted(there) if isinstance(item, str) else ", ".join(there)
            hint = did_you_mean(name, there) if isinstance(item, str) else ""
            others = f"; there are: {shown}" if there else f"; it has no {key}"
            yield (key, place), f"there is no {word} {asked} in the comparison{hint or others}"


_WORDS = {
    "arms": "arm",
    "datasets": "data set",
    "labels": "label budget",
    "seeds": "training seed",
    "draws": "label draw",
    "folds": "fold",
}


def is_wanted(
    wanted: AnalysesOf, *, arm: str | None = None, dataset: str, labels: str | None = None,
    seed: int | None = None, draw: int | None = None, fold: int | None = None,
) -> bool:  # fmt: skip
    """Return whether an encoder is to be analysed; None: a property that the encoder does not depend on."""
    labels_wanted = None if wanted.labels is None else [budget.text for budget in wanted.labels]
    asked: tuple[tuple[Sequence[object] | None, object], ...] = (
        (wanted.arms, arm),
        (wanted.datasets, dataset),
        (labels_wanted, labels),
        (wanted.seeds, seed),
        (wanted.draws, draw),
        (wanted.folds, fold),
    )
    return all(names is None or value is None or value in names for names, value in asked)
