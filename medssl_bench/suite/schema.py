"""The schema of suite files. Its descriptions are the suite reference (`docs/reference/suite.md`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from medssl_bench.datasets.budget import Budget
from medssl_bench.datasets.fold import MOST
from medssl_bench.suite.budget import BUDGET_SCHEMA, parse_budget
from medssl_bench.suite.finished_arms import (
    AnalysesOf,
    ComponentRef,
    Corrupted,
    LabelBudget,
    OtherSets,
    Seed,
    StrictTable,
    TestOn,
)
from medssl_bench.suite.recipe_schema import Pretraining, Teacher, refuse_skip

__all__ = [
    "AnalysesOf", "Arm", "ChainLink", "Comparison", "ComponentRef", "Corrupted", "LabelBudget", "Link", "OtherSets",
    "Pretraining", "SuiteModel", "Teacher", "TestOn", "ValidationBudget",
]  # fmt: skip

Floor = Literal["majority", "untrained"]
Selection = Literal["validation", "last", "test"]

_UNSHOWN = r"\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
"""Control characters, line breaks, and marks that turn the order of letters round."""

_ID = rf"^[^{_UNSHOWN}/\\]*[^{_UNSHOWN}/\\\s][^{_UNSHOWN}/\\]*$"
_LINE = rf"^[^{_UNSHOWN}]*$"

ValidationBudget = Annotated[Budget, PlainValidator(parse_budget), WithJsonSchema(BUDGET_SCHEMA)]


class ChainLink(StrictTable):
    """One pretraining of an arm's chain."""

    recipe: str = Field(description="name of a [pretraining.NAME] table")
    on: ComponentRef | None = Field(
        None,
        description="data set to pretrain on, or a list of several, which are pretrained on together; none: the one "
        "that is evaluated",
    )

    @field_validator("on")
    @classmethod
    def _some(cls, value: Any) -> Any:
        if value == []:
            raise ValueError("the list names no data set; leave it out to pretrain on the one that is evaluated")
        return value


Link = Annotated[
    ChainLink,
    BeforeValidator(lambda value: {"recipe": value} if isinstance(value, str) else value),
    WithJsonSchema(
        {
            "description": 'a recipe\'s name, or { recipe = "...", on = "another data set" }, where `on` may be a list',
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "required": ["recipe"],
                    "additionalProperties": False,
                    "properties": {"recipe": {"type": "string"}, "on": {}},
                },
            ],
        }
    ),
]


class Arm(StrictTable):
    """One way to get a classifier: a chain of pretrainings and an evaluator."""

    name: str = Field(min_length=1, max_length=80, pattern=_ID, description="what tables call it; unique in its table")
    pretraining: list[Link] = Field(
        default_factory=list,
        description="recipes, each starting from the one before; empty: none, the encoder as it is made",
    )
    evaluator: ComponentRef = Field(
        description="what is made of the encoder, such as linear_probe or finetune; `tune` in its table, as in "
        "{ lr = [0.001, 0.01] }, has values by parameter of which validation labels choose one combination"
    )
    encoder: ComponentRef | None = Field(None, description="encoder of an arm without pretraining")
    variant_of: str | None = Field(
        None,
        min_length=1,
        max_length=80,
        pattern=_ID,
        description="arms with the same name here are one arm of the table: for each result, the one counts that is "
        "best on the labelled validation images",
    )


class Comparison(StrictTable):
    """One table: arms x data sets x label budgets x seeds x draws x folds."""

    id: str = Field(min_length=1, max_length=80, pattern=_ID, description="unique name of the table")
    title: str = Field("", pattern=_LINE, description="heading of the table; none: the id")
    datasets: list[ComponentRef] = Field(min_length=1, description="data sets, each a name or a table")
    labels: list[LabelBudget] = Field(min_length=1, description='label budgets, such as [100, 250, "all"]')
    validation_labels: ValidationBudget = Field(
        Budget("all"), description="labelled validation images; 0: none, the last epoch counts"
    )
    selection: Selection = Field(
        "validation",
        description='which epoch of the downstream training counts; "test" measures the optimism of selecting on '
        "test, and the table says so",
    )
    spy: bool = Field(False, description="keep what each epoch would have on test, to show the optimism of choosing so")
    select_by: str | None = Field(
        None,
        description="metric by which the epoch that counts is chosen: any that reads predictions, as "
        "`medssl-bench list metrics` shows them; none: accuracy, and AUROC of multi-label data",
    )
    metrics: list[ComponentRef] = Field(
        default=["accuracy", "auroc"],
        min_length=1,
        description="columns: metrics (`medssl-bench list metrics`), or numbers that an evaluator of the comparison "
        "measures itself, each a name or a table; the first one ranks",
    )
    baseline: str | None = Field(None, description="arm that the others are compared with")
    margin: float | None = Field(
        None,
        gt=0,
        description="the largest difference to the baseline that does not matter, in units of the first metric; with "
        "it a table can say that two arms do not differ in a way that matters",
    )
    holm: Literal["column", "table"] = Field(
        "column",
        description="verdicts are adjusted for the arms of a `column`, so that chance makes a word false in at most "
        "5 % of columns; or for all columns of the `table`: in at most 5 % of tables",
    )
    reference: str | None = Field(None, description='published numbers, as in "thesis:table-7.1"')
    analyses: list[ComponentRef] = Field(default_factory=list, description="what else to compute of each encoder")
    analyses_of: AnalysesOf = Field(
        default_factory=AnalysesOf, description="which encoders these are computed of, as each one takes its time"
    )
    corrupted: Corrupted | None = Field(
        None, description="predict corrupted test images too, by the trained classifiers; {} has the usual corruptions"
    )
    test_on: OtherSets = Field(
        default_factory=list, description="predict the test images of other data sets too, by the trained classifiers"
    )
    seeds: list[Seed] | None = Field(None, min_length=1, description="training seeds, instead of the suite's")
    draws: list[Seed] | None = Field(None, min_length=1, description="label draws, instead of the suite's")
    folds: int | None = Field(None, ge=1, le=MOST, description="folds, instead of the suite's")
    floors: list[Floor] | None = Field(None, description="floors, instead of the suite's")
    shuffle_labels: bool = Field(
        False, description="a control: labels are shuffled within each split, so nothing can be learned"
    )
    encoder: ComponentRef = Field("resnet18", description="encoder of arms that neither pretrain nor name one")
    without: list[str] = Field(
        default_factory=list, description="arms of the comparison that this one changes which are left out"
    )
    arm: list[Arm] = Field(min_length=1, description="the arms")

    _no_skip = field_validator("validation_labels")(refuse_skip)

    @field_validator("spy")
    @classmethod
    def _spies_on_a_choice(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("selection") == "test":
            raise ValueError('selection = "test" chooses the best epoch on test already; leave spy out, or selection')
        return value


class SuiteModel(StrictTable):
    """A suite file."""

    schema_version: Literal[1] = Field(alias="schema", description="version of this format")
    name: str = Field(min_length=1, max_length=80, pattern=_ID, description="name of the suite")
    description: str = Field("", description="one line on what it asks")
    extends: str | None = Field(None, description="a suite file beside this one, which this one changes")
    without: list[str] = Field(
        default_factory=list, description="comparisons of the suite that this one extends which are left out"
    )
    requires: list[str] = Field(
        default_factory=list, description='distributions it needs, as in ["medssl-bench-thesis>=0.1"]'
    )
    claims: list[str] = Field(
        default_factory=list, description='published claims whose estimates in the run `report` shows, as in ["thesis"]'
    )
    plugins: list[str] = Field(
        default_factory=list,
        description="Python files beside this one that are loaded as plugins: code that will run",
    )
    seeds: list[Seed] = Field(default=[0], min_length=1, description="training seeds: weights, batches, views")
    draws: list[Seed] = Field(default=[0], min_length=1, description="label draws: which images are labelled")
    folds: int = Field(
        1, ge=1, le=MOST, description="share all images of a data set out to so many folds, each the test split once"
    )
    floors: list[Floor] = Field(
        default=["majority", "untrained"],
        description="arms that every honest table has: the majority class, and a probe on an untrained encoder",
    )
    epochs_scale: float = Field(
        1.0,
        gt=0,
        le=1,
        description="scales every pretraining and fine-tuning, not probes; results are marked as scaled below 1",
    )
    dataset: dict[str, ComponentRef] = Field(default_factory=dict, description="data sets with parameters, by name")
    augmentation: dict[str, ComponentRef] = Field(default_factory=dict, description="augmentations, likewise")
    encoder: dict[str, ComponentRef] = Field(default_factory=dict, description="encoders, likewise")
    method: dict[str, ComponentRef] = Field(default_factory=dict, description="methods, likewise")
    evaluator: dict[str, ComponentRef] = Field(default_factory=dict, description="evaluators, likewise")
    pretraining: dict[str, Pretraining] = Field(default_factory=dict, description="recipes, by name")
    comparison: list[Comparison] = Field(min_length=1, description="the tables")
