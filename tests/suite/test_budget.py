import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.datasets.budget import Budget
from medssl_bench.suite.budget import BudgetError, parse_budget, parse_positive_budget

SHORT = st.sampled_from(["error", "clip", "skip"])
COUNTS = st.integers(1, 10**9)
PERCENTS = st.floats(0, 100, exclude_min=True) | st.integers(1, 100)


@st.composite
def written(draw: st.DrawFn) -> tuple[Any, Budget]:
    """Draw a budget as a suite writes it, and what it means."""
    count, percent = draw(COUNTS), draw(PERCENTS)
    options: dict[str, Any] = draw(st.fixed_dictionaries({}, optional={"short": SHORT, "stratified": st.booleans()}))
    meant = {"stratified": options.get("stratified", False), "short": options.get("short", "error")}
    per_class = {key: value for key, value in options.items() if key != "stratified"}
    whole = draw(st.integers(1, 100))
    return draw(
        st.sampled_from(
            [
                ("all", Budget("all")),
                (0, Budget("none")),
                (count, Budget("count", count)),
                (f"{whole}%", Budget("percent", whole)),
                (f"{whole - 1}.5 %", Budget("percent", whole - 0.5)),
                ({"count": count, **options}, Budget("count", count, **meant)),
                ({"percent": percent, **options}, Budget("percent", percent, **meant)),
                ({"per_class": count, **per_class}, Budget("per_class", count, short=meant["short"])),
            ]
        )
    )


@given(written())
def test_every_way_to_write_a_budget(pair: tuple[Any, Budget]) -> None:
    value, budget = pair
    assert parse_budget(value) == budget
    assert parse_budget(budget) is budget


@given(written())
def test_a_budget_goes_through_json_as_stages_store_it(pair: tuple[Any, Budget]) -> None:
    budget = parse_budget(pair[0])
    assert Budget(**json.loads(json.dumps(budget.to_data())), short=budget.short) == budget


@given(written(), st.integers(1, 10**6))
def test_a_budget_is_never_more_than_there_is(pair: tuple[Any, Budget], total: int) -> None:
    budget = pair[1]
    if budget.unit == "per_class":
        assert budget.images(total) is None
    elif budget.unit == "count" and budget.amount > total and budget.short == "error":
        with pytest.raises(ValueError, match=rf"{budget.amount} images are asked of a set of {total}; .*clip"):
            budget.images(total)
    else:
        images = budget.images(total)
        assert images is not None
        assert (1 if budget.unit != "none" else 0) <= images <= total
    assert budget.is_skipped(total) == (budget.unit == "count" and budget.short == "skip" and budget.amount > total)


@given(COUNTS, COUNTS)
def test_other_numbers_have_other_texts(first: int, second: int) -> None:
    assert (parse_budget(first).text == parse_budget(second).text) == (first == second)


@pytest.mark.parametrize(
    ("value", "text", "drawn"),
    [
        (100, "100", True),
        (1_234_567, "1234567", True),
        (0, "0", False),
        ("all", "all", False),
        ("10%", "10%", True),
        ("2.5%", "2.5%", True),
        ({"per_class": 25}, "25/class", True),
        ({"percent": 5, "stratified": True}, "5% stratified", True),
        ({"count": 10, "stratified": True, "short": "clip"}, "10 stratified", True),
    ],
)
def test_what_column_heads_show(value: Any, text: str, drawn: bool) -> None:
    budget = parse_budget(value)
    assert (budget.text, budget.is_drawn) == (text, drawn)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1, "-1 images cannot be drawn; give N from 0"),
        (1.0, "1.0 is not a budget"),
        (True, "True is not a budget"),
        (None, "None is not a budget"),
        ([100], r"\[100\] is not a budget"),
        ("some", '\'some\' is not a budget; give N, "all" or "10%"'),
        ("All", "is not a budget"),
        ("10 percent", "is not a budget"),
        ("0%", "0.0 is not a percentage above 0 and up to 100"),
        ("101%", "101.0 is not a percentage"),
        ("-5%", "is not a budget"),
        ("1e1%", "is not a budget"),
        ({}, "exactly one of count, per_class, groups and percent"),
        ({"count": 1, "percent": 1}, "exactly one of"),
        ({"short": "clip"}, "exactly one of"),
    ],
)
def test_what_is_no_budget(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_budget(value)


@pytest.mark.parametrize(
    ("value", "key", "message"),
    [
        ({"per_clas": 3}, "per_clas", r"unknown key \(did you mean 'per_class'\?\)"),
        (
            {"count": 3, "zzz": 1},
            "zzz",
            "unknown key; a budget takes count, per_class, groups, percent, stratified, short",
        ),
        ({"count": 0}, "count", "whole number from 1, not 0"),
        ({"count": True}, "count", "whole number from 1, not True"),
        ({"per_class": 2.5}, "per_class", "whole number from 1, not 2.5"),
        ({"percent": "5"}, "percent", "'5' is not a percentage"),
        ({"percent": float("nan")}, "percent", "not a percentage"),
        ({"count": 3, "short": "clipp"}, "short", "expected 'error', 'clip' or 'skip', not 'clipp'"),
        ({"count": 3, "short": ["clip"]}, "short", "not \\['clip'\\]"),
        ({"count": 3, "stratified": 1}, "stratified", "expected true or false, not 1"),
        ({"per_class": 3, "stratified": True}, "stratified", "cannot be stratified too"),
        ({"groups": 0}, "groups", "whole number from 1, not 0"),
        ({"groups": 3, "stratified": True}, "stratified", "whole groups are drawn; they cannot be stratified too"),
    ],
)
def test_what_is_wrong_in_a_budgets_table(value: Any, key: str, message: str) -> None:
    with pytest.raises(BudgetError, match=message) as caught:
        parse_budget(value)
    assert caught.value.key == key


def test_some_places_need_an_image() -> None:
    assert parse_positive_budget("1%").amount == 1
    with pytest.raises(ValueError, match="at least one image is needed"):
        parse_positive_budget(0)


def test_short_is_in_no_key() -> None:
    assert parse_budget({"count": 3, "short": "clip"}).to_data() == parse_budget(3).to_data()


def test_a_budget_in_groups() -> None:
    budget = parse_budget({"groups": 20, "short": "clip"})

    assert (budget.unit, budget.amount, budget.short, budget.text) == ("groups", 20, "clip", "20 groups")
    assert parse_budget({"groups": 1}).text == "1 group"
    assert budget.is_drawn
    assert budget.images(100) is None
