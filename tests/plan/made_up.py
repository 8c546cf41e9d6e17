"""A spec of data that is nowhere, for tests of what happens around a stage."""

from __future__ import annotations

from medssl_bench.plan.kinds.embed import EmbedSpec
from medssl_bench.plan.spec import DatasetSpec
from medssl_bench.plugin.component import Component


def embedding(dataset: Component | None = None) -> EmbedSpec:
    """Return the spec of features of a data set, which does not exist unless one is given."""
    component = dataset or Component("dataset", "no_such")
    return EmbedSpec(dataset=DatasetSpec(component=component, fingerprint="x"), start=None)
