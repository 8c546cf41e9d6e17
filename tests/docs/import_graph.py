"""Draws which package imports which, as a Mermaid diagram: ``docs/explanation/import-graph.md``. Make it again with

PYTHONPATH=tests python -m docs.import_graph > docs/explanation/import-graph.md
"""

from __future__ import annotations

import grimp

_HEAD = """\
# Import graph

Each arrow is an import, also one that is for types alone. An arrow is left out where a longer way says the same. No
arrow runs upwards: `make lint` checks that ([the layers](../../pyproject.toml) stand under `tool.importlinter`). This
page is generated: `PYTHONPATH=tests python -m docs.import_graph > docs/explanation/import-graph.md`.

"""


def packages() -> dict[str, set[str]]:
    """Return what each package, or module beside them, imports of the others."""
    graph = grimp.build_graph("medssl_bench", cache_dir=None)
    names = sorted(graph.find_children("medssl_bench"))
    return {
        _short(name): {
            _short(other)
            for other in names
            if other != name and graph.direct_import_exists(importer=name, imported=other, as_packages=True)
        }
        for name in names
    }


def _short(name: str) -> str:
    return name.removeprefix("medssl_bench.")


def _reachable(imports: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(imports[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += imports[name]
    return found


def drawn() -> str:
    """Return the page."""
    imports = packages()
    below = {name: _reachable(imports, name) for name in imports}
    lines = ["```mermaid", "flowchart TD"]
    for name in sorted(imports, key=lambda name: (-len(below[name]), name)):
        needed = {other for other in imports[name] if not any(other in below[via] for via in imports[name])}
        lines += [f"  {name.strip('_')} --> {other}" for other in sorted(needed)]
    return _HEAD + "\n".join([*lines, "```"]) + "\n"


if __name__ == "__main__":
    print(drawn(), end="")
