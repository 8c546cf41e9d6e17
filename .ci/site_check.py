"""Checks the built site: links lead somewhere, nothing is loaded from other servers, pages say what GitHub shows.

Markdown has dialects. Pages are written and tested as GitHub reads them; mkdocs reads them otherwise: a list without
an empty line before it becomes a paragraph, for example. So the text and elements of each page are compared with
those of a CommonMark parser.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "build" / "site"
BASE = "/medssl-bench/"
"""The path of the site on its server: the page of missing pages has absolute links."""

COUNTED = {
    "blockquote",
    "em",
    "img",
    "li",
    "ol",
    "pre",
    "strong",
    "table",
    "td",
    "th",
    "tr",
    "ul",
    "h1",
    "h2",
    "h3",
    "h4",
}


class Page(HTMLParser):
    """What is to be checked of a page: links, identifiers, and text and elements of its article."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.elements: Counter[str] = Counter()
        self.words: list[str] = []
        self._article = "<article" not in html
        self._permalink = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link, an identifier, an element."""
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.loaded += [given[name] for name in ("src", "data") if name in given]
        if tag == "link" and given.get("rel") in {"stylesheet", "icon"}:
            self.loaded.append(given["href"])
        self._article = self._article or tag == "article"
        self._permalink = given.get("class") == "headerlink"
        if self._article and tag in COUNTED:
            self.elements[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        """Note the end of the article."""
        self._permalink = False
        if tag == "article":
            self._article = False

    def handle_data(self, data: str) -> None:
        """Note text of the article."""
        if self._article and not self._permalink:
            self.words.append(data)

    @property
    def text(self) -> str:
        """The text of the article without spaces, which each parser sets in its own way."""
        return "".join("".join(self.words).split())


def dead_links(pages: dict[Path, Page]) -> Iterator[str]:
    """Yield what is wrong with the links of the site, and what a browser would fetch from other servers."""
    for file, page in pages.items():
        for link in page.loaded + page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    yield f"{file}: loads {link}"
                continue
            place = (
                SITE / parts.path.removeprefix(BASE)
                if parts.path.startswith("/")
                else (file.parent / unquote(parts.path))
            )
            target = place.resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{file}: {link} leads nowhere"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                yield f"{file}: {link} leads to no heading"


def unlike_github(pages: dict[Path, Page]) -> Iterator[str]:
    """Yield the pages that do not say on the site what they say on GitHub."""
    markdown = MarkdownIt("commonmark").enable("table")
    for source in sorted((ROOT / "docs").rglob("*.md")):
        text = source.read_text("utf-8")
        folder = source.parent if source.name == "README.md" else source.with_suffix("")
        there, here = Page(markdown.render(text)), pages[SITE / folder.relative_to(ROOT / "docs") / "index.html"]
        if "\n::: " in text:  # what mkdocstrings adds is nowhere else
            continue
        if there.elements != here.elements:
            more, less = dict(there.elements - here.elements), dict(here.elements - there.elements)
            yield f"{source}: on GitHub it has {more} more, {less} less"
        elif there.text != here.text:
            place = next(
                (i for i, pair in enumerate(zip(there.text, here.text, strict=False)) if pair[0] != pair[1]), 0
            )
            yield f"{source}: {there.text[place : place + 40]!r} on GitHub is {here.text[place : place + 40]!r} here"


def main() -> None:
    """Check the site, and say what was found."""
    pages = {file: Page(file.read_text("utf-8")) for file in sorted(SITE.rglob("*.html"))}
    wrong = [*dead_links(pages), *unlike_github(pages)]
    print(
        "\n".join(wrong)
        or f"{len(pages)} pages, {sum(len(page.links) for page in pages.values())} links: all are right"
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
