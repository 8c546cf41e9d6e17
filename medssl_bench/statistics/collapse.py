"""When features use so few dimensions, beside those of the untrained encoder, that a reader must know it."""

from __future__ import annotations

_SHARE = 0.1


def uses_few(rank: float, untrained: float) -> bool:
    """Return whether features have less than a tenth of the effective rank of the untrained encoder's.

    Those of an untrained network are near one direction themselves, so a limit for the rank alone would not do.

    Args:
        rank: effective rank (RankMe, Garrido et al. 2023).
        untrained: that of the untrained encoder's features of the same images.
    """
    return rank < _SHARE * untrained
