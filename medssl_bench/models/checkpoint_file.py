"""Reads what is in a checkpoint that another program wrote, without running what is in it."""

from __future__ import annotations

import re
import warnings
import zipfile
from argparse import Namespace
from typing import TYPE_CHECKING, Any, Self

import torch
from packaging.version import Version

from medssl_bench.encoders.shards import INDEX, all_tensors
from medssl_bench.encoders.weights_file import require_safetensors
from medssl_bench.errors import UserError
from medssl_bench.store.tensors import load_tensors

if TYPE_CHECKING:
    from pathlib import Path

_SAFE_SINCE = "2.10"
"""Older releases of PyTorch can be made to run code, or to write where they must not, by a file that is read with
``weights_only=True``: CVE-2025-32434 (up to 2.5), CVE-2026-24747 (up to 2.9)."""

_START = 512
"""Bytes at the beginning of a file that tell of what kind it is."""

_STATE_DICT = "save the network's state dict with torch.save(model.state_dict(), ...)"

_KINDS: dict[bytes, str] = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, as Keras writes; only PyTorch's checkpoints and safetensors are read",
    b"version https://git-lfs": "a pointer of Git LFS, not the file; 'git lfs pull' fetches the file",
    b"\x1f\x8b": "compressed (gzip); unpack it first",
    b"BZh": "compressed (bzip2); unpack it first",
    b"\xfd7zXZ": "compressed (xz); unpack it first",
    b"7z\xbc\xaf": "compressed (7z); unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed (zstandard); unpack it first",
    b"Rar!": "compressed (rar); unpack it first",
    b"\x93NUMPY": "an array of NumPy; " + _STATE_DICT,
    b"{": "JSON; name the file with the weights themselves, or the index of its shards (*.index.json)",
    b"[": "JSON or text; name the file with the weights themselves",
}
"""How files begin that are no checkpoints, and what they are."""

_ONNX = f"an ONNX graph, which names its weights in its own way; {_STATE_DICT}"

_SETTINGS = re.compile(
    r"(numpy|omegaconf|yacs|mmcv|mmengine|addict|easydict|ml_collections|hydra|fvcore|iopath|vissl|classy_vision"
    r"|pytorch_lightning|lightning|lightning_fabric|lightning_utilities|deepspeed|apex|fastcore|transformers"
    r"|collections|datetime|pathlib|typing|argparse|decimal|fractions|uuid|enum"
    r"|torch\.(optim|amp|cuda\.amp|torch_version))\.[\w.]+"
    r"|builtins\.(list|tuple|int|float|str|bool|bytes|object|slice|range|frozenset)|types\.SimpleNamespace"
)
"""Classes that checkpoints hold beside weights: settings, numbers of NumPy, what optimisers need."""

_MOST_NAMES = 200
"""Kinds of settings in one checkpoint."""


class _Unread(dict[Any, Any]):
    """Replaces an object whose class is not imported; its arguments are dropped."""

    def __new__(cls, *_arguments: Any, **_keywords: Any) -> Self:
        return super().__new__(cls)

    def __init__(self, *_arguments: Any, **_keywords: Any) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        pass

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


def _path_text(*parts: str) -> str:
    """Replaces the classes of paths: a path in a checkpoint is read as text."""
    return "/".join(map(str, parts))


def _empty_dict(*_arguments: Any) -> dict[Any, Any]:
    return {}


def _empty_list(*_arguments: Any) -> list[Any]:
    return []


# each name is read as the harmless thing before it
_READ_AS: list[Any] = [
    Namespace,
    (dict, "builtins.dict"),
    (_empty_dict, "collections.defaultdict"),
    (_empty_list, "collections.deque"),
    (dict, "lightning_fabric.utilities.data.AttributeDict"),
    (dict, "lightning.fabric.utilities.data.AttributeDict"),
    (dict, "pytorch_lightning.utilities.parsing.AttributeDict"),
    (dict, "lightning.pytorch.utilities.parsing.AttributeDict"),
    *(
        (_path_text, f"{module}.{kind}Path")
        for module in ("pathlib", "pathlib._local")
        for kind in ("Posix", "Windows", "PurePosix", "PureWindows", "")
    ),
]


def read_content(file: Path) -> Any:
    """Return what a checkpoint of ``torch.save``, a safetensors file, or all shards of an index, hold.

    A checkpoint is unpickled with ``weights_only=True``: tensors and plain values. Of classes that are known to hold
    settings nothing is imported; an object that holds nothing stands in their place.

    Raises:
        UserError: it cannot be read, is a file of another kind, or wants to run code; or this PyTorch is too old to
            read it safely.
    """
    start = _start(file)
    if file.name.endswith(INDEX):
        try:
            return all_tensors(file, read_content)
        except (OSError, ValueError) as error:
            raise UserError(f"{file}: {error}") from error
    if _is_safetensors(start, file):
        try:
            require_safetensors(file)
        except ValueError as error:
            raise UserError(f"{file}: {error}") from error
        return load_tensors(file)
    if other := _other_kind(start, file):
        raise UserError(f"{file}: this is no checkpoint of PyTorch but {other}")
    if Version(torch.__version__).release < Version(_SAFE_SINCE).release:
        raise UserError(
            f"{file}: this is read safely by PyTorch {_SAFE_SINCE} or newer, here is {torch.__version__}, "
            "in which a checkpoint can run code (CVE-2025-32434, CVE-2026-24747); install a newer one"
        )
    return _unpickled(file)


def _start(file: Path) -> bytes:
    """Return how a file begins."""
    try:
        if not file.exists():
            raise UserError(f"{file}: there is no such file")
        if not file.is_file():
            raise UserError(f"{file}: this is a folder, a pipe or a device, not a file of weights")
        with file.open("rb") as opened:
            start = opened.read(_START)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{file}: this cannot be read ({reason})") from error
    if not start:
        raise UserError(f"{file}: this is not a checkpoint of PyTorch, or a damaged one: it is empty")
    return start


def _is_safetensors(start: bytes, file: Path) -> bool:
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= file.stat().st_size


def _other_kind(start: bytes, file: Path) -> str:
    """Return what a file is that is no checkpoint, as far as its beginning tells, or an empty string."""
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page: the download went wrong; fetch the file again"
    for beginning, what in _KINDS.items():
        if start.startswith(beginning):
            return what
    if start[257:262] == b"ustar":
        return "an archive (tar); unpack it first"
    if start.startswith(b"\x08") and (file.suffix == ".onnx" or b"pytorch" in start[:64] or b"onnx" in start[:64]):
        return _ONNX
    if start.startswith(b"PK"):
        return _other_zip(file)
    return ""


def _other_zip(file: Path) -> str:
    """Return what a zip is that ``torch.save`` has not written, or an empty string."""
    try:
        with zipfile.ZipFile(file) as opened:
            names = opened.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return ""  # damaged, as PyTorch will say
    inside = {name.partition("/")[2] or name for name in names}
    if "data.pkl" in inside:
        program = "constants.pkl" in inside or any(name.startswith("code/") for name in inside)
        return f"a program of TorchScript (torch.jit), which would be run to be read; {_STATE_DICT}" if program else ""
    if any(name.endswith((".h5", ".keras")) for name in inside):
        return "a model of Keras; only PyTorch's checkpoints and safetensors are read"
    if any(name.endswith(".npy") for name in names):
        return "arrays of NumPy (npz); " + _STATE_DICT
    return f"a zip of other files ({', '.join(names[:2]) or 'none'}); unpack it first"


def _unpickled(file: Path) -> Any:
    """Return the content of a file of ``torch.save``; names of settings are read past as they are met."""
    from pickle import UnpicklingError  # only its name: nothing is unpickled by it

    read_as = list(_READ_AS)
    for _ in range(_MOST_NAMES):
        try:
            # torch warns of pickles that it has not written, and then reads them or not
            with torch.serialization.safe_globals(read_as), warnings.catch_warnings(action="ignore"):
                return torch.load(file, map_location="cpu", weights_only=True)
        except UnpicklingError as error:
            name = _unknown_name(error)
            if not _SETTINGS.fullmatch(name):
                raise UserError(_refusal(file, name, error)) from error
            read_as.append((_Unread, name))
        except Exception as error:
            what = "this is not a checkpoint of PyTorch, or a damaged one"
            raise UserError(f"{file}: {what} ({_reason(error)})") from error
    raise UserError(f"{file}: it holds settings of more than {_MOST_NAMES} kinds; {_STATE_DICT}")


def _unknown_name(error: Exception) -> str:
    """Return the full name of the class or function that stopped the reading, or an empty string."""
    found = re.search(r"Unsupported global: GLOBAL (\S+) was not", str(error))
    if not found:
        return ""
    return found[1] if "." in found[1] else f"builtins.{found[1]}"


def _refusal(file: Path, name: str, error: Exception) -> str:
    if re.match(r"(torchvision\.models|timm\.models|torch\.nn\.modules|torch\.nn\.parallel|lightly)\b", name):
        return f"{file}: this is a whole network, pickled ({name}): it would run code to be read; {_STATE_DICT}"
    return (
        f"{file}: it holds more than weights and settings, which could run code, so it is not read "
        f"({_reason(error)}); save its state dict alone with torch.save(model.state_dict(), ...)"
    )


def _reason(error: Exception) -> str:
    """Return what an error says first, in few words; torch explains at length how to trust the file anyway."""
    text = " ".join(str(error).split())
    for marker, end in (("Unsupported global: ", " was not"), ("WeightsUnpickler error: ", " Check the documentation")):
        if marker in text:
            text = text[text.index(marker) :].split(end)[0]
            break
    return (text[:117] + "...") if len(text) > 120 else text or type(error).__name__
