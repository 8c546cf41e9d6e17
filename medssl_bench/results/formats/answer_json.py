"""What the tables of a leaderboard together answer, for other programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from medssl_bench.results.formats.answers import answers

if TYPE_CHECKING:
    from medssl_bench.results.label_efficiency import LabelEfficiency
    from medssl_bench.results.price import Price
    from medssl_bench.results.ranking import Ranking
    from medssl_bench.results.robustness import Robustness
    from medssl_bench.results.tables import TableResult
    from medssl_bench.results.transfers import Transfer


class HasAnswer(Protocol):
    """A leaderboard, as far as it is about all its tables."""

    rankings: list[Ranking]
    prices: list[Price]
    tables: list[TableResult]
    robustness: list[Robustness]
    transfers: list[Transfer]

    @property
    def label_efficiency(self) -> list[LabelEfficiency]:
        """Return how many labels arms save."""


def answer_to_json(board: HasAnswer) -> str:
    """Return what the tables together answer as one JSON object.

    It has ``answers``, ``rankings``, ``prices``, ``label_efficiency``, ``optimism``, ``robustness`` and ``transfers``,
    each a list.
    """
    found: dict[str, list[dict[str, Any]]] = {
        "answers": [{"comparison": table.id, "sentences": answers(table)} for table in board.tables],
        "rankings": [ranking.to_data() for ranking in board.rankings],
        "prices": [price.to_data() for price in board.prices],
        "label_efficiency": [found.to_data() for found in board.label_efficiency],
        "optimism": [{"comparison": t.id, **each.to_data()} for t in board.tables for each in t.optimism],
        "robustness": [found.to_data() for found in board.robustness],
        "transfers": [found.to_data() for found in board.transfers],
    }
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
