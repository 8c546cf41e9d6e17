"""Each page is in the menu of the site, each public name on its page on Python. `make site` checks the rest."""

from __future__ import annotations

import re
from importlib import import_module

from docs.pages import DOCS, ROOT

PYTHON = (DOCS / "reference" / "python.md").read_text("utf-8")
SHOWN = re.findall(r"^::: ([\w.]+)$", PYTHON, re.MULTILINE)
PACKAGES = ("augmentations", "datasets", "evaluators", "executors", "methods", "metrics", "testing")


def test_every_page_is_once_in_the_menu():
    menu = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    named = re.findall(r"([\w/-]+\.md)$", menu, re.MULTILINE)
    assert sorted(named) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_what_the_page_on_python_shows_can_be_imported():
    assert all(import_module(name).__doc__ for name in SHOWN)


def test_every_package_of_the_plugin_interface_is_shown():
    interface = {f"medssl_bench.{name}" for name in PACKAGES if import_module(f"medssl_bench.{name}").__all__}
    assert interface | {"medssl_bench", "medssl_bench.plugin.hookspecs"} <= set(SHOWN)
