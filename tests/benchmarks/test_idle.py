"""What counts as idle."""

from __future__ import annotations

import pytest

from benchmarks.idle import idle_part


@pytest.mark.parametrize(
    ("spans", "wanted"),
    [
        ([(0, 1), (1, 2)], 0.0),
        ([(0, 1), (3, 4)], 0.5),
        ([(0, 4), (1, 2), (6, 8)], 0.25),  # kernels beside one another
        ([(6, 8), (0, 4)], 0.25),
    ],
)
def test_the_time_in_no_span_is_idle(spans, wanted):
    assert idle_part(spans) == wanted
