"""Float32 where outputs are compared, whatever encoders and heads compute in."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def in_float32(device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which products of float32 tensors stay float32, as they do not under autocast.

    What is half precision already must be made float32 by hand.

    Args:
        device: where it is computed.
    """
    known = torch.amp.is_autocast_available(device.type)  # not where tensors have shapes alone
    return torch.autocast(device.type, enabled=False) if known else nullcontext()
