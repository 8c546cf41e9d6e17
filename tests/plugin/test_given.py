"""Names and values of mappings that components give."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.plugin.given import wrong_with_flags, wrong_with_names, wrong_with_numbers


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "../x",
        "a/b",
        "a\nb",
        "1st",
        "_a",
        ".a",
        "\u0430ccuracy",
        "é",
        "a" * 61,
        3,
        None,
        ("a",),
        "a\x00",
    ],
)
def test_a_strange_name_is_refused(name: Any) -> None:
    wrong = wrong_with_names("metric", {name: 1.0})
    assert "a name is a letter" in wrong
    assert wrong.isprintable()


@pytest.mark.parametrize("name", ["accuracy", "Accuracy", "ACCURACY"])
def test_a_reserved_name_is_refused_however_it_is_written(name: str) -> None:
    wrong = wrong_with_names("metric", {name: 1.0}, ("accuracy", "auroc"))
    assert wrong == (
        f"a metric called {name!r}, which is a name of the harness' own; give it another (reserved: accuracy, auroc)"
    )


def test_names_that_a_file_system_may_not_tell_apart() -> None:
    assert "'head' and 'Head'" in wrong_with_names("state dict", {"head": 1, "Head": 2})


@pytest.mark.parametrize(
    "value",
    [True, "0.5", None, np.float32(0.5), np.array(0.5), [0.5], 1j, math.nan, math.inf, -math.inf, 10**400],
    ids=repr,
)
def test_what_is_no_finite_number_is_refused_in_a_short_line(value: Any) -> None:
    wrong = wrong_with_numbers("metric", {"dice": value})
    assert "'dice'" in wrong
    assert wrong.isprintable()
    assert len(wrong) < 250


@pytest.mark.parametrize("given", [None, [("a", 1.0)], "text", 3])
def test_what_is_no_mapping_is_refused(given: Any) -> None:
    assert "not as a dict" in wrong_with_numbers("metric", given)
    assert "not as a dict" in wrong_with_flags(given)


@pytest.mark.parametrize("sentence", ["", "  ", "two\nlines", 3, None, "x" * 500])
def test_a_flag_is_a_sentence_of_one_line(sentence: Any) -> None:
    assert "'odd'" in wrong_with_flags({"odd": sentence})
    assert not wrong_with_flags({"odd": "the data were odd (7 of 9)"})


@settings(deadline=None)
@given(
    numbers=st.dictionaries(
        st.text(max_size=8) | st.sampled_from(["dice", "f1.macro", "top-5"]),
        st.floats() | st.integers() | st.booleans() | st.none() | st.text(max_size=3),
        max_size=3,
    )
)
def test_what_passes_can_be_written_and_read_as_numbers(numbers: dict[str, Any]) -> None:
    if not wrong_with_numbers("metric", numbers):
        text = json.dumps(numbers, allow_nan=False)
        read = {name: float(value) for name, value in json.loads(text).items()}
        assert read == {name: float(value) for name, value in numbers.items()}  # an int may be longer than a float
