"""How the contrasts of a claim are written, in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.formats.text import signed

if TYPE_CHECKING:
    from medssl_bench.compare.contrasts import Contrast
    from medssl_bench.compare.verdicts import Verdict

CLAIM_HEADS = (
    "data set",
    "labels",
    "contrast",
    "this run",
    "95 % interval",
    "pairs",
    "estimate is",
    "published",
    "judged",
)

CLAIMS_NOTE = (
    "This run: mean over pairs, one for each training seed and label draw that the arms share, with the interval for "
    "other seeds, draws and test images. “In favour” and “against” say on which side of the margin the estimate is. A "
    "claim holds if each of its contrasts is shown: its interval is on that side. It does not hold if one is refuted: "
    "its interval, at a level for the number of contrasts, is on the other side. Else the run cannot tell. “On "
    "average” is another reading, and says less: the mean of the contrasts of a data set, in one test."
)


def claim_row(verdict: Verdict, contrast: Contrast) -> tuple[str, ...]:
    """Return a contrast of a claim as texts, one for each of `CLAIM_HEADS`."""
    found = contrast.interval
    return (
        contrast.dataset + (f" (other data: {contrast.label})" if contrast.stands_in else ""),
        contrast.labels,
        contrast.text,
        "" if contrast.estimate is None else signed(contrast.estimate),
        "" if isinstance(found, str) else " to ".join(map(signed, found.interval())),
        contrast.pairs,
        contrast.side or "",
        "" if contrast.published is None else signed(contrast.published),
        verdict.told_of(contrast),
    )
