from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from medssl_bench.plugin.content import file_digest, read_source
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


class Base:
    """What all of its kind are.

    Args:
        x: of the base.
    """


class Silent(Base):
    def __init__(self, *, x: int) -> None:
        """Make one.

        Args:
            x: of its own.
        """


class Mute(Base):
    pass


def two_spaces(a, b):
    """One line.

    Arguments:
      a: first,
        on two lines
      b (dict[str, tuple(int, int)], optional): second.
        note: this is no argument.
    """


def sphinx(a, b):
    """One line.

    :param a: first,
        on two lines
    :param float b: second.
    :returns: nothing.
    """


def numpydoc(a, b, c):
    """One line.

    More.

    Parameters
    ----------
    a : float
        first,
        on two lines
    b, c : int, optional
        both.

    Returns
    -------
    d : int
        no argument.
    """


def keywords(a, *, b):
    """One line.

    Args:
        a: first.

    Keyword Args:
        b: second.
    """


@pytest.mark.parametrize(
    ("factory", "wanted"),
    [
        (Silent, {"x": "of its own."}),
        (Mute, {}),
        (two_spaces, {"a": "first, on two lines", "b": "second. note: this is no argument."}),
        (sphinx, {"a": "first, on two lines", "b": "second."}),
        (numpydoc, {"a": "first, on two lines", "b": "both.", "c": "both."}),
        (keywords, {"a": "first.", "b": "second."}),
        (partial(keywords, 1), {"a": "first.", "b": "second."}),
    ],
)
def test_what_a_factory_itself_documents(factory: Callable[..., Any], wanted: dict[str, str]) -> None:
    assert arguments(factory) == wanted


def test_nothing_of_a_base_class_and_nothing_of_a_section() -> None:
    assert (summary(Silent), description(Silent)) == ("Make one.", "Make one.")
    assert (summary(Mute), description(Mute)) == ("", "")
    assert description(sphinx) == description(two_spaces) == summary(partial(sphinx)) == "One line."
    assert description(numpydoc) == "One line.\n\nMore."


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
    first = read_source(package).digest
    (package / "b.txt").write_text("other text")
    assert read_source(package).digest == first
    (package / "a.py").write_text("x = 2")
    assert read_source(package).digest != first
    assert read_source(package / "a.py").digest != read_source(package).digest
