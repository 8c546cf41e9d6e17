"""Plain words: phrases that a reader of English as a second language must look up are not used."""

from __future__ import annotations

import re

import pytest
from docs.pages import PAGES, ROOT, page_id, without_blocks

AVOIDED = re.compile(
    r"\b(nobody|somebody|everybody|whoever|as it were|so to speak|in vain|for want of|told of|is told|are told|"
    r"lies about|wakes up late|time and again|as good as|stands? for|wants? otherwise|henceforth|whence|thereof)\b",
    re.IGNORECASE,
)
GENERATED = {"docs/reference/bad-input.md"}  # shows names and values that tests make up
CODE = sorted(
    file
    for folder in ("medssl_bench", "plugins", "benchmarks")
    for ending in ("py", "template", "html")
    for file in (ROOT / folder).rglob(f"*.{ending}")
    if "tests" not in file.parts and ".venv" not in file.parts
)


def found(text: str) -> list[str]:
    return [match[0] for match in AVOIDED.finditer(text)]


@pytest.mark.parametrize("page", [page for page in PAGES if page_id(page) not in GENERATED], ids=page_id)
def test_pages_have_plain_words(page):
    assert found(without_blocks(page.read_text("utf-8"))) == []


def test_help_messages_and_comments_have_plain_words():
    assert {page_id(file): words for file in CODE if (words := found(file.read_text("utf-8")))} == {}


def test_a_phrase_is_found():
    assert found("It asks in vain, and Nobody knows.") == ["in vain", "Nobody"]
