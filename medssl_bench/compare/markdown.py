"""Claims in Markdown: what a run says of each, with every contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.compare.claim_rows import CLAIM_HEADS, CLAIMS_NOTE, claim_row
from medssl_bench.results.formats.markdown import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.compare.verdicts import Verdict


def claims_to_markdown(verdicts: Mapping[str, Sequence[Verdict]]) -> str:
    """Return what a run says of published claims, by citation, with every contrast."""
    lines: list[str] = []
    for citation, found in verdicts.items():
        lines += [f"## Claims of {plain(citation)}", "", f"*{plain(CLAIMS_NOTE)}*", ""]
        for verdict in found:
            lines += [f"**{plain(verdict.claim.id)}** {plain(verdict.claim.text)}: {plain(verdict.told)}.", ""]
            lines += [f"*{plain(text)}*\n" for text in (verdict.claim.remark, " — ".join(verdict.marks)) if text]
            lines += [f"| {' | '.join(CLAIM_HEADS)} |", "|---|---|---|--:|--:|--:|---|--:|---|"]
            rows = [claim_row(verdict, contrast) for contrast in verdict.contrasts]
            lines += [f"| {' | '.join(plain(text) for text in row)} |" for row in rows]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"
