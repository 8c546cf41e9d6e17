"""Reads a page of the documentation: its fenced blocks, and the tables under its headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
ABOUT_PLUGINS = [page for page in PAGES if "plugin" in str(page.relative_to(ROOT))]


def page_id(page: Path) -> str:
    """Return a page's path in the repository, to name a test by."""
    return page.relative_to(ROOT).as_posix()


_TITLE = re.compile(r"# ([\w./-]+\.(?:py|toml))$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: first word after the fence.
        marks: the other words after it.
        text: what it holds.
        line: line of its first line in the page, from 1.
    """

    language: str
    marks: tuple[str, ...]
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """The file that the reader is to save it as: a first line such as ``# mine.py`` says so."""
        match = _TITLE.match(self.text.partition("\n")[0])
        return match[1] if match else None


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    found: list[Block] = []
    fence: tuple[int, list[str]] | None = None
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.startswith("```"):
            continue
        if fence is None:
            fence = number, line.strip("`").split()
        else:
            start, words = fence
            body = "\n".join(lines[start : number - 1]) + "\n"
            found.append(Block(words[0] if words else "", tuple(words[1:]), body, start + 1))
            fence = None
    assert fence is None, f"the block that begins in line {fence and fence[0]} has no end"
    return found


def without_blocks(text: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level or above."""
    lines = text.splitlines()
    start = lines.index(heading) + 1
    level = len(heading) - len(heading.lstrip("#"))
    rest = lines[start:]
    ends = (i for i, line in enumerate(rest) if re.match(rf"#{{1,{level}}} ", line))
    return "\n".join(rest[: next(ends, len(rest))])


def first_column(text: str) -> list[str]:
    """Return the code words of the first column of the first table in a text."""
    table = re.search(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    assert table, "there is no table here"
    cells = (row.split("|")[1] for row in table[0].splitlines()[2:])
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
