"""The pretrain stage: an encoder from unlabelled images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import field_validator

from medssl_bench.plan.about import About
from medssl_bench.plan.arithmetic import of_precision
from medssl_bench.plan.checks import Unfit
from medssl_bench.plan.later_options import later_options, with_later
from medssl_bench.plan.spec import BudgetData, ComponentData, DatasetSpec, PoolPart, SpecWithEncoder
from medssl_bench.plan.workload import Images, pretraining_images, pretraining_work, speed_group
from medssl_bench.plugin.component import Component

if TYPE_CHECKING:
    from pydantic import ValidationInfo

    from medssl_bench.costs.units import Work
    from medssl_bench.methods.work import Passes
    from medssl_bench.plan.cell import Cell
    from medssl_bench.plan.pool import Pool
    from medssl_bench.plan.spec import EncoderSpec
    from medssl_bench.plan.stage import Plan, Stage
    from medssl_bench.suite.table import Recipe


class PretrainSpec(SpecWithEncoder):
    """A pretraining.

    Attributes:
        method: the self-supervised method.
        augmentation: makes its views.
        optimizer: changes the weights.
        schedule: of the learning rate, in the duration's unit.
        images: how many unlabelled images it uses.
        duration: one of ``epochs``, ``steps`` and ``images_seen``.
        batch_size: images of a batch.
        view_size: side of the views in pixels; None while the data has not been seen.
        precision: ``float32`` or ``bfloat16``.
        keep: the weights of the ``last`` or the ``best`` epoch.
        validate_every: epochs between two looks at the validation images.
        seed: of everything that chance decides.
        teacher: key of the evaluation whose encoder and classifier the method learns from, or None.
        pool: which images of which data sets it learns from; empty: the training images of `dataset`.
        held_out: how many images of the pool it is watched on, as there are no validation images; they are not
            learned from.
    """

    kind: ClassVar[str] = "pretrain"
    does: ClassVar[str] = "medssl_bench.stages.pretrain:pretrain"
    trains: ClassVar[bool] = True

    method: ComponentData
    augmentation: ComponentData
    optimizer: ComponentData
    schedule: ComponentData
    images: BudgetData
    duration: dict[str, int]
    batch_size: int
    view_size: int | None
    precision: str
    keep: str
    validate_every: int
    seed: int
    teacher: str | None
    pool: tuple[PoolPart, ...] = ()
    held_out: int = 0

    @property
    def parts(self) -> tuple[PoolPart, ...]:
        """What it learns from."""
        return self.pool or (PoolPart(dataset=self.dataset, train=True),)

    @property
    def datasets(self) -> tuple[DatasetSpec, ...]:
        """All data sets that it reads."""
        return tuple(part.dataset for part in self.parts)

    def settings(self) -> dict[str, Any]:
        """Return the settings of the training as `medssl_bench.training.pretrain.Pretraining` takes them."""
        return {
            "method": {"name": self.method.name},
            "duration": self.duration,
            "batch_size": self.batch_size,
            "optimizer": self.optimizer.parameters,
            "schedule": self.schedule.parameters,
            "precision": self.precision,
            "keep": self.keep,
            "validate_every": self.validate_every,
            "seed": self.seed,
        }

    @field_validator("optimizer", "schedule", mode="before")
    @classmethod
    def _older(cls, data: Any, info: ValidationInfo) -> Any:
        """Accept a record from before optimizers were components: it has a name and the parameters."""
        if isinstance(data, dict) and "parameters" not in data and isinstance(data.get("name"), str):
            parameters = {name: value for name, value in data.items() if name != "name"}
            return Component(str(info.field_name), data["name"], parameters, plugin="training")
        return data


def add_pretraining(
    plan: Plan,
    cell: Cell,
    recipe: Recipe,
    source: str,
    pool: Pool,
    passes: Passes,
    *,
    duration: dict[str, int],
    schedule: Component,
    start: Stage | None,
    made: EncoderSpec,
    teacher: Stage | None,
) -> Stage[PretrainSpec]:
    """Add a pretraining to a plan.

    Args:
        plan: where to add it.
        cell: whose comparison and seed it has.
        recipe: what to do.
        source: what its data sets are called.
        pool: the images that it can use.
        passes: what the method does for an image.
        duration: of the training, scaled.
        schedule: of the learning rate, scaled.
        start: the pretraining before it; None for first weights.
        made: how the encoder is first made.
        teacher: the trained arm that it learns from, or None.

    Raises:
        Unfit: there is no such pool, or it has too few images.
    """
    model, view_size = recipe.model, recipe.model.view_size or pool.first.size
    decides: dict[str, Any] = {
        "method": recipe.method.identity(),
        "augmentation": recipe.augmentation.identity(),
        **pool.identity(),
        "images": model.images.to_data(),
        "duration": duration,
        "batch_size": model.batch_size,
        "view_size": view_size,
        "optimizer": _rule(recipe.optimizer),
        "schedule": _rule(schedule),
        "precision": model.precision,
        **of_precision(model.precision),
        "keep": model.keep,
        "validate_every": model.validate_every,
        "seed": cell.seed,
    }
    if start is None:
        decides["encoder"] = made.identity()
    spec = PretrainSpec.model_validate(
        {
            **later_options("recipe", model),
            "method": recipe.method,
            "augmentation": recipe.augmentation,
            "optimizer": recipe.optimizer,
            "schedule": schedule,
            "dataset": pool.first.spec,
            "pool": pool.parts(),
            "held_out": pool.held_out,
            "images": model.images,
            "duration": duration,
            "batch_size": model.batch_size,
            "view_size": view_size,
            "precision": model.precision,
            "keep": model.keep,
            "validate_every": model.validate_every,
            "seed": cell.seed,
            "encoder": made,
            "start": start.key if start else None,
            "teacher": teacher.key if teacher else None,
        }
    )
    taught = f" · taught by {teacher.title}" if teacher else ""
    after = f" after {start.title.removeprefix('pretrain · ')}" if start else ""
    if wrong := pool.refuses():
        raise Unfit(wrong, "pretraining", recipe.name, "pool")
    if wrong := pool.too_few(model.images):
        raise Unfit(wrong, "pretraining", recipe.name, "images")
    images, work = _work(recipe, spec, pool, passes)
    return plan.add_stage(
        f"pretrain · {recipe.name} · {source} · seed {cell.seed}{taught}{after}",
        with_later(decides, "recipe", model, told_otherwise={"pool", "compute_images"}),  # as images
        spec,
        parents=[stage for stage in (start, teacher) if stage],
        pending=pool.pending,
        images=images,
        speed_group=speed_group(
            "pretrain", recipe.method, recipe.encoder, view_size, recipe.augmentation, model.precision
        ),
        work=work,
        about=About(dataset=source, recipe=recipe.name),
    )


def _work(recipe: Recipe, spec: PretrainSpec, pool: Pool, passes: Passes) -> tuple[int | None, Work | None]:
    """Return the images that a pretraining processes, and its work; None while the data has not been seen."""
    if pool.learned is None or pool.watched is None:
        return None, None
    unlabelled = spec.images.images(pool.learned) or 0
    images = pretraining_images(spec.duration, unlabelled, spec.batch_size)
    met = Images(unlabelled, pool.watched, 0)
    work = pretraining_work(
        recipe.encoder,
        recipe.augmentation,
        met,
        passes,
        view_size=spec.view_size,
        duration=spec.duration,
        batch_size=spec.batch_size,
        validate_every=spec.validate_every,
        precision=spec.precision,
    )
    return images, work


def _rule(component: Component) -> dict[str, Any]:
    """Return the identity of an optimizer or a schedule.

    The built-in ones had no plugin and no revision when they were a closed list, and old keys must stay.
    """
    identity = component.identity()
    if (component.plugin, component.revision) == ("training", 1):
        return {"name": component.name, **identity["parameters"]}
    return identity


KIND = PretrainSpec
