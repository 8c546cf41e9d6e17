"""The drawing of the import graph is what the code says."""

from __future__ import annotations

from pathlib import Path

from docs.import_graph import drawn, packages

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "import-graph.md"


def test_the_drawing_is_of_this_code() -> None:
    assert PAGE.read_text("utf-8") == drawn(), "make it again as the page says"


def test_it_knows_what_is_imported() -> None:
    imports = packages()
    assert {"stages", "plan"} <= imports["executors"]
    assert "errors" in imports["stopping"] or not imports["errors"]
