"""The classifier that a finished evaluation left in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.errors import UserError
from medssl_bench.models.prediction.classifier import Classifier
from medssl_bench.models.prediction.facts import Facts
from medssl_bench.store.tensors import load_tensors

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.plan.kinds.evaluate import EvaluateSpec
    from medssl_bench.stages.workshop import Workshop


def finished_classifier(key: str, spec: EvaluateSpec, info: DatasetInfo | None, workshop: Workshop) -> Classifier:
    """Return the classifier of an evaluation.

    Args:
        key: of the stage, which is done.
        spec: what it was to do.
        info: what is known of its data set.
        workshop: whose store has it.

    Raises:
        UserError: its evaluator leaves no linear layer, or too little is known of its data set.
        StageError: its encoder cannot be made.
    """
    record = workshop.store.record(key)
    if record is None or "head.safetensors" not in record.files:
        raise UserError(
            f"evaluator {spec.evaluator.name!r} leaves no linear layer on top of an encoder, so it predicts no new "
            "images; linear_probe and finetune do"
        )
    facts = Facts.of(spec, info)
    tuned = "encoder.safetensors" in record.files
    encoder = workshop.encoder(None, key) if tuned else workshop.encoder(spec.encoder, spec.start)
    head = load_tensors(workshop.store.checked(key, "head.safetensors"))
    return Classifier(encoder, head, facts, workshop.device)
