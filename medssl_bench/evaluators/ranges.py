"""Types of the parameters of evaluators, validated where a suite is read: importing this imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from medssl_bench.evaluators.balance import Balance
from medssl_bench.plugin.parameters import AddedLater

Count = Annotated[int, Field(ge=1)]
"""A number from 1."""

Rate = Annotated[float, Field(gt=0)]
"""A learning rate."""

Decay = Annotated[float, Field(ge=0)]
"""A weight decay."""

ClassBalance = Annotated[Balance, AddedLater("none")]
"""How classes of unequal size are made up for, a parameter that ``none`` makes as if it were not there."""
