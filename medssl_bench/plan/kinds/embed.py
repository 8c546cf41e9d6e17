"""The embed stage: the features of all images of a data set, by one encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from medssl_bench.encoders.brought_file import is_brought, require_rows
from medssl_bench.plan.about import About
from medssl_bench.plan.spec import SpecWithEncoder
from medssl_bench.plan.workload import embedding_work, speed_group

if TYPE_CHECKING:
    from medssl_bench.plan.cell import Cell
    from medssl_bench.plan.spec import EncoderSpec
    from medssl_bench.plan.stage import Plan, Stage
    from medssl_bench.plugin.component import Component


class EmbedSpec(SpecWithEncoder):
    """Features of a data set."""

    kind: ClassVar[str] = "embed"
    does: ClassVar[str] = "medssl_bench.stages.embed:embed"


def add_embedding(
    plan: Plan, cell: Cell, encoder: Component, made: EncoderSpec, start: Stage | None, source: str
) -> Stage[EmbedSpec]:
    """Add the features of the cell's data set to a plan.

    Args:
        plan: where to add them.
        cell: which data set.
        encoder: the encoder of the arm, for the estimate.
        made: how the encoder is first made.
        start: the stage that leaves its weights; None for first weights.
        source: what the encoder is, in words.

    Raises:
        DataError: it is a file of features, which has not a row for each image.
    """
    known = cell.known
    decides: dict[str, Any] = {"dataset": known.identity()}
    if start is None:
        decides["encoder"] = made.identity()
    if known.info and is_brought(encoder):
        require_rows(Path(encoder.parameters["file"]), known.info.counts, cell.dataset.label)
    total = sum(known.info.counts.values()) if known.info else None
    return plan.add_stage(
        f"features · {cell.place} · {source}",
        decides,
        EmbedSpec(dataset=known.spec, encoder=made, start=start.key if start else None),
        parents=[start] if start else [],
        pending=known.pending,
        images=total,
        speed_group=speed_group("embed", encoder, known.size),
        work=None if total is None else embedding_work(encoder, known.size, total),
        about=About(dataset=cell.dataset.label),
    )


KIND = EmbedSpec
