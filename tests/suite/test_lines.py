import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from suite.toml_documents import Document, Path, documents

from medssl_bench.suite.lines import line_numbers


@given(documents())
@settings(max_examples=1500, deadline=None)
def test_every_path_has_the_line_on_which_it_was_written(document: Document) -> None:
    parsed = tomllib.loads(document.text)
    found = line_numbers(document.text)
    assert found == document.lines
    assert set(_paths(parsed, ())) == found.keys(), "what tomllib finds, and nothing else"


def _paths(value: Any, path: Path) -> list[Path]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in ((*path, key), *_paths(item, (*path, key)))]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("# nothing\n\n", {}),
        ("a = 1", {("a",): 1}),
        ("\n\na.b.c = 1\na.d = 2\n", {("a",): 3, ("a", "b"): 3, ("a", "b", "c"): 3, ("a", "d"): 4}),
        ("x = [\n  1, # one ]\n\n  2,\n]\ny = 3", {("x",): 1, ("x", 0): 2, ("x", 1): 4, ("y",): 6}),
        ('x = """\n[t]\na = 1\n\\"""\n"""\ny = 1', {("x",): 1, ("y",): 6}),
        ('x = """a"""""\ny = """"b"""\nz = 1', {("x",): 1, ("y",): 2, ("z",): 3}),
        ("x = '''\n\\'''\ny = '\\'", {("x",): 1, ("y",): 3}),
        ('x = "\\\\" # "\ny = 1', {("x",): 1, ("y",): 2}),
        ('["a.b" . c]\n"d\\u0065" = 1', {("a.b",): 1, ("a.b", "c"): 1, ("a.b", "c", "de"): 2}),
        (
            "[[t]]\n[[t.u]]\n[[t.u]]\nv = 1\n[[t]]\n[[t.u]]\n[t.w]\nv = 2",
            {
                ("t",): 1, ("t", 0): 1, ("t", 0, "u"): 2, ("t", 0, "u", 0): 2, ("t", 0, "u", 1): 3,
                ("t", 0, "u", 1, "v"): 4, ("t", 1): 5, ("t", 1, "u"): 6, ("t", 1, "u", 0): 6, ("t", 1, "w"): 7,
                ("t", 1, "w", "v"): 8,
            },
        ),
        ("x = {a = [{b = 1}], c.d = '}'}\n", {
            ("x",): 1, ("x", "a"): 1, ("x", "a", 0): 1, ("x", "a", 0, "b"): 1, ("x", "c"): 1, ("x", "c", "d"): 1,
        }),
        ("[a.b]\n[a]\nc = 1\n", {("a",): 1, ("a", "b"): 1, ("a", "c"): 3}),
        ("x = [\n[1,\n2],\n[\n3]]", {
            ("x",): 1, ("x", 0): 2, ("x", 0, 0): 2, ("x", 0, 1): 3, ("x", 1): 4, ("x", 1, 0): 5,
        }),
    ],
)  # fmt: skip
def test_lines_of_documents_written_by_hand(text: str, lines: dict[Path, int]) -> None:
    tomllib.loads(text)
    assert line_numbers(text) == lines


def test_a_long_suite_is_read_quickly() -> None:
    text = "".join(f"[[comparison]]\nid = 'c{i}'\nlabels = [1, 2, 3]\n" for i in range(1000))
    assert line_numbers(text)["comparison", 999, "labels", 2] == 3000
