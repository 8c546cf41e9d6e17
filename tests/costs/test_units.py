"""Work and what it costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.costs.units import ROUGH, cost_of, seconds


def test_a_variant_that_nobody_measured_costs_what_its_name_does() -> None:
    assert cost_of("view:mine", {"view:simclr": 3.0}) == ROUGH["view"]
    assert cost_of("view:mine", {"view": 2.0, "view:simclr": 3.0}) == 2.0
    assert cost_of("view:simclr", {"view": 2.0, "view:simclr": 3.0}) == 3.0
    assert cost_of("analysis:embedding", {}) == ROUGH["analysis:embedding"] != cost_of("analysis:mine", {})


def test_what_is_no_unit_has_no_cost() -> None:
    with pytest.raises(KeyError):
        cost_of("work", {"view": 1.0})


@given(st.dictionaries(st.sampled_from(sorted(ROUGH)), st.floats(0, 1e9)), st.integers(1, 1000))
def test_time_is_proportional_to_work(work: dict[str, float], times: int) -> None:
    more = {unit: number * times for unit, number in work.items()}
    assert seconds(more, {}) == pytest.approx(times * seconds(work, {}))
    assert seconds(work, dict.fromkeys(ROUGH, 2.0)) == pytest.approx(2 * sum(work.values()))
