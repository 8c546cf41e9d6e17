"""When a pretraining is said to have collapsed, perhaps."""

import pytest

from medssl_bench.methods.collapse import collapse_flags


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ({}, None),
        ({"loss": 0.0, "spread": 0.7}, None),
        ({"spread": 0.02}, "spread 0.020"),
        ({"spread": 0.02, "val_spread": 0.7}, None),
        ({"spread": 0.7, "val_spread": 0.02}, "spread 0.020"),
        ({"val_spread": 0.7, "val_rank": 1.2}, "rank 1.2"),
        ({"val_spread": 0.7, "val_rank": 30.0}, None),
    ],
)
def test_gauges_tell(last, said):
    flags = collapse_flags(last)
    assert set(flags) == ({"collapse"} if said else set())
    assert said is None or said in flags["collapse"]
