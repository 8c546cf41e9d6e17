"""Finds the line of every key and item of a TOML document, which `tomllib` does not give.

The scanner expects text that `tomllib` has accepted; it does not check anything itself.
"""

from __future__ import annotations

import tomllib

from medssl_bench.key_path import KeyPath

_BARE_END = frozenset(" \t\r\n=.]")
_VALUE_END = frozenset(",]}\r\n#")


def line_numbers(text: str) -> dict[KeyPath, int]:
    """Return the 1-based line of each table, key and item of an array, by its path.

    Args:
        text: a valid TOML document.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.counted = (0, 1)  # a place, and its line: counted from the start each time, a long file would take minutes
        self.lines: dict[KeyPath, int] = {}
        self.array_lengths: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip_blank(newlines=True):
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.lines

    def _peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def _line(self) -> int:
        place, line = self.counted
        line += self.text.count("\n", place, self.place)
        self.counted = (self.place, line)
        return line

    def _note(self, path: KeyPath, line: int) -> None:
        """Remember the line of a path, and of the tables that a dotted key opens on the way to it."""
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)

    def _skip_blank(self, *, newlines: bool) -> bool:
        """Skip blanks and comments; return whether anything is left."""
        blanks = " \t\r\n" if newlines else " \t"
        while self.place < len(self.text):
            if self._peek() in blanks:
                self.place += 1
            elif self._peek() == "#":
                end = self.text.find("\n", self.place)
                self.place = len(self.text) if end < 0 else end
            else:
                return True
        return False

    def _header(self) -> KeyPath:
        """Read ``[a.b]`` or ``[[a.b]]`` and return the path of the table that it opens."""
        is_array = self.text.startswith("[[", self.place)
        line = self._line()
        self.place += 2 if is_array else 1
        keys = self._keys()
        self.place = self.text.index("]", self.place) + (2 if is_array else 1)
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._latest((*path, key))
        path = (*path, keys[-1])
        if is_array:
            self._note(path, line)
            index = self.array_lengths.get(path, 0)
            self.array_lengths[path] = index + 1
            path = (*path, index)
        self._note(path, line)
        return path

    def _latest(self, path: KeyPath) -> KeyPath:
        """Return the path of the last item where `path` is an array of tables, else `path`."""
        return (*path, self.array_lengths[path] - 1) if path in self.array_lengths else path

    def _keys(self) -> list[str]:
        """Read a dotted key."""
        keys = [self._key()]
        while self._skip_blank(newlines=False) and self._peek() == ".":
            self.place += 1
            self._skip_blank(newlines=False)
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        self._skip_blank(newlines=False)
        start = self.place
        if self._peek() in "\"'":
            self._string()
            return next(iter(tomllib.loads(f"{self.text[start : self.place]} = 0")))
        while self._peek() and self._peek() not in _BARE_END:
            self.place += 1
        return self.text[start : self.place]

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = (*table, *self._keys())
        self._note(path, line)
        self._skip_blank(newlines=False)
        self.place += 1  # the equals sign
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self._skip_blank(newlines=True)
        opening = self._peek()
        if opening in {'"', "'"}:
            self._string()
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            while self._peek() and self._peek() not in _VALUE_END:
                self.place += 1

    def _array(self, path: KeyPath) -> None:
        self.place += 1
        index = 0
        while self._skip_blank(newlines=True) and self._peek() != "]":
            if self._peek() == ",":
                self.place += 1
                continue
            item = (*path, index)
            self.lines[item] = self._line()
            self._value(item)
            index += 1
        self.place += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.place += 1
        while self._skip_blank(newlines=True) and self._peek() != "}":
            if self._peek() == ",":
                self.place += 1
                continue
            self._pair(path)
        self.place += 1

    def _string(self) -> None:
        quote = self._peek()
        mark = quote * 3 if self.text.startswith(quote * 3, self.place) else quote
        self.place += len(mark)
        while not self.text.startswith(mark, self.place):
            self.place += 2 if quote == '"' and self._peek() == "\\" else 1
        self.place += len(mark)
        if len(mark) == 3:  # up to two quotes may stand just before the closing mark
            while self._peek() == quote:
                self.place += 1
