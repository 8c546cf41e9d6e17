"""Hooks of mkdocs: they turn pages that are written for GitHub into pages of the site.

GitHub shows the whole repository, and the site only ``docs/``. So a link to another file of the repository becomes its
address there, and a picture of ``results/`` becomes a file of the site.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
REF = os.environ.get("SITE_REF", "main")
"""The branch or tag that links to the repository name: pages of a release link to its tag."""

FENCE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
CODE_IN_ROW = re.compile(r"(?<=\| ).*`[^`\n]*\\\|[^`\n]*`.*")
LINK = re.compile(r"(\]\(|^\[[^\]\n]+\]: )(?![a-z]+:|#)([^)\s#]+)", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pictures of ``results/``."""
    for picture in sorted((ROOT / "results").rglob("*.png")):
        name = picture.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the links of a page that lead out of ``docs/``, and the words after a fence's language."""
    parts = FENCE.split(markdown)
    parts[0::2] = [
        LINK.sub(lambda found: found[1] + _address(found[2], page, config, files), part) for part in parts[0::2]
    ]
    # GitHub takes the backslash out of `a \\| b` in a table, the site's Markdown does not
    parts[0::2] = [CODE_IN_ROW.sub(lambda found: found[0].replace("\\|", "|"), part) for part in parts[0::2]]
    # "toml fragment" tells the tests that a block is a part of a suite
    parts[1::2] = [re.sub(r"^( *```\w+) .*", r"\1", part, count=1) for part in parts[1::2]]
    return "".join(parts)


def _address(target: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return where a relative link of a page leads on the site; GitHub shows notebooks, a browser would save them."""
    file = (Path(page.file.abs_src_path).parent / target).resolve()
    if not file.exists() or (file.is_relative_to(config.docs_dir) and file.suffix != ".ipynb"):
        return target
    name = file.relative_to(ROOT).as_posix()
    known = files.get_file_from_path(name)
    if known and known.abs_src_path == str(file):
        return "../" * (len(PurePosixPath(page.file.src_uri).parts) - 1) + name
    return f"{config.repo_url}/{'tree' if file.is_dir() else 'blob'}/{REF}/{name}"
