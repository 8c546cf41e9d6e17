"""How much work a stage is, for estimates of its cost: see `medssl_bench.costs.units`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medssl_bench.costs.arithmetic import relative
from medssl_bench.costs.passes import encoder_passes
from medssl_bench.plugin.component import Component

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.costs.units import Work
    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.budget import Budget
    from medssl_bench.evaluators import Evaluator
    from medssl_bench.methods.work import Passes
    from medssl_bench.plan.known_dataset import KnownDataset

_LONE_STEP = 1.5
"""Steps of the built-in probe that take as long as one by an optimiser of torch."""


@dataclass(frozen=True)
class Images:
    """How many images of each sort a stage meets.

    Attributes:
        train: it learns from; of a pretraining, a whole epoch of them.
        chosen_by: an epoch is chosen by, or a pretraining is followed on.
        test: it predicts.
    """

    train: int
    chosen_by: int
    test: int


def labelled_images(budget: Budget, known: KnownDataset, split: SplitName, total: int) -> int:
    """Return how many labelled images a budget is of a split of `total`, as far as it is known."""
    if budget.unit == "groups":  # of about the same size
        groups = known.info.group_counts if known.info else None
        return round(total * min(1, budget.amount / groups[split])) if groups and groups[split] else total
    number = budget.images(total) if budget.short != "error" or budget.amount <= total else total
    if number is not None:
        return number
    counts = known.info.class_counts if known.info else None
    return int(sum(min(count, budget.amount) for count in counts)) if counts else int(budget.amount) * 10


def pretraining_images(duration: dict[str, int], images: int, batch_size: int) -> int:
    """Return how many images a pretraining processes.

    Args:
        duration: one of ``epochs``, ``steps`` and ``images_seen``.
        images: how many there are.
        batch_size: images of a batch; an incomplete last one is dropped.
    """
    batch = min(batch_size, images)
    if "steps" in duration:
        return duration["steps"] * batch
    return duration.get("images_seen") or duration["epochs"] * (images // batch if batch else 0) * batch


def pretraining_work(
    encoder: Component,
    augmentation: Component,
    images: Images,
    passes: Passes,
    *,
    view_size: int | None,
    duration: dict[str, int],
    batch_size: int,
    validate_every: int,
    precision: str,
) -> Work:
    """Return the work of a pretraining.

    Args:
        encoder: what is trained.
        augmentation: of the recipe.
        images: training and validation images.
        passes: of the method, for an image.
        view_size: side of the views in pixels.
        duration: one of ``epochs``, ``steps`` and ``images_seen``.
        batch_size: images of a batch.
        validate_every: epochs between two looks at the validation images.
        precision: of the training.
    """
    one, of_image = relative(encoder, view_size), encoder_passes(passes, encoder, view_size)
    seen = pretraining_images(duration, images.train, batch_size)
    steps = seen / max(1, min(batch_size, images.train))
    epochs = seen / max(1, images.train)
    followed = images.chosen_by * (epochs / validate_every + 1)
    return {
        "stage": 1,
        "encoder made": one.parameters,
        "encoder kept": one.parameters,
        f"pretrain image:{precision}": seen * of_image.compute * one.multiply_adds,
        f"pretrain step:{precision}": steps * one.parameters if of_image.trained else 0,
        f"forward image:{precision}": followed * (of_image.trained + of_image.frozen) * one.multiply_adds,
        **_views(augmentation, (seen + followed) * sum(number * _area(side) for side, number in passes.made)),
    }


def embedding_work(encoder: Component, size: int | None, images: int) -> Work:
    """Return the work of computing features of images of a side in pixels."""
    one = relative(encoder, size)
    return {"stage": 1, "encoder made": one.parameters, "forward image:float32": images * one.multiply_adds}


def prediction_work(encoder: Component, size: int | None, images: int, precision: str, op: str) -> Work:
    """Return the work of predicting images with a classifier that is kept; `op` is what changes them, or nothing."""
    one = relative(encoder, size)
    work: Work = {
        "stage": 1,
        "encoder made": one.parameters,
        f"forward image:{precision}": images * one.multiply_adds,
    }
    return {**work, f"op:{op}": images * _area(size)} if op else work


def evaluation_work(
    evaluator: Evaluator, component: Component, encoder: Component, size: int | None, images: Images
) -> Work:
    """Return the work of an evaluation.

    Args:
        evaluator: what judges.
        component: what it was made of.
        encoder: what it judges.
        size: side of the images in pixels.
        images: labelled images, those that an epoch is chosen by, and test images.
    """
    if component.tune:
        return _tuning_work(evaluator, component, encoder, size, images)
    work: Work = {"stage": 1}
    passes = evaluator.passes(images.train)
    if passes is None:
        return work
    steps, looks = passes.epochs * passes.steps(images.train), passes.looks if images.chosen_by else 0
    work |= {"look": looks, "looked-at image": looks * images.chosen_by}
    if evaluator.needs != "encoder":
        alone = component.parameters.get("optimizer") is not None
        return {**work, "probe epoch": passes.epochs, "probe step": steps * (_LONE_STEP if alone else 1)}
    one, precision = relative(encoder, size), str(component.parameters.get("precision", "float32"))
    seen = passes.epochs * images.train * passes.per_image
    predicted = looks * images.chosen_by + (2 if looks else 1) * images.test  # the chosen epoch, and the last
    augmentation = component.parameters.get("augmentation")
    views = _views(augmentation, seen * _area(size)) if isinstance(augmentation, Component) else {}
    return {
        **work,
        "encoder made": one.parameters,
        "encoder kept": one.parameters,
        f"finetune image:{precision}": seen * one.multiply_adds,
        f"finetune step:{precision}": steps * one.parameters,
        f"forward image:{precision}": predicted * one.multiply_adds,
        **views,
    }


def _tuning_work(
    evaluator: Evaluator, component: Component, encoder: Component, size: int | None, images: Images
) -> Work:
    """Return the work of all candidates, which predict validation images, and of one more, which predicts the test.

    That one has the mean of what they take. Arguments as of `evaluation_work`.
    """
    candidates: Sequence[Evaluator] = getattr(evaluator, "candidates", ())
    judged = replace(images, test=images.chosen_by)
    work: Work = {}
    for made, (_, each) in zip(candidates, component.candidates(), strict=True):
        for met, share in ((judged, 1.0), (images, 1 / len(candidates))):
            for unit, number in evaluation_work(made, each, encoder, size, met).items():
                work[unit] = work.get(unit, 0) + share * number
    return {**work, "stage": 1}


def analysis_work(component: Component) -> Work:
    """Return the work of an analysis."""
    return {"stage": 1, f"analysis:{component.name}": 1}


def speed_group(*parts: Component | str | int | None) -> str:
    """Return a text that stages have in common whose work takes as long: names, and parameters that matter."""
    return " ".join(_of_speed(part) if isinstance(part, Component) else str(part) for part in parts if part is not None)


_MATTER = ("model", "input_size", "stem", "patch", "precision", "augmentation", "ops", "optimizer")
"""Parameters of components that decide how long an image takes."""


def _of_speed(component: Component) -> str:
    values = [component.parameters.get(name) for name in _MATTER]
    flat = [each for value in values for each in (value if isinstance(value, list) else [value]) if each is not None]
    found = [_of_speed(each) if isinstance(each, Component) else str(each) for each in flat]
    return f"{component.name}({', '.join(found)})" if found else component.name


def _views(augmentation: Component, number: float) -> Work:
    """Return the work of making views, counted as views of 28 pixels; a list of ops is the sum of them."""
    ops = augmentation.parameters.get("ops")
    if augmentation.name != "sequence" or not isinstance(ops, list):
        return {f"view:{augmentation.name}": number}
    work: Work = {}
    for op in ops:
        work[f"op:{op.name}"] = work.get(f"op:{op.name}", 0) + number
    return work


def _area(size: int | None) -> float:
    """Return the pixels of an image, where one of 28 pixels has 1."""
    return ((size or 28) / 28) ** 2
