"""HTML for notebooks: all text is escaped, and colours are read on light and on dark paper."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.markup import block, fold, line, strong, table


class Reader(HTMLParser):
    """Reads a page as a browser does: its elements, which must be closed in order, and its texts by element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.elements.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def of(self, *elements: str) -> list[str]:
        """Return the texts that stand in some elements."""
        return [text for element, text in self.texts if element in elements]


PRINTED = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=20)


@given(PRINTED)
def test_any_text_is_text(text: str) -> None:
    drawn = table(text, ("arm", text), [(text, strong(text))], groups=((text, 1),), styles=("quiet",))
    read = Reader(block([line(text), line(text, "quiet"), fold(text, [drawn])]))
    assert "".join(shown for tag, shown in read.texts if tag != "style").replace("arm", "", 1) == text * 8
    assert read.elements[:2] == ["div", "style"]
    assert set(read.elements) == {
        "div", "style", "p", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "b",
    }  # fmt: skip


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


THEMES = [("", "#ffffff", 4.5), ("", "#111111", 4.0), ('="true"', "#ffffff", 4.5), ('="false"', "#1e1e1e", 4.5)]


@pytest.mark.parametrize(("theme", "paper", "least"), THEMES)
def test_words_are_read_on_the_paper_of_each_theme(theme: str, paper: str, least: float) -> None:
    """WCAG 2.1, 1.4.3: bold words of this size need 4.5 to 1, or 3 to 1 where they are large."""
    rules = [(head, body) for head, body in re.findall(r"([^{}]*)\{([^{}]*)\}", block([])) if "--good:" in body]
    colours = next(body for head, body in rules if theme in head)
    found = re.findall(r"--(?:good|bad): (#\w{6})", colours)
    assert len(found) == 2
    for colour in found:
        light, dark = sorted((_luminance(colour), _luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= least
