"""Random TOML documents, written by an emitter that knows on which line it puts each table, key and item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st

Path = tuple[str | int, ...]
Keys = tuple[str, str]
_Item = TypeVar("_Item")

_PIECES = ("a", "é", " ", "#", "=", "[", "]", "{", "}", ",", ".", "'", '"', "\\", "[[", "# no comment", "0", "\t")
_BLANKS = ("", "", " ", "\t", "  ")
_COMMENTS = ("", "", "", " # a comment", "# [not.a.table]", "  # x = 1 '", '# """')
_GAPS = ("", " ", "\n", "\n\n  ", " # a comment ] , [\n", "\n# one\n# two\n\t")
_SCALARS = (
    "1", "-17", "0x1F", "1_000", "3.5e-3", "true", "false", "inf", "1979-05-27", "07:32:00", "1979-05-27 07:32:00Z",
    '""', "''", '"""two quotes at its end"""""', '"""\n\\"""\n[not.a.table]\n"""', "'''\nit's \\ literal\n]\n'''",
    "''''quoted''''", "'''\n\n'''", '"\\\\"', "'\\'",
)  # fmt: skip


class Document:
    """A TOML document.

    Args:
        choices: decides what it is; zeros where there are no more.

    Attributes:
        text: the document.
        lines: the line of every path in it.
    """

    def __init__(self, choices: bytes) -> None:
        self.text = ""
        self.lines: dict[Path, int] = {}
        self._choices = iter(choices)
        self._write(self._one_of(("", "\n", "# head\n\n")))
        taken: set[str] = set()
        self._pairs((), taken)
        self._sections((), [], taken)
        if self._number(1):
            self.text = self.text.removesuffix("\n")

    def _number(self, most: int) -> int:
        return next(self._choices, 0) % (most + 1)

    def _one_of(self, options: Sequence[_Item]) -> _Item:
        return options[self._number(len(options) - 1)]

    def _write(self, *texts: str) -> None:
        self.text += "".join(texts)

    def _note(self, path: Path) -> None:
        """Remember where a path stands that is about to be written, and the tables that it opens on the way."""
        line = self.text.count("\n") + 1
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)

    def _pieces(self) -> str:
        return "".join(self._one_of(_PIECES) for _ in range(self._number(5)))

    def _key(self, taken: set[str]) -> Keys:
        """Return a key that is not taken yet, and how it is written: bare, literal, or with escapes."""
        name = self._pieces() if self._number(2) == 2 else f"k-{self._number(9)}"
        while name in taken:
            name += "_"
        taken.add(name)
        forms = [_basic(name)]
        if "'" not in name and "\t" not in name:
            forms.append(f"'{name}'")
        if name and all(c.isascii() and (c.isalnum() or c in "_-") for c in name):
            forms += [name, name]
        return name, self._one_of(forms)

    def _value(self, path: Path, depth: int, *, inline: bool) -> None:
        write: Callable[..., None] = self._one_of((self._scalar, self._array, self._inline_table, self._scalar))
        (write if depth < 4 else self._scalar)(path, depth, inline=inline)

    def _scalar(self, path: Path, depth: int, *, inline: bool) -> None:
        text = self._pieces()
        literal, inner = text.replace("'", ""), _basic(text)[1:-1]
        texts = (f"'{literal}'", f'"{inner}"', f'"""{inner}"""', f'"""\n{inner}\n# no comment\nx = 1 \\\n   on"""')
        self._write(self._one_of((*_SCALARS, *texts)) if self._number(3) else "0")

    def _array(self, path: Path, depth: int, *, inline: bool) -> None:
        """Write an array, over several lines and with comments between its items unless it stands inside { }."""
        gaps = _BLANKS if inline else _GAPS
        self._write("[")
        length = self._number(3)
        for index in range(length):
            self._write(self._one_of(gaps))
            self._note((*path, index))
            self._value((*path, index), depth + 1, inline=inline)
            self._write(self._one_of(gaps), "," if index < length - 1 or self._number(1) else "")
        self._write(self._one_of(gaps), "]")

    def _inline_table(self, path: Path, depth: int, *, inline: bool) -> None:
        self._write("{", self._one_of(_BLANKS))
        taken: set[str] = set()
        for place in range(self._number(3)):
            self._write("," if place else "", self._one_of(_BLANKS))
            self._pair(path, taken, depth + 1, inline=True)
        self._write(self._one_of(_BLANKS), "}")

    def _pair(self, table: Path, taken: set[str], depth: int = 0, *, inline: bool = False) -> None:
        keys = [self._key(taken), *(self._key(set()) for _ in range(self._number(2)))]
        path = (*table, *(name for name, _ in keys))
        self._note(path)
        dot = f"{self._one_of(_BLANKS)}.{self._one_of(_BLANKS)}"
        self._write(dot.join(text for _, text in keys), self._one_of(_BLANKS), "=", self._one_of(_BLANKS))
        self._value(path, depth, inline=inline)

    def _pairs(self, table: Path, taken: set[str]) -> None:
        for _ in range(self._number(3)):
            self._write(self._one_of(("", "", "\n", "# between\n", "   ")))
            self._pair(table, taken)
            self._write(self._one_of(_COMMENTS), "\n")

    def _sections(self, table: Path, names: list[str], taken: set[str], depth: int = 0) -> None:
        """Write tables inside a table: ``[a.b]``, some of them over a parent without a header, and ``[[a.b]]``."""
        for _ in range(self._number(1 if depth else 3)):
            name, text = self._key(taken)
            path, written = (*table, name), [*names, text]
            if self._number(1) and depth < 2:  # its parent has no header
                child, text = self._key(set())
                path, written = (*path, child), [*written, text]
            opening, closing = self._one_of((("[", "]"), ("[[", "]]")))
            for index in range(1 + self._number(2) if opening == "[[" else 1):
                here = (*path, index) if opening == "[[" else path
                self._note(here)
                blank = self._one_of(_BLANKS)
                self._write(opening, blank, f"{blank}.{blank}".join(written), blank, closing)
                self._write(self._one_of(_COMMENTS), "\n")
                inner: set[str] = set()
                self._pairs(here, inner)
                if depth < 2:
                    self._sections(here, written, inner, depth + 1)


def _basic(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'


def documents() -> st.SearchStrategy[Document]:
    """Return valid TOML documents with the line of everything in them."""
    return st.binary(min_size=20, max_size=300).map(Document)
