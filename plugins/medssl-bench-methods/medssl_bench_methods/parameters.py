"""Types of parameters that several methods have, validated where a suite is read: importing this imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Width = Annotated[int, Field(ge=2)]
"""Length of a layer's output."""

Prototypes = Annotated[int, Field(ge=2)]
"""Number of outputs that images are assigned to."""

Temperature = Annotated[float, Field(gt=0)]
"""Scores are divided by it."""

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A part, in [0, 1]."""

Count = Annotated[int, Field(ge=0)]
"""How many, from 0."""

AtLeastOne = Annotated[int, Field(ge=1)]
"""How many, from 1."""

Keep = Literal["student", "teacher"]
"""The encoder that a pretraining leaves: the one that is trained, or its moving average."""
