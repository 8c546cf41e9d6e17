"""Random TOML documents, written by an emitter that knows on which line it puts each table, key and item."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

Path = tuple[str | int, ...]


@dataclass
class Document:
    """A text, and the line of every path in it."""

    text: str = ""
    lines: dict[Path, int] = field(default_factory=dict)

    def write(self, text: str) -> None:
        self.text += text

    def note(self, path: Path) -> None:
        """Remember where a path stands that is about to be written, and the tables that it opens on the way."""
        line = self.text.count("\n") + 1
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)


_BARE = st.text("abcXYZ019_-", min_size=1, max_size=4)
_PIECES = st.lists(
    st.sampled_from(
        ["a", "é", " ", "#", "=", "[", "]", "{", "}", ",", ".", "'", '"', "\\", "[[", "# no comment", "0", "\t"]
    ),
    max_size=5,
).map("".join)
_BLANK = st.sampled_from(["", "", " ", "\t", "  "])
_COMMENT = st.sampled_from(["", "", "", " # a comment", "# [not.a.table]", "  # x = 1 '", '# """'])


def _basic(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'


@st.composite
def _keys(draw: st.DrawFn, taken: set[str]) -> tuple[str, str]:
    """Draw a key that is not taken yet, and how it is written: bare, in quotes, or with escapes."""
    name = draw(st.one_of(_BARE, _PIECES).filter(lambda key: key not in taken))
    taken.add(name)
    forms = [_basic(name)]
    if "'" not in name and "\t" not in name:
        forms.append(f"'{name}'")
    if name and all(c.isascii() and (c.isalnum() or c in "_-") for c in name):
        forms += [name, name]
    return name, draw(st.sampled_from(forms))


@st.composite
def _scalars(draw: st.DrawFn) -> str:
    text = draw(_PIECES)
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return draw(
        st.sampled_from(
            [
                "1", "-17", "0x1F", "1_000", "3.5e-3", "true", "false", "inf", "1979-05-27", "07:32:00",
                "1979-05-27 07:32:00Z", '""', "''", _basic(text), "'" + text.replace("'", "") + "'",
                f'"""{inner}"""', f'"""\n{inner}\n# no comment\nx = 1 \\\n   on"""', '"""two quotes at its end"""""',
                '"""\n\\"""\n[not.a.table]\n"""', "'''\nit's \\ literal\n]\n'''", "''''quoted''''", "'''\n\n'''",
            ]
        )
    )  # fmt: skip


@st.composite
def _value(draw: st.DrawFn, document: Document, path: Path, depth: int = 0, *, inline: bool = False) -> None:
    kind = draw(st.sampled_from(["scalar", "scalar", "array", "table"] if depth < 3 else ["scalar"]))
    if kind == "array":
        _array(draw, document, path, depth, inline=inline)
    elif kind == "table":
        document.write("{" + draw(_BLANK))
        taken: set[str] = set()
        for place in range(draw(st.integers(0, 3))):
            document.write(("," if place else "") + draw(_BLANK))
            _pair(draw, document, path, taken, depth + 1, inline=True)
        document.write(draw(_BLANK) + "}")
    else:
        document.write(draw(_scalars()))


def _array(draw: st.DrawFn, document: Document, path: Path, depth: int, *, inline: bool) -> None:
    """Write an array, over several lines and with comments between its items, as TOML allows even inside { }."""

    def gap() -> str:
        broken = st.sampled_from(["", " ", "\n", "\n\n  ", " # a comment ] , [\n", "\n# one\n# two\n\t"])
        return draw(broken if not inline else _BLANK)

    document.write("[")
    length = draw(st.integers(0, 3))
    for index in range(length):
        document.write(gap())
        document.note((*path, index))
        draw(_value(document, (*path, index), depth + 1, inline=inline))
        document.write(gap())
        if index < length - 1 or draw(st.booleans()):
            document.write(",")
    document.write(gap() + "]")


def _pair(
    draw: st.DrawFn, document: Document, table: Path, taken: set[str], depth: int = 0, *, inline: bool = False
) -> None:
    keys = [draw(_keys(taken)) if not place else draw(_keys(set())) for place in range(draw(st.integers(1, 3)))]
    path = (*table, *(name for name, _ in keys))
    document.note(path)
    dot = draw(_BLANK) + "." + draw(_BLANK)
    document.write(dot.join(text for _, text in keys) + draw(_BLANK) + "=" + draw(_BLANK))
    draw(_value(document, path, depth, inline=inline))


def _pairs(draw: st.DrawFn, document: Document, table: Path, taken: set[str]) -> None:
    for _ in range(draw(st.integers(0, 3))):
        document.write(draw(st.sampled_from(["", "", "\n", "# between\n", "   "])))
        _pair(draw, document, table, taken)
        document.write(draw(_COMMENT) + "\n")


def _sections(draw: st.DrawFn, document: Document, table: Path, names: list[str], taken: set[str], depth: int) -> None:
    """Write tables inside a table: ``[a.b]``, some of them over a parent without a header, and ``[[a.b]]``."""
    for _ in range(draw(st.integers(0, 3 if depth == 0 else 1))):
        name, text = draw(_keys(taken))
        path, written = (*table, name), [*names, text]
        if draw(st.booleans()) and depth < 2:  # a parent that has no header of its own
            child, child_text = draw(_keys(set()))
            path, written = (*path, child), [*written, child_text]
        many = draw(st.booleans())
        for index in range(draw(st.integers(1, 3)) if many else 1):
            here = (*path, index) if many else path
            document.note(here)
            blank = draw(_BLANK)
            header = f"{blank}.{blank}".join(written)
            document.write(f"[[{blank}{header}{blank}]]" if many else f"[{blank}{header}{blank}]")
            document.write(draw(_COMMENT) + "\n")
            inner: set[str] = set()
            _pairs(draw, document, here, inner)
            if depth < 2:
                _sections(draw, document, here, written, inner, depth + 1)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Draw a valid TOML document with the line of everything in it."""
    document = Document()
    document.write(draw(st.sampled_from(["", "\n", "# head\n\n"])))
    taken: set[str] = set()
    _pairs(draw, document, (), taken)
    _sections(draw, document, (), [], taken, 0)
    if draw(st.booleans()):
        document.text = document.text.removesuffix("\n")
    return document
