"""What a worker needs to do a stage, typed; `medssl_bench.plan.kinds` has one class for each kind of stage."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from medssl_bench.datasets.budget import Budget
from medssl_bench.datasets.fold import Fold
from medssl_bench.errors import UserError
from medssl_bench.plan.keys import content_key
from medssl_bench.plugin.component import Component


def _component(value: Any) -> Component:
    try:
        return value if isinstance(value, Component) else Component.from_data(value)
    except UserError as error:
        raise ValueError(str(error)) from error


def _budget(value: Any) -> Budget:
    try:
        return value if isinstance(value, Budget) else Budget.from_data(value)
    except TypeError as error:
        raise ValueError(str(error)) from error


ComponentData = Annotated[Component, PlainValidator(_component), PlainSerializer(Component.to_data)]
OptionalComponentData = Annotated[
    Component | None,
    PlainValidator(lambda value: None if value is None else _component(value)),
    PlainSerializer(lambda component: None if component is None else component.to_data()),
]
BudgetData = Annotated[
    Budget, PlainValidator(_budget), PlainSerializer(lambda budget: {**budget.to_data(), "short": budget.short})
]


class SpecPart(BaseModel):
    """A part of what a worker needs: JSON-able, and made again from it; names that are not known are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data, from which it can be made again."""
        return self.model_dump()


class DatasetSpec(SpecPart):
    """A data set that a stage reads.

    Attributes:
        component: what it is.
        fingerprint: of its content when the plan was made; None while it was not seen.
        fold: which fold its splits are of; None: they are its own.
    """

    component: ComponentData
    fingerprint: str | None
    fold: Fold | None = None

    @model_serializer(mode="wrap")
    def _to_data(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = dump(self)
        if self.fold is None:  # as it was written before there were folds
            del data["fold"]
        return data

    @property
    def key(self) -> str:
        """A text that only the same data set with the same content has."""
        return content_key(self.to_data())


class PoolPart(SpecPart):
    """What of a data set a pretraining learns from.

    Attributes:
        dataset: the data set.
        train: whether the images of the training split are among it.
        unlabelled: `unlabelled_fingerprint` of its images without labels; None where these are not used.
    """

    dataset: DatasetSpec
    train: bool
    unlabelled: str | None = None


class EncoderSpec(SpecPart):
    """How an encoder is first made.

    Attributes:
        component: what it is.
        size: side of its images in pixels; None while that is unknown.
        seed: of its first weights.
    """

    component: ComponentData
    size: int | None
    seed: int

    def identity(self) -> dict[str, Any]:
        """Return what decides its first weights."""
        return {"component": self.component.identity(), "size": self.size, "seed": self.seed}


class Spec(SpecPart):
    """What a worker needs to do a stage. Each kind of stage has a class of its own.

    Class attributes:
        kind: its name, which is also the name of its module in `medssl_bench.plan.kinds`.
        revision: raise it if the harness' own part of such a stage gives other results than before. Then older results
            are computed again. A test with recorded numbers watches.
        does: the function that does it, ``package.module:function``; it gets the stage, a workshop and an attempt.
        trains: whether it is a training, which `epochs_scale` shortens.

    Attributes:
        dataset: the data set that it reads.
        epochs_scale: factor on the epochs of the plan.
    """

    kind: ClassVar[str]
    revision: ClassVar[int] = 1
    does: ClassVar[str]
    trains: ClassVar[bool] = False

    dataset: DatasetSpec
    epochs_scale: float = 1.0

    @property
    def datasets(self) -> tuple[DatasetSpec, ...]:
        """All data sets that it reads."""
        return (self.dataset,)

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Return the spec that `to_data` described, also that of an older version.

        Raises:
            UserError: the data does not describe such a stage.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            message = f"this does not describe a stage of kind {cls.kind!r}: {where}: {first['msg']}"
            raise UserError(message) from error


class SpecWithEncoder(Spec):
    """A stage that begins with an encoder.

    Attributes:
        encoder: how the encoder was, or is, first made; None in records of older versions: as `start` says.
        start: key of the stage that left the encoder's weights; None for first weights.
    """

    encoder: EncoderSpec | None = None
    start: str | None
