"""Parts of a comparison that say what is computed of its finished arms: analyses, corrupted images, other sets."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from medssl_bench.datasets.budget import Budget
from medssl_bench.suite.budget import BUDGET_SCHEMA, parse_positive_budget

ComponentRef = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": 'a component: its name, or a table { name = "...", parameter = ... }',
            "anyOf": [
                {"type": "string"},
                {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
                {"type": "array"},
            ],
        }
    ),
]
Seed = Annotated[int, Field(ge=0)]
Severity = Annotated[int, Field(ge=1, le=5)]
LabelBudget = Annotated[Budget, PlainValidator(parse_positive_budget), WithJsonSchema(BUDGET_SCHEMA)]


class StrictTable(BaseModel):
    """A table of a suite file: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class AnalysesOf(StrictTable):
    """Which encoders the analyses of a comparison are computed of; a key that is left out takes all."""

    arms: list[str] | None = Field(None, min_length=1, description="names of arms; floors have names too")
    datasets: list[str] | None = Field(None, min_length=1, description="data sets, as tables call them")
    labels: list[LabelBudget] | None = Field(
        None, min_length=1, description="label budgets, of encoders that labels have trained"
    )
    seeds: list[Seed] | None = Field(None, min_length=1, description="training seeds")
    draws: list[Seed] | None = Field(
        None, min_length=1, description="label draws, of encoders that labels have trained"
    )
    folds: list[Seed] | None = Field(None, min_length=1, description="folds, where there are folds")


class Corrupted(StrictTable):
    """Corrupted test images, which the trained classifiers of a comparison predict too; nothing is trained for it."""

    ops: list[str] | None = Field(
        None,
        min_length=1,
        description="names of corruptions; none: all that any kind of images can have, for colour images more",
    )
    severities: list[Severity] = Field(
        default=[1, 2, 3, 4, 5], min_length=1, description="how strong, from 1 (mild) to 5"
    )


class TestOn(StrictTable):
    """Another data set whose test images the trained classifiers predict too; nothing is trained for it."""

    __test__ = False  # pytest takes it for tests

    dataset: ComponentRef = Field(description="the data set; its images have the size of those that were trained on")
    classes: dict[str, str | list[str]] = Field(
        default_factory=dict,
        description="for classes that were trained on, what the other set calls them: one of its classes, or several; "
        "none: the classes of the same name; images of other classes are left out",
    )


_OTHER_SET: dict[str, Any] = {
    "description": 'a data set, or { dataset = ..., classes = { own = "other" } }',
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "required": ["dataset"],
            "additionalProperties": False,
            "properties": {
                "dataset": {},
                "classes": {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
                    },
                },
            },
        },
        {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
    ],
}


def _in_full(value: Any) -> Any:
    """Return what `test_on` holds as a list of tables, each with a data set."""
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, dict) and "dataset" in item else {"dataset": item} for item in items]


OtherSets = Annotated[
    list[TestOn],
    BeforeValidator(_in_full),
    WithJsonSchema({"anyOf": [*_OTHER_SET["anyOf"], {"type": "array", "items": _OTHER_SET}]}),
]
