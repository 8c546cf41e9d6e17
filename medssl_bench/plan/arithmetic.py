"""What a key says of the arithmetic of a training."""

from __future__ import annotations

BFLOAT16_REVISION = 2
"""Raise it if what is computed in bfloat16 gives other results. It is in the keys of such stages alone.

2: losses, similarities that are compared, and the classifier of a fine-tuning are float32.
"""


def of_precision(precision: object) -> dict[str, int]:
    """Return what a key says of a precision, beside its name: nothing if it is float32."""
    return {"bfloat16_revision": BFLOAT16_REVISION} if precision == "bfloat16" else {}
