from pathlib import Path
from typing import Any

import pytest

from medssl_bench.suite.merge import merge
from medssl_bench.suite.positions import Node, read_toml


def _merged(tmp_path: Path, base: str, over: str) -> Node:
    nodes = []
    for name, text in (("base", base), ("over", over)):
        (tmp_path / f"{name}.toml").write_text(text)
        nodes.append(read_toml(tmp_path / f"{name}.toml"))
    return merge(*nodes)


@pytest.mark.parametrize(
    ("base", "over", "wanted"),
    [
        ("a = 1\nb = 2", "b = 3\nc = 4", {"a": 1, "b": 3, "c": 4}),
        ("[t]\na = 1\nb = 2", "[t]\nb = 3", {"t": {"a": 1, "b": 3}}),
        ("a = [1, 2]", "a = [3]", {"a": [3]}),
        ("a = [1]", "a = { b = 1 }", {"a": {"b": 1}}),
        ("a = { b = 1 }", "a = 2", {"a": 2}),
        # whole suites have names of their own, and are merged all the same
        ('name = "x"\na = 1', 'name = "y"\nb = 2', {"name": "y", "a": 1, "b": 2}),
        # another component has other parameters
        ('m = { name = "x", p = 1 }', 'm = { name = "y", q = 2 }', {"m": {"name": "y", "q": 2}}),
        ('m = { name = "x", p = 1 }', 'm = { name = "x", q = 2 }', {"m": {"name": "x", "p": 1, "q": 2}}),
        ('m = { name = "x", p = 1 }', "m = { p = 2 }", {"m": {"name": "x", "p": 2}}),
        ('m = { name = "x", p = 1 }', 'm = "x"', {"m": "x"}),
        # a component that was a mere name gets parameters; other texts, such as a budget, are replaced
        ('encoder = "x"', "encoder = { p = 1 }", {"encoder": {"name": "x", "p": 1}}),
        ('encoder = "x"', 'encoder = { name = "y", p = 1 }', {"encoder": {"name": "y", "p": 1}}),
        ('encoder = "x"', 'encoder = "y"', {"encoder": "y"}),
        ('images = "all"', "images = { count = 5 }", {"images": {"count": 5}}),
        # something may be called name
        ("[t.name]\na = 1", "[t.name]\nb = 2", {"t": {"name": {"a": 1, "b": 2}}}),
    ],
)
def test_what_the_second_says_holds_and_where_it_is_silent_the_first(
    base: str, over: str, wanted: dict[str, Any], tmp_path: Path
) -> None:
    assert _merged(tmp_path, base, over).plain() == wanted


def test_comparisons_are_merged_by_id_and_arms_by_name(tmp_path: Path) -> None:
    base = """
    [[comparison]]
    id = "one"
    labels = [1]
    [[comparison.arm]]
    name = "a"
    evaluator = "x"
    [[comparison.arm]]
    name = "b"
    [[comparison]]
    id = "two"
    """
    over = """
    [[comparison]]
    id = "three"
    [[comparison]]
    id = "one"
    labels = [2]
    [[comparison.arm]]
    name = "c"
    [[comparison.arm]]
    name = "a"
    encoder = "y"
    """
    merged = _merged(tmp_path, base, over)
    arms = [{"name": "a", "evaluator": "x", "encoder": "y"}, {"name": "b"}, {"name": "c"}]
    assert merged.plain()["comparison"] == [{"id": "one", "labels": [2], "arm": arms}, {"id": "two"}, {"id": "three"}]


def test_everything_keeps_the_file_and_line_it_comes_from(tmp_path: Path) -> None:
    merged = _merged(tmp_path, "a = 1\n[t]\nb = 2\nc = 3", "\n\n[t]\nc = 4")
    places = {key: str(merged.locate(key)).replace(f"{tmp_path}/", "") for key in [("a",), ("t", "b"), ("t", "c")]}
    assert places == {("a",): "base.toml:1", ("t", "b"): "base.toml:3", ("t", "c"): "over.toml:4"}


def test_items_without_a_name_are_added(tmp_path: Path) -> None:
    assert _merged(tmp_path, "comparison = [1, {}]", "comparison = [{}, 2]").plain() == {"comparison": [1, {}, {}, 2]}
