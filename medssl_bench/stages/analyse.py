"""The analyse stage: a description of an encoder by its features."""

from __future__ import annotations

from functools import partial

import numpy as np

from medssl_bench.evaluators.base import Evaluator, Trial
from medssl_bench.plan.kinds.analyse import AnalyseSpec
from medssl_bench.plan.stage import Stage
from medssl_bench.randomness import forked, stream
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.evaluator_answer import keep, reporter, require_sound
from medssl_bench.stages.workshop import StageResult, Workshop


def analyse(stage: Stage[AnalyseSpec], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Describe an encoder.

    Args:
        stage: what to do; its parent is the embed stage.
        workshop: what to work with.
        attempt: in whose folder to leave ``arrays.npz`` and ``history.json``, if there are any.

    Raises:
        StageError: the evaluator does not do what it must.
    """
    spec, embedded = stage.spec, stage.features
    data = workshop.dataset(spec.dataset)
    evaluator: Evaluator = workshop.registry.build(spec.evaluator)
    trial = Trial(
        info=data.info,
        splits=data.splits,
        train=np.empty(0, dtype=np.int64),
        val=np.empty(0, dtype=np.int64),
        selection="last",
        seed=spec.seed,
        device=workshop.device,
        encoder=partial(workshop.encoder, None, embedded),
        features=workshop.features(embedded),
        report=reporter(attempt, spec.evaluator),
        sweep=spec.sweep,
    )
    with forked(stream("analyse", seed=spec.seed)):
        found = evaluator.evaluate(trial)
    require_sound(found, evaluator, spec.evaluator)
    keep(found, attempt.folder)
    return StageResult(metrics=dict(found.metrics), headline=dict(found.metrics), flags=dict(found.flags))
