"""A stage as a record says what was done, and a record as what is to be done."""

from __future__ import annotations

from medssl_bench.errors import UserError
from medssl_bench.plan.kinds import spec_of
from medssl_bench.plan.stage import Stage
from medssl_bench.store.record import Record


def record_of(stage: Stage) -> Record:
    """Return the record of a stage that is to be done: what it is, without what it has given."""
    spec = {**stage.spec.to_data(), "parents": list(stage.parents)}
    scale = stage.spec.epochs_scale
    return Record(stage.key, stage.kind, stage.title, "done", stage.identity, epochs_scale=scale, spec=spec)


def stage_of(record: Record) -> Stage:
    """Return the stage that a record is of, as far as it says what was to be done.

    Raises:
        UserError: the record does not describe a stage.
    """
    spec, parents = spec_of(record.kind, record.spec), record.spec.get("parents", [])
    if not isinstance(parents, list) or not all(isinstance(key, str) for key in parents):
        raise UserError("the record does not describe a stage: parents: expected a list of keys")
    return Stage(record.key, record.title, record.identity, spec, tuple(parents))
