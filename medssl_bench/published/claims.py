"""Published claims, as data: contrasts of cells with a direction and a margin."""

from __future__ import annotations

import tomllib
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from medssl_bench.errors import PluginError

Direction = Literal["above", "below", "within"]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Term(_Data):
    """One cell of a contrast.

    Attributes:
        table: name of a published table, such as ``table-7.1``, or id of a comparison.
        arm: name of the arm.
        labels: text of the label budget; empty: the condition's.
    """

    table: str = Field(min_length=1)
    arm: str = Field(min_length=1)
    labels: str = ""


def _term(value: object) -> object:
    """Return the table of a term that is written ``table / arm`` or ``table / arm / labels``."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(" / ")]
    return dict(zip(("table", "arm", "labels"), parts, strict=False)) if len(parts) in {2, 3} else value


TermText = Annotated[Term, BeforeValidator(_term)]


class Condition(_Data):
    """A contrast that a claim says something of: the sum of some cells minus the sum of others, by one metric.

    One is meant for each of `datasets` and `labels`. Exactly one of `above`, `below` and `within` is given.

    Attributes:
        datasets: names of the data sets as they were published.
        labels: texts of label budgets; ``none`` for an analysis of an encoder that saw none.
        plus: cells that are added.
        minus: cells that are taken away.
        metric: name of the metric.
        above: the contrast is greater than this.
        below: the contrast is less than this.
        within: the contrast is between minus this and this.
    """

    datasets: tuple[str, ...] = Field(min_length=1, strict=False)
    labels: tuple[str, ...] = Field(min_length=1, strict=False)
    plus: tuple[TermText, ...] = Field(min_length=1, strict=False)
    minus: tuple[TermText, ...] = Field((), strict=False)
    metric: str = "accuracy"
    above: float | None = None
    below: float | None = None
    within: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _one_direction(self) -> Condition:
        if sum(value is not None for value in (self.above, self.below, self.within)) != 1:
            raise ValueError("give exactly one of above, below and within")
        return self

    @property
    def direction(self) -> Direction:
        """Which of the three is meant."""
        return "above" if self.above is not None else "below" if self.below is not None else "within"

    @property
    def margin(self) -> float:
        """The number that belongs to the direction."""
        return next(value for value in (self.above, self.below, self.within) if value is not None)

    def terms(self, labels: str) -> list[tuple[int, Term]]:
        """Return the cells of the contrast at a label budget, each with its sign."""
        signed = [(1, term) for term in self.plus] + [(-1, term) for term in self.minus]
        return [(sign, term if term.labels else term.model_copy(update={"labels": labels})) for sign, term in signed]


class Claim(_Data):
    """One claim, which says that all its conditions are so.

    Attributes:
        id: short name, such as ``C1``.
        text: the claim, in one sentence.
        remark: what a reader must know of it, such as what it confounds.
        condition: what it says.
    """

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    remark: str = ""
    condition: tuple[Condition, ...] = Field(min_length=1, strict=False)


class Claims(_Data):
    """The claims of one publication.

    Attributes:
        citation: the publication, in one line.
        reference: name of the reference component that has its numbers, such as ``thesis``.
        dataset_labels: what suites call a data set that stands in for a published one, by its published name.
        claim: the claims.
    """

    citation: str
    reference: str
    dataset_labels: dict[str, str] = Field(default_factory=dict)
    claim: tuple[Claim, ...] = Field(min_length=1, strict=False)

    @classmethod
    def from_toml(cls, text: str) -> Claims:
        """Return the claims of a TOML text.

        Raises:
            PluginError: the text is not TOML, or not such claims.
        """
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise PluginError(f"these claims are not TOML: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            raise PluginError(f"claims: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
