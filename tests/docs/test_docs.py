"""Executes the documentation: what it tells the reader to save, to run and to expect is true."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.pages import PAGES, page_id

_LONG = (
    "first-suite.md",
    "your-own-images.md",
    "performance.md",
    "method.md",
    "multi-crop.md",
    "reliability.md",
    "engine.md",
)
_MARKED = [
    pytest.param(page, marks=[pytest.mark.slow] if page.name in _LONG else [], id=page_id(page))
    for page in PAGES
    if page.name not in {"results.md", "cluster.md", "ray.md", "trackers.md"}
]


@pytest.mark.parametrize("page", _MARKED)
def test_page(page, reader):
    """Follow a page; that on results is followed by `test_results_page`, others where there is what they are about."""
    reader(page).read()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```python\nassert 1 == 2\n```\n", "AssertionError"),
        ('```toml\nschema = 1\nname = "x"\ncomparisons = []\n```\n', "comparisons: unknown key"),
        ("```toml fragment\n[pretraining.a]\nepoch = 3\n```\n", "epoch"),
        ("```console\n$ medssl-bench show op no_such\n```\n", "exit status 2"),
        ("```console\n$ medssl-bench --version\nmedssl-bench version 1\n```\n", "does not print"),
        ("```console\n$ medssl-bnech run\n```\n", "not a command"),
        ("```bash\nmedssl-bench list\n```\n", "console blocks"),
        (
            "```python\n# broken.py\nfrom medssl_bench import hookimpl\n\n@hookimpl\ndef no_such(): pass\n```\n",
            "no hook",
        ),
    ],
)
def test_a_page_that_is_wrong_fails(text, complaint, reader):
    page = Path("wrong.md")
    page.write_text(text, "utf-8")
    with pytest.raises((Exception, pytest.fail.Exception)) as caught:
        reader(page).read()
    assert complaint in f"{caught.type.__name__} {caught.value}"
