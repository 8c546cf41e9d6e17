"""How long a recipe trains, as a suite writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

DURATIONS = ("epochs", "steps", "images_seen", "compute_images")
"""Keys of a recipe of which exactly one stands."""

Duration = Annotated[
    dict[str, Annotated[int, Field(ge=1)]],
    BeforeValidator(lambda value: value if isinstance(value, dict) else {"default": value}),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
            ]
        }
    ),
]
"""An integer, or a table of integers by data set with a ``default``."""
