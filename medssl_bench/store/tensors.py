"""Tensors in files: safetensors, which hold data and no code."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from medssl_bench.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


def save_tensors(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Write named tensors, from whatever device and in whatever memory format they are.

    Raises:
        OSError: the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    plain: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        plain[name] = tensor.detach().cpu().contiguous()
        memory = plain[name].untyped_storage().data_ptr()
        if memory in seen:  # safetensors refuses tensors that share memory
            plain[name] = plain[name].clone()
        seen.add(memory)
    try:
        file.touch()
        mode = stat.S_IMODE(file.stat().st_mode)  # what the umask makes of a new file here
        save_file(plain, file)
        with suppress(PermissionError):  # a file system without modes
            file.chmod(mode)  # safetensors lets none but its owner read it, also in a store that a group shares
    except SafetensorError as error:  # its way to say that the disk is full
        file.unlink(missing_ok=True)
        code = re.search(r"\(os error (\d+)\)", str(error))
        number = int(code[1]) if code else errno.EIO
        raise OSError(number, os.strerror(number), str(file)) from error


def load_tensors(file: Path) -> dict[str, Tensor]:
    """Read named tensors onto the CPU.

    Raises:
        StoreError: the file cannot be read or is not one of safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except FileNotFoundError as error:
        raise StoreError(f"{file}: there is no such file") from error
    except (SafetensorError, OSError) as error:
        raise StoreError(f"{file}: these weights cannot be read ({error})") from error


def load_arrays(file: Path) -> dict[str, NDArray[np.float32]]:
    """Read named tensors as NumPy arrays, without torch.

    Raises:
        StoreError: the file cannot be read or is not one of safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(file)
    except FileNotFoundError as error:
        raise StoreError(f"{file}: there is no such file") from error
    except (SafetensorError, OSError) as error:
        raise StoreError(f"{file}: these tensors cannot be read ({error})") from error
