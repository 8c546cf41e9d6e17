"""Suites spoilt at random: whatever is changed in one, it is valid or its problems are told, each in one line."""

from __future__ import annotations

import re
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suite.test_json_schema import FULL

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import Problem, SuiteError
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.manager import Plugins
from medssl_bench.suite.suite import Suite

LINES = [line for line in FULL.splitlines() if line.strip()]
VALUES = (
    "3", "0", "-1", "1.5", "true", '"x"', '""', "[]", "{}", "[[]]", '["a"]', '["nat"]', "[1, 1]", "{ name = 3 }",
    '{ name = "x" }', '{ name = "finetune", epochs = 3 }', '{ name = "finetune", augmentation = "own" }',
    '{ name = "resnet18" }', '{ name = "npz" }', '{ name = "npz", path = "x" }', '{ recipe = "a" }', "nan",
    "1979-05-27", "99999999999999999999", '"a"', '"b"', '"tuned"', '"cells"', '"own"', '"simclr"', '"all"', '"50%"',
    "{ count = 3 }", '{ per_class = 3, short = "skip" }', "{ arm = 3 }", '{ "optimizer.lr" = [1, 2] }',
    '{ "augmentation.p" = [1] }', "[{ name = 'horizontal_flip' }, 3]", "{ default = 3 }", "{ default = 'x' }",
    "'''\nx\n'''", "", "[", '"', "{ a", "x",
)  # fmt: skip
KEYS = ("name", "extends", "epochs", "steps", "labels", "arm", "x", '"a\\nb"', "encoder", "teacher", "sweep", "on")


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """Draw a suite in which some lines are gone, doubled, moved, or say something else."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        key, equals, _ = lines[place].partition("=")
        kind = draw(st.sampled_from(["value", "value", "value", "key", "gone", "doubled", "moved"]))
        if kind == "value" and equals:
            lines[place] = f"{key}= {draw(st.sampled_from(VALUES))}"
        elif kind == "key" and equals:
            lines[place] = f"{draw(st.sampled_from(KEYS))} ={lines[place].partition('=')[2]}"
        elif kind == "doubled":
            lines.insert(draw(st.integers(0, len(lines))), lines[place])
        elif kind == "moved":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(place))
        elif len(lines) > 1:
            del lines[place]
    return "\n".join(lines)


def _problems(text: str, folder: Path, plugins: Plugins) -> tuple[Problem, ...]:
    path = folder / "spoilt.toml"
    path.write_text(text, "utf-8")
    try:
        build_plan(Suite.load(path, plugins), DatasetContext(folder / "data", folder / "cache"))
    except SuiteError as error:
        return error.problems
    return ()


@given(text=spoilt())
@settings(max_examples=150, deadline=None)
def test_a_spoilt_suite(text: str, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> None:
    problems = _problems(text, tmp_path_factory.getbasetemp(), plugins)
    for problem in problems:
        assert problem.position is not None
        assert 1 <= problem.position.line <= text.count("\n") + 1
        assert re.fullmatch(r"[^\n]*spoilt\.toml:\d+: [^\n]+", str(problem)), str(problem)
    assert len({(problem.position, problem.key, problem.message) for problem in problems}) == len(problems)


PIECES = (
    b"", b"\0", b"\xff", b"\xef\xbb\xbf",
    b"\r", b"\n", b"\r\n", b'"', b"'", b'"""', b"[", b"]", b"[[", b"{", b"}", b"=", b".",
    b",", b"#", b"\\", b"\\u202e", b"\\ud800", b"-", b"1e999", b"nan", b"0x", b"9" * 5000, b"[" * 200, b"{a=" * 200,
    b"a." * 2000, b"a" * 5000, b" = 1979-05-27\n", b"\xc2\x85", b"\xe2\x80\xa8", b"\x1b[31m", b"[x]\n",
)  # fmt: skip


@st.composite
def spoilt_bytes(draw: st.DrawFn) -> bytes:
    """Draw a suite in which pieces of text are put where none should be, or in the place of others."""
    content = bytearray("\n".join(LINES).encode())
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(content)))
        content[place : place + draw(st.integers(0, 12))] = draw(st.sampled_from(PIECES) | st.binary(max_size=3))
    return bytes(content)


def _check_bytes(content: bytes, folder: Path, plugins: Plugins) -> None:
    path = folder / "spoilt.toml"
    path.write_bytes(content)
    problems: tuple[Problem, ...] = ()
    try:
        Suite.load(path, plugins)
    except SuiteError as error:
        problems = error.problems
    for problem in problems:
        assert str(problem).isprintable(), str(problem)
        assert len(str(problem)) < 2000
        assert problem.position is None or 1 <= problem.position.line <= content.count(b"\n") + 1


@given(content=spoilt_bytes())
@settings(max_examples=150, deadline=2000)
def test_a_suite_with_spoilt_letters(
    content: bytes, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _check_bytes(content, tmp_path_factory.getbasetemp(), plugins)


@given(content=st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
@settings(max_examples=100, deadline=2000)
def test_any_bytes_as_a_suite(content: bytes, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> None:
    _check_bytes(content, tmp_path_factory.getbasetemp(), plugins)


@pytest.mark.parametrize(
    "piece",
    [
        b"a = 1\n" * 150_000,
        b"x = '''\n" + b"a = '\n" * 150_000,
        b"".join(b"k%d = {a.b = [%d]}\n" % (i, i) for i in range(15_000)),
        b"".join(b"[dataset.d%d]\nname = 'x'\n" % i for i in range(30_000)),
        b"[" + b"a." * 500_000 + b"a]\n",
        b"x = " + b"[" * 1_000_000,
        b'"' + b"\\" * 1_000_000,
        b"seeds = [" + b"1," * 250_000 + b"]\n",
    ],
    ids=lambda piece: repr(piece[:9]),
)
def test_a_suite_of_a_megabyte_is_refused_before_patience_ends(piece: bytes, plugins: Plugins, tmp_path: Path) -> None:
    path = tmp_path / "spoilt.toml"
    path.write_bytes(piece)
    assert path.stat().st_size <= 1 << 20
    started = process_time()
    with pytest.raises(SuiteError):
        Suite.load(path, plugins)
    assert process_time() - started < 20


def test_before_it_is_spoilt_nothing_is_wrong(plugins: Plugins, tmp_path: Path) -> None:
    assert _problems("\n".join(LINES), tmp_path, plugins) == ()
