from pathlib import Path

from medssl_bench.plugin.content import file_digest, source_digest
from medssl_bench.plugin.docstring import arguments, description, summary


def documented(first: int, second: str) -> None:
    """One line.

    A paragraph
    of two lines.

    Args:
        first: what it is,
            on two lines.
        second (str): another: with a colon.
        *rest: more.

        **others: even more.

    Returns:
        nothing: at all.
    """


def undocumented() -> None:
    pass


def brief() -> None:
    """One line."""


class Documented:
    """A class.

    Args:
        x: of the class.
    """


def test_parts_of_a_docstring() -> None:
    assert summary(documented) == summary(brief) == "One line."
    assert description(documented) == "One line.\n\nA paragraph\nof two lines."
    assert arguments(documented) == {
        "first": "what it is, on two lines.",
        "second": "another: with a colon.",
        "rest": "more.",
        "others": "even more.",
    }
    assert (summary(undocumented), description(undocumented), arguments(undocumented)) == ("", "", {})
    assert (description(brief), arguments(brief)) == ("One line.", {})
    assert (summary(Documented), arguments(Documented)) == ("A class.", {"x": "of the class."})


def test_digests_of_files(tmp_path: Path) -> None:
    file = tmp_path / "a"
    assert file_digest(file) is None
    assert file_digest(tmp_path) is None
    assert file_digest(tmp_path / ("x" * 300)) is None
    file.write_bytes(b"abc")
    assert file_digest(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    file.write_bytes(b"abcd")
    assert file_digest(file) != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_digests_of_source(tmp_path: Path) -> None:
    package = tmp_path / "p"
    package.mkdir()
    (package / "a.py").write_text("x = 1")
    (package / "b.txt").write_text("text")
    first = source_digest(package)
    (package / "b.txt").write_text("other text")
    assert source_digest(package) == first
    (package / "a.py").write_text("x = 2")
    assert source_digest(package) != first
    assert source_digest(package / "a.py") != source_digest(package)
