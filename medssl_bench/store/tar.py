"""Reads a gzipped tar file of a stranger, member by member, with memory and room that are bounded beforehand.

The standard library's reader trusts what headers say: it reads extended headers whole, follows them as deep as they go,
and expands sparse files.
"""

from __future__ import annotations

import gzip
import os
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 512
_PIECE = 2**20
_WITHOUT_CONTENT = b"123456"
"""Types of links, devices, folders and pipes."""

_LARGEST_HEADER = 2**16
"""Bytes of the longest extended header: it holds a name."""

_MOST_HEADERS = 100_000
"""More than a study of twenty thousand stages has."""

_RATIO = 50
_ALWAYS = 2**28
"""An archive may grow to `_RATIO` times its size, and in any case to these bytes."""


class _Broken(Exception):
    """It is no archive, or a damaged one."""


@dataclass
class Member:
    """A plain file of an archive.

    Attributes:
        name: its path within it.
        size: its bytes.
        stream: where it stands.
        left: bytes of it that have not been read.
    """

    name: str
    size: int
    stream: _Bounded
    left: int = -1

    def __post_init__(self) -> None:
        self.left = self.size

    def pieces(self) -> Iterator[bytes]:
        """Yield its content, once."""
        while self.left:
            piece = self.stream.exactly(min(self.left, _PIECE))
            self.left -= len(piece)
            yield piece


class _Bounded:
    """A stream that says so when it grows beyond what it may."""

    def __init__(self, stream: gzip.GzipFile, most: int) -> None:
        self._stream = stream
        self._most = self._left = most

    def exactly(self, count: int) -> bytes:
        """Return so many bytes."""
        content = self.at_most(count)
        if len(content) != count:
            raise _Broken("it is cut off")
        return content

    def at_most(self, count: int) -> bytes:
        """Return so many bytes, or fewer at the end."""
        found = bytearray()
        try:
            while len(found) < count and (piece := self._stream.read(count - len(found))):
                found += piece
        except (EOFError, zlib.error, OSError) as error:
            raise _Broken(str(error)) from error
        self._left -= len(found)
        if self._left < 0:
            raise _Broken(f"it grows to more than {self._most:,} bytes, which no study does")
        return bytes(found)

    def skip(self, count: int) -> None:
        """Read so many bytes, and forget them."""
        while count:
            count -= len(self.exactly(min(count, _PIECE)))


@contextmanager
def members_of(file: Path) -> Iterator[Iterator[Member]]:
    """Give the plain files of a gzipped tar file, in order; folders, links and devices are passed over.

    After the last one, the file was read to its end, with its checksum.

    Raises:
        StoreError: it cannot be read, is no such archive, or a damaged one, or is larger than its size lets one expect.
    """
    try:
        with file.open("rb") as raw, gzip.GzipFile(fileobj=raw) as stream:
            yield _members(_Bounded(stream, max(_ALWAYS, _RATIO * os.fstat(raw.fileno()).st_size)))
    except _Broken as error:
        raise StoreError(f"{file}: this is no archive of `store export`, or a damaged one ({error})") from error


def _members(stream: _Bounded) -> Iterator[Member]:
    name, size = "", None
    count = 0
    while (block := stream.at_most(_BLOCK)) != bytes(_BLOCK):
        if len(block) < _BLOCK:
            raise _Broken("it is cut off" if block or count else "it is empty")
        count += 1
        if count > _MOST_HEADERS:
            raise _Broken(f"it has more than {_MOST_HEADERS:,} members, which no study has")
        kind, declared = _kind(block), _number(block[124:136])
        padding = -declared % _BLOCK
        if kind in b"xL":
            if declared > _LARGEST_HEADER:
                raise _Broken(f"a header has {declared:,} bytes")
            content = stream.exactly(declared)
            name, size = _extended(content, name, size) if kind == b"x" else (_text(content), size)
            stream.skip(padding)
            continue
        if kind == b"S":
            raise _Broken("it holds a sparse file")
        if kind in b"0\0":
            declared = declared if size is None else size
            padding = -declared % _BLOCK
            member = Member(name or _plain_name(block), declared, stream)
            yield member
            stream.skip(member.left)
        elif kind in _WITHOUT_CONTENT:
            padding = 0
        else:
            stream.skip(declared)
        stream.skip(padding)
        name, size = "", None
    while stream.at_most(_PIECE):  # to the end, where gzip has its checksum
        pass


def _kind(block: bytes) -> bytes:
    """Return the type of a member, once its header is seen to be one."""
    given = _number(block[148:156])
    if sum(block[:148]) + 8 * ord(" ") + sum(block[156:]) != given:
        raise _Broken("a header has another checksum")
    return block[156:157]


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # larger than eight octal digits: binary
        value = int.from_bytes(field[1:], "big")
    else:
        text = field.strip(b" \0")
        if text.strip(b"01234567"):
            raise _Broken("a header has no number where one belongs")
        value = int(text or b"0", 8)
    if value >= 2**62:
        raise _Broken(f"a member has {value:,} bytes")
    return value


def _plain_name(block: bytes) -> str:
    name, prefix = _text(block[:100]), _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _extended(content: bytes, name: str, size: int | None) -> tuple[str, int | None]:
    """Return name and size as an extended header gives them."""
    while content.strip(b"\0"):
        length, _, _ = content.partition(b" ")
        if not length.isdigit() or len(length) > 6 or not 0 < int(length) <= len(content):
            raise _Broken("an extended header is broken")
        keyword, _, value = content[len(length) + 1 : int(length) - 1].partition(b"=")
        if keyword == b"path":
            name = _text(value)
        elif keyword == b"size":
            if not value.isdigit() or len(value) > 18:
                raise _Broken("an extended header has no size where one belongs")
            size = int(value)
        elif keyword.startswith(b"GNU.sparse"):
            raise _Broken("it holds a sparse file")
        content = content[int(length) :]
    return name, size
