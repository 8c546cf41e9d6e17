"""Whether an encoder's work can be recorded and played back."""

from __future__ import annotations

from typing import Any


def is_recordable(encoder: Any) -> bool:
    """Return the attribute ``recordable`` that an encoder may have.

    True promises that its output depends on the images, parameters and buffers alone, in training too, apart from draws
    from torch's global generator; that it changes buffers in place; and that it reads no value back.
    """
    return getattr(encoder, "recordable", False) is True
