"""A suite, read and checked: every component resolved, every name found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import Problem, SuiteError
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.suite.compose import compose
from medssl_bench.suite.document import document_text, of_python
from medssl_bench.suite.html import to_html
from medssl_bench.suite.positions import read_toml
from medssl_bench.suite.resolve import Resolver
from medssl_bench.suite.validation import check_requirements, inline_plugins, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from medssl_bench.errors import Position
    from medssl_bench.plugin.component import Component
    from medssl_bench.suite.positions import Node
    from medssl_bench.suite.schema import SuiteModel
    from medssl_bench.suite.table import Table


@dataclass(frozen=True, repr=False)
class Suite:
    """A valid suite. Make one with `load` or `from_dict`.

    Attributes:
        path: the file; None of a suite made in Python.
        folder: where the files that it names are.
        model: what the file says, checked.
        tables: its comparisons, in order.
        plugins: the plugins of this process, the suite's inline ones among them.
        missing: one problem for each file or folder that the suite names and that is not there, with the components
            that need it.
    """

    path: Path | None
    folder: Path
    model: SuiteModel
    tables: tuple[Table, ...]
    plugins: Plugins
    missing: dict[Problem, list[Component]]
    _document: Node
    _root: Node
    _places: list[tuple[Component, tuple[str | int, ...]]]

    @classmethod
    def load(
        cls,
        path: str | Path,
        plugins: Plugins | None = None,
        announce: Callable[[Sequence[str]], None] = lambda _names: None,
    ) -> Suite:
        """Read and check a suite file.

        Args:
            path: the file.
            plugins: where components come from; None: the installed plugins. The suite's inline plugins are
                added to it: loading a suite that names some runs their code.
            announce: called with the names of the inline plugins, if any, before their code runs.

        Raises:
            SuiteError: the suite is not valid; it carries every problem with file, line and key.
        """
        path = Path(path)
        return cls._of(read_toml(path), path, path.parent, plugins, announce)

    @classmethod
    def from_dict(
        cls, document: Mapping[str, Any], *, folder: str | Path = ".", plugins: Plugins | None = None
    ) -> Suite:
        """Check a suite that is made in Python.

        Args:
            document: what a suite file says, by the same keys: tables are dicts, ``[[comparison]]`` is a list of them.
                Tuples, ranges, numbers of NumPy and paths may stand in the place of lists, numbers and text.
            folder: from where relative paths start, and where inline plugins and a suite that it extends are.
            plugins: as of `load`.

        Raises:
            SuiteError: the suite is not valid; it carries every problem with its key.
        """
        folder = Path(folder)
        return cls._of(of_python(document, folder), None, folder, plugins, lambda _names: None)

    def to_toml(self) -> str:
        """Return the text of a suite file that says the same, without comments; `extends` names what it extends."""
        return document_text(self._document.plain())

    @classmethod
    def _of(
        cls,
        document: Node,
        path: Path | None,
        folder: Path,
        plugins: Plugins | None,
        announce: Callable[[Sequence[str]], None],
    ) -> Suite:
        root = compose(document)
        model = validate(root)
        check_requirements(model, root)
        plugins = plugins if plugins is not None else load_plugins()
        inline = list(inline_plugins(model, root))
        if inline:
            announce(model.plugins)
        for plugin, position in inline:
            _add_inline(plugins, plugin, position)
        resolver = Resolver(model, root, plugins.registry, folder.resolve())
        tables = resolver.tables()
        return cls(path, folder, model, tables, plugins, resolver.missing, document, root, resolver.places)

    def component(self, kind: str, value: Any, settings: Mapping[str, Any] | None = None) -> Component:
        """Return a component as if the suite named it; arguments and errors as of `Resolver.component`."""
        resolver = Resolver(self.model, self._root, self.plugins.registry, self.folder.resolve())
        return resolver.component(kind, value, settings)

    @property
    def name(self) -> str:
        """Name of the suite."""
        return self.model.name

    def position(self, key: tuple[str | int, ...]) -> Position:
        """Return file and line of a key."""
        return self._root.locate(key)

    def place_of(self, component: Component) -> tuple[str | int, ...]:
        """Return the key at which the suite says what a component is, or one that is most like it.

        A plan has also encoders without their weights, and evaluators with fewer epochs.
        """

        def likeness(place: tuple[Component, object]) -> tuple[bool, int]:
            other = place[0]
            same = (other.parameters.get(name) == value for name, value in component.parameters.items())
            return other == component, sum(same)

        called = (component.kind, component.name)
        found = [place for place in self._places if (place[0].kind, place[0].name) == called]
        return max(found, key=likeness)[1] if found else (component.kind,)

    def _repr_html_(self) -> str:
        """Draw its recipes and comparisons in a notebook."""
        return to_html(self.model, self.tables)

    def __repr__(self) -> str:
        tables, arms = len(self.tables), sum(len(table.arms) for table in self.tables)
        return f"<Suite {self.name!r}: {tables} {'comparison' if tables == 1 else 'comparisons'}, {arms} arms>"

    def require_files(self, needed: Sequence[Component] | None = None) -> None:
        """Check that the files which the suite names are there.

        Args:
            needed: the components whose files are needed; None: all.

        Raises:
            SuiteError: one or more are not.
        """
        missing = [
            problem
            for problem, components in self.missing.items()
            if needed is None or any(component in needed for component in components)
        ]
        if missing:
            raise SuiteError(missing)


def _add_inline(plugins: Plugins, file: Path, position: Problem) -> None:
    try:
        plugins.add_inline(file)
    except Exception as error:
        raise SuiteError([Problem(position.position, position.key, str(error))]) from error
