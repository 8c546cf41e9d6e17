"""The built-in evaluators. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.plugin.parameters import AddedLater, OneComponent

if TYPE_CHECKING:
    from medssl_bench.evaluators.base import Evaluator
    from medssl_bench.plugin.registry import Register

Count = Annotated[int, Field(ge=1)]
ClassBalance = Annotated[Literal["none", "undersample", "oversample", "class_weights"], AddedLater("none")]


@hookimpl
def medssl_evaluators(register: Register) -> None:
    """Register the evaluators that come with the harness."""
    # 2: a last batch of one image counts too, and every record has its loss_gap
    register("linear_probe", linear_probe, revision=2)
    register("finetune", finetune)
    register("knn", knn)
    register("majority", majority)
    register("silhouette", silhouette)
    register("embedding", embedding)


def linear_probe(
    *,
    epochs: Count = 500,
    lr: Annotated[float, Field(gt=0)] = 1e-3,
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4,
    batch_size: Count = 64,
    drops: Literal["fraction", "as_run"] = "fraction",
    validate_every: Count = 10,
    balance: ClassBalance = "none",
    optimizer: Annotated[Any, OneComponent("optimizer"), AddedLater(None)] = None,
    schedule: Annotated[Any, OneComponent("schedule"), AddedLater(None)] = None,
) -> Evaluator:
    """Logistic regression on the features of the frozen encoder (Jiang 2023, Table 3.2).

    Args:
        epochs: passes over the labelled images; not stated in the thesis, 500 in its code.
        lr: learning rate of AdamW; multiplied by 0.1 twice, see `drops`.
        weight_decay: 1e-4 as the thesis prints, 1e-3 as its code ran.
        batch_size: images of a batch; a smaller set is one batch.
        drops: `fraction`, the rate drops at 60 % and 80 % of the epochs; `as_run`, at epochs 60 and 80 of any number,
            as the thesis' code did.
        validate_every: epochs between two looks at the validation images.
        balance: `undersample`, as many images of each class as the smallest has, the others are left out;
            `oversample`, every class comes equally often in an epoch of as many images; `class_weights`, the loss of
            an image counts n / (k n_c), for n images, n_c of them of its class, and k classes.
        optimizer: another optimiser, whose own parameters then hold instead of `lr` and `weight_decay`; none: AdamW.
            Each probe is then trained by itself, which takes longer.
        schedule: learning rate over the epochs, instead of `drops`; none: as `drops` says.
    """
    from medssl_bench.evaluators.linear_probe import LinearProbe, LoneProbe

    make = LinearProbe if optimizer is None else LoneProbe
    return make(
        epochs=epochs,
        lr=lr,
        weight_decay=weight_decay,
        batch_size=batch_size,
        drops=drops,
        validate_every=validate_every,
        balance=balance,
        optimizer=optimizer,
        schedule=schedule,
    )


def finetune(
    *,
    epochs: Count = 500,
    lr: Annotated[float, Field(gt=0)] = 1e-3,
    weight_decay: Annotated[float, Field(ge=0)] = 0.0,
    batch_size: Annotated[int, Field(ge=2)] = 128,
    validate_every: Count = 10,
    augmentation: Annotated[Any, OneComponent("augmentation")] = None,
    precision: Literal["float32", "bfloat16"] = "float32",
    balance: ClassBalance = "none",
    optimizer: Annotated[Any, OneComponent("optimizer"), AddedLater(None)] = None,
    schedule: Annotated[Any, OneComponent("schedule"), AddedLater(None)] = None,
) -> Evaluator:
    """Encoder and linear layer trained together; from scratch it is the supervised baseline (Jiang 2023, Table 3.2).

    Args:
        epochs: passes over the labelled images; not stated in the thesis, 500 in its code.
        lr: learning rate of Adam.
        weight_decay: L2 penalty.
        batch_size: images of a batch; a smaller set is one batch.
        validate_every: epochs between two looks at the validation images.
        augmentation: augmentation of the training images; none as in the thesis.
        precision: arithmetic of the encoder's forward pass; weights, classifier and loss stay float32.
        balance: `undersample`, as many images of each class as the smallest has, the others are left out;
            `oversample`, every class comes equally often in an epoch of as many images; `class_weights`, the loss of
            an image counts n / (k n_c), for n images, n_c of them of its class, and k classes.
        optimizer: another optimiser, whose own parameters then hold instead of `lr` and `weight_decay`; none: Adam.
        schedule: learning rate over the epochs; none: one learning rate.
    """
    from medssl_bench.evaluators.finetune import FineTune

    return FineTune(
        epochs=epochs,
        lr=lr,
        weight_decay=weight_decay,
        batch_size=batch_size,
        validate_every=validate_every,
        augmentation=augmentation,
        precision=precision,
        balance=balance,
        optimizer=optimizer,
        schedule=schedule,
    )


def knn(
    *,
    k: Count = 20,
    weighting: Literal["uniform", "similarity"] = "similarity",
    temperature: Annotated[float, Field(gt=0)] = 0.07,
) -> Evaluator:
    """Nearest neighbours by cosine similarity of the features: no training, nothing to choose (Wu et al. 2018).

    Args:
        k: number of neighbours; all labelled images where there are fewer.
        weighting: whether a neighbour counts 1, or exp(similarity / temperature).
        temperature: of the weights.
    """
    from medssl_bench.evaluators.knn import NearestNeighbours

    return NearestNeighbours(k=k, weighting=weighting, temperature=temperature)


def majority() -> Evaluator:
    """The majority class of the labelled images: a floor. Its AUROC is 0.5, as it tells no image from another."""
    from medssl_bench.evaluators.majority import Majority

    return Majority()


def silhouette(
    *,
    components: Annotated[tuple[Count, ...], Field(min_length=1)] = (2, 50),
    points: Annotated[int, Field(ge=2)] = 2000,
) -> Evaluator:
    """Silhouette coefficient of the classes among test images, after PCA (an analysis; Jiang 2023, App. D).

    Args:
        components: numbers of principal components; each gives a coefficient and its explained variance.
        points: how many test images are drawn; all where there are fewer.
    """
    from medssl_bench.evaluators.silhouette import Silhouette

    return Silhouette(components=list(components), points=points)


def embedding(
    *,
    points: Annotated[int, Field(ge=5)] = 2000,
    components: Annotated[int, Field(ge=2)] = 50,
    perplexities: Annotated[tuple[Count, ...], Field(min_length=1)] = (30,),
) -> Evaluator:
    """Maps of the test images by PCA and t-SNE, for figures and the report (an analysis; Jiang 2023, ch. 7).

    Args:
        points: how many test images are shown; all where there are fewer. They are those of `silhouette`.
        components: principal components that t-SNE starts from.
        perplexities: of t-SNE; one map for each.
    """
    from medssl_bench.evaluators.embedding import Embedding

    return Embedding(points=points, components=components, perplexities=list(perplexities))
