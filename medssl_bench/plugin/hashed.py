"""Imports modules from the very bytes that were hashed, not from byte code that an earlier source or a stranger left.

Python takes the byte code in ``__pycache__`` for that of a source of the same size and time, or asks nothing at all if
the file says so. A result would then be kept under the digest of code that has not run.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, SourceFileLoader, SourcelessFileLoader
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

    from _typeshed import ReadableBuffer


class HashedLoader(SourceFileLoader):
    """Loads a module from bytes that are in memory; byte code is neither read nor written.

    Args:
        name: of the module.
        path: of the file that the bytes were read from.
        content: the bytes.
    """

    def __init__(self, name: str, path: str, content: bytes) -> None:
        super().__init__(name, path)
        self._content = content

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the signature of importlib
        """Return the code of the bytes."""
        code: CodeType = self.source_to_code(self._content, self.path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Run the code of the bytes, and remember that."""
        super().exec_module(module)
        _executed[module.__name__] = os.path.realpath(self.path), self._content

    def get_data(self, path: str) -> bytes:
        """Return the bytes, or those of a file beside it."""
        return self._content if path == self.path else super().get_data(path)

    def set_data(self, path: str, data: ReadableBuffer, *, _mode: int = 0o666) -> None:
        """Write nothing: it would be byte code."""


class _Finder(MetaPathFinder):
    """Finds modules as the others do, and lets those be loaded by `HashedLoader` whose source was hashed."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}
        self._outermost: set[str] = set()

    def add(self, files: Mapping[Path, bytes], root: Path) -> None:
        """Take in files, by the folder from which they are imported."""
        for file, content in files.items():
            self._contents[os.path.realpath(file)] = content
            self._outermost.add(Path(file.relative_to(root).parts[0]).stem)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module's place.

        Raises:
            ImportError: compiled code stands before source that was hashed, or in a folder of it without a source.
        """
        if fullname.partition(".")[0] not in self._outermost:
            return None
        finders = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec"))
        spec = next((spec for finder in finders if (spec := finder.find_spec(fullname, path, target))), None)
        if spec is None or spec.origin is None:
            return spec
        content = self._contents.get(os.path.realpath(spec.origin))
        if content is not None:
            spec.loader, spec.cached = HashedLoader(fullname, spec.origin, content), None
        elif self._replaces_source(spec):
            raise ImportError(f"{spec.origin}: compiled code in place of the source, which was hashed; remove it")
        return spec

    def _replaces_source(self, spec: ModuleSpec) -> bool:
        name = spec.name.rpartition(".")[2]
        folder = Path(os.path.realpath(spec.origin or "")).parent
        if isinstance(spec.loader, SourcelessFileLoader):
            folders = {str(Path(file).parent) for file in self._contents}
            return str(folder) in folders
        sources = (folder / f"{name}.py", folder / "__init__.py" if folder.name == name else folder / name)
        return isinstance(spec.loader, ExtensionFileLoader) and any(str(file) in self._contents for file in sources)


_executed: dict[str, tuple[str, bytes]] = {}
"""Path and bytes of what has been run, by the module's name: one that is imported again is not run again."""

_finder = _Finder()


def import_from(files: Mapping[Path, bytes], root: Path) -> str:
    """Let files that are imported from now on be those that were read; return what stands against it, or ''.

    Args:
        files: content of each file.
        root: the folder from which they are imported.
    """
    now = {os.path.realpath(file): content for file, content in files.items()}
    for name, (path, content) in _executed.items():
        if name in sys.modules and now.get(path, content) != content:
            return f"{Path(path).name} has changed since it was imported; start Python again"
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.add(files, root)
    return ""


def line_of(error: BaseException, file: Path | None) -> str:
    """Return the line of a file where an error came from, as Python tells it of its syntax, or an empty string."""
    if file is None:
        return ""
    lines = [number for frame, number in walk_tb(error.__traceback__) if frame.f_code.co_filename == str(file)]
    return f" ({file.name}, line {lines[-1]})" if lines else ""
