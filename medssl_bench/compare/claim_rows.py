"""How the contrasts of a claim are written, in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.formats.text import signed

if TYPE_CHECKING:
    from medssl_bench.compare.verdicts import Contrast

CLAIM_HEADS = ("data set", "labels", "contrast", "this run", "±", "pairs", "estimate is", "published", "judged")

CLAIMS_NOTE = (
    "This run: mean over pairs, one for each training seed and label draw that the arms share; ±: sample standard "
    "deviation over these pairs, in which seeds and draws are mixed. “In favour” and “against” say on which side of "
    "the margin the estimate is, not whether that is chance. No claim is judged: there is no interval for seeds, draws "
    "and test images together yet."
)


def claim_row(contrast: Contrast) -> tuple[str, ...]:
    """Return a contrast as texts, one for each of `CLAIM_HEADS`."""
    return (
        contrast.dataset + (f" (other data: {contrast.label})" if contrast.stands_in else ""),
        contrast.labels,
        contrast.text,
        "" if contrast.estimate is None else signed(contrast.estimate),
        "" if contrast.spread is None else f"{contrast.spread:.3f}",
        contrast.pairs,
        contrast.side or "",
        "" if contrast.published is None else signed(contrast.published),
        contrast.told,
    )
