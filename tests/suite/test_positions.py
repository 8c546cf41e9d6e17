import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.errors import SuiteError
from medssl_bench.key_path import key_text
from medssl_bench.suite.positions import is_file, read_toml


def _problem(path: Path) -> str:
    with pytest.raises(SuiteError) as caught:
        read_toml(path)
    (problem,) = caught.value.problems
    return str(problem).replace(f"{path.parent}/", "")


def test_nodes_know_their_lines_and_give_back_the_document(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("a = 1\n[b]\nc = [1,\n  { d = 2 }]\n[[e]]\n[[e]]\nf = 3\n")
    root = read_toml(path)
    assert root.plain() == {"a": 1, "b": {"c": [1, {"d": 2}]}, "e": [{}, {"f": 3}]}
    assert root.locate(("b", "c", 1, "d")).line == 4
    assert root.locate(("e", 1, "f")).line == 7
    assert str(root.locate(("b",))) == f"{path}:2"


@pytest.mark.parametrize(("key", "line"), [(("b", "x"), 2), (("b", "c", 9), 3), (("a", "x", 3), 1), (("x",), 1)])
def test_what_is_not_there_is_located_at_what_is_around_it(
    key: tuple[str | int, ...], line: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.toml"
    path.write_text("a = 1\n[b]\nc = [1,\n  2]\n")
    assert read_toml(path).locate(key).line == line


@pytest.mark.parametrize("text", ["a = 1\r\nb = '''\r\nx'''\r\nc = 2\r\n", "\ufeffa = 1\nb = '''\nx'''\nc = 2"])
def test_line_ends_and_byte_order_marks_of_windows(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(text.encode())
    root = read_toml(path)
    assert root.plain() == {"a": 1, "b": "x", "c": 2}
    assert root.locate(("c",)).line == 4


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a = 1\nb = \n", "a.toml:2: b: this is not valid TOML: invalid value"),
        ("a = 1\n\nb = [1\n# on\n\nc = 3\n", "a.toml:3: b: this is not valid TOML: unclosed array (noticed on line 6)"),
        ("a = 1\nb = [1,\n  2 3,\n]\n", "a.toml:2: b: this is not valid TOML: unclosed array (noticed on line 3)"),
        ("b = [1,\n# on\n\nc = 3\n", "a.toml:4: b: this is not valid TOML: invalid value (it begins on line 1)"),
        ("a = 1\nb = 'x\nc = 3\n", "a.toml:2: b: this is not valid TOML"),
        ('a = 1\nb = """x\nc = 3\n', "a.toml:2: b: this is not valid TOML: unterminated string"),
        ('[t]\na = "x\n', "a.toml:2: a: this is not valid TOML: illegal character '\\n'"),
        ("[t]\n\n[t]\n", "a.toml:3: t: this is not valid TOML: cannot declare ('t',) twice"),
        ("[t\n", "a.toml:1: t: this is not valid TOML"),
        ("a = 1\na = 2\n", "a.toml:2: a: this is not valid TOML: cannot overwrite a value"),
        ("x: 3", "a.toml:1: x: this is not valid TOML: expected '='"),
        ('"a b".c = 2023-02-30', 'a.toml:1: "a: this is not valid TOML: invalid date'),
        ("\x00", "a.toml:1: this is not valid TOML: invalid statement"),
        (f"a = 1\nb = {'9' * 5000}", "a.toml:2: b: this is not valid TOML: this number has too many digits"),
        (f"a = 1\nb = {'[' * 5000}{']' * 5000}", "a.toml:2: b: this is not valid TOML: tables and lists nest at most"),
        (f"a = 1\nb = {'[' * 60}{']' * 60}", "a.toml:2: b[0][0]: tables and lists nest at most 50 deep"),
        ("a.b" + ".c" * 60 + " = 1", "a.toml:1: a.b.c: tables and lists nest at most 50 deep"),
    ],
)
def test_what_is_not_toml_is_told_with_line_and_key(text: str, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text)
    assert _problem(path).startswith(wanted)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"a = 1\nb = '\xe9'\n")
    assert _problem(tmp_path / "a.toml") == "a.toml:2: the file is not UTF-8; save it as UTF-8"
    assert _problem(tmp_path / "b.toml") == "b.toml: cannot read the suite: No such file or directory"
    assert re.search(
        r"^a: cannot read .* No such file or directory \(did you mean '.*a\.toml'\?\)$", _problem(tmp_path / "a")
    )
    assert _problem(tmp_path / "none" / "a.toml").endswith("No such file or directory")
    assert _problem(tmp_path / "b\0.toml").endswith("cannot read the suite: embedded null byte")
    (tmp_path / "folder").mkdir()
    assert _problem(tmp_path / "folder") == "folder: cannot read the suite: Is a directory"


@given(st.one_of(st.text(max_size=40), st.text("[]{}=,.\"'#\n ab1", max_size=60), st.binary(max_size=30)))
@settings(max_examples=200, deadline=None)
def test_whatever_a_file_holds_it_is_read_or_told_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        read_toml(path)
    except SuiteError as error:
        (problem,) = error.problems
        assert problem.position is not None
        assert 1 <= problem.position.line <= path.read_bytes().count(b"\n") + 1
        assert len(str(problem).splitlines()) == 1, str(problem)


def test_keys_are_written_as_toml_writes_them() -> None:
    assert key_text(("comparison", 0, "arm", 1, "evaluator")) == "comparison[0].arm[1].evaluator"
    assert key_text(("dataset", "my cells", "path")) == 'dataset."my cells".path'
    assert key_text(("a\nb", "")) == '"a\\nb".""'
    assert key_text(()) == ""


def test_impossible_names_are_names_of_no_file(tmp_path: Path) -> None:
    assert not is_file(tmp_path / ("a" * 300))
    assert not is_file(tmp_path / "a\0b")
    assert not is_file(tmp_path)
    (tmp_path / "a").touch()
    assert is_file(tmp_path / "a")
