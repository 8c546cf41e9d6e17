"""A hook of hatchling: the README for the package index, where links to files of the repository lead nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?\[[^\]]*\]\()(?![a-z]+:|#)([^)\s]+)\)")


def for_the_index(text: str, repository: str, ref: str) -> str:
    """Return a page of the repository's root with addresses in the place of relative links; pictures as files."""
    raw = repository.replace("github.com", "raw.githubusercontent.com")
    return LINK.sub(
        lambda found: f"{found[1]}{f'{raw}/{ref}' if found[1][0] == '!' else f'{repository}/blob/{ref}'}/{found[2]})",
        text,
    )


class IndexReadme(MetadataHookInterface):
    """Sets the description of the distribution."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``readme``, with links to the tag of this version."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        text = for_the_index(text, metadata["urls"]["Source"], f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
