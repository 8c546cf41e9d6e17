"""Links between pages lead somewhere, and what the code and the tests call a page exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.pages import DOCS, PAGES, ROOT, page_id, without_blocks

READ = [*PAGES, ROOT / "CHANGELOG.md", *sorted(ROOT.glob("plugins/*/README.md")), *sorted(ROOT.glob("changes/*.md"))]
CODE = [file for name in ("medssl_bench", "tests", "plugins", "benchmarks") for file in (ROOT / name).rglob("*.py")]
TEMPLATES = sorted((ROOT / "medssl_bench").rglob("*.template"))


@pytest.mark.parametrize("page", READ, ids=page_id)
def test_every_link_leads_to_a_file_and_a_heading(page):
    assert dead_links(page) == []


def test_a_dead_link_is_found(tmp_path):
    (tmp_path / "other.md").write_text("# A heading: `code`, and more\n\n```sh\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](other.md) [b](none.md) [c](other.md#a-heading-code-and-more) [d](other.md#no-heading) [e](#here)\n"
        "[f](#there) [g][1] ![h](none.svg) [i](https://example.org) `[j](x)`\n\n[1]: nowhere.md\n"
    )
    assert dead_links(page) == ["none.md", "other.md#no-heading", "#there", "none.svg", "nowhere.md"]


def test_every_page_can_be_reached_from_the_index():
    reached: set[Path] = set()
    waiting = [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [file for file, _ in _targets(page) if file in PAGES and DOCS in file.parents]
    assert reached == set(DOCS.rglob("*.md"))


def test_every_page_that_is_named_exists():
    for file in [ROOT / "Makefile", *READ, *TEMPLATES, *CODE]:
        for name in re.findall(r"(?<![\w/])docs/[\w./-]+\.(?:md|svg)", file.read_text("utf-8")):
            assert (ROOT / name).is_file(), f"{page_id(file)} names {name}"


def dead_links(page: Path) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading."""
    dead = []
    for (file, anchor), target in zip(_targets(page), _links(page), strict=True):
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            dead.append(target)
    return dead


def _links(page: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", without_blocks(page.read_text("utf-8")))
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"^\[[^\]]+\]: (\S+)", text, re.MULTILINE)
    return [target for target in found if not re.match(r"(https?|mailto):", target)]


def _targets(page: Path) -> list[tuple[Path, str]]:
    parts = [target.partition("#") for target in _links(page)]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in parts]


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
