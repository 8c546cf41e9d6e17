"""Methods that tell an image from others: MoCo, NNCLR, instance discrimination, SimCLRv2, ReLIC.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.plugin.parameters import OneComponent
from medssl_bench_methods.parameters import AtLeastOne, Count, Fraction, Keep, Temperature, Width
from medssl_bench_methods.work import one_view, queries_and_keys, teacher_of_two_views, two_views_and_queue

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.methods import Method, MethodContext
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_methods(register: Register) -> None:
    """Register the methods of this family."""
    register("moco", moco, work=queries_and_keys)
    register("nnclr", nnclr)
    register("instdisc", instdisc, work=one_view)
    register("simclr2", simclr2, work=two_views_and_queue)
    register("relic", relic, work=teacher_of_two_views)


@hookimpl
def medssl_encoders(register: Register) -> None:
    """Register the encoder of SimCLRv2."""
    register("headed", headed)
    register("simclr2_resnet18", simclr2_resnet18)


def moco(
    encoder: nn.Module,
    context: MethodContext,
    *,
    queue: AtLeastOne | None = None,
    momentum: Fraction = 0.99,
    temperature: Temperature = 0.2,
    head: Literal["mlp", "linear"] = "mlp",
    hidden: Width = 512,
    projection: Width = 128,
    symmetric: bool = False,
    shuffle: Count = 0,
) -> Method:
    """MoCo (He et al. 2020; v2: Chen et al. 2020): find the other view of an image among a queue of older images.

    The query q is the projection of the first view, the key k that of the second by a moving average of the network;
    the loss is ``-log exp(q . k / T) / (exp(q . k / T) + sum_i exp(q . k_i / T))`` (eq. 1), where k_i are the keys in
    the queue and all vectors have length 1. The keys of the batch then take the place of the oldest.

    The defaults are v2's; v1 is ``head = "linear"`` and ``temperature = 0.07``. A loss that rises tells nothing: at the
    beginning the queue has random vectors, which are easy, and keys take their place.

    Differences from the paper: a short queue and a momentum of 0.99, as data sets are small and trainings short; batch
    normalisation sees a whole batch, as there is one device, so that keys need not be shuffled between devices.

    Args:
        queue: number of older keys; the paper's 65,536. Unset: the power of 2 up to half the images, 4096 at most,
            ours: a longer queue has older copies of an image among its own negatives.
        momentum: of the moving average; ours, as at the paper's 0.999 it hardly moves in 1,000 steps.
        temperature: similarities are divided by it; v2's 0.2, v1's 0.07.
        head: ``mlp`` of one hidden layer without batch normalisation as in v2, or ``linear`` as in v1.
        hidden: width of the hidden layer of ``mlp``; v2's 2048, ours 512, the features of a ResNet-18.
        projection: length of the projections, the paper's 128.
        symmetric: whether each view is query once and key once, as in later work; twice the work, twice the keys.
        shuffle: number of parts of a shuffled batch in which keys are made, each with its own batch statistics, as on
            that many devices in the paper; 0: whole batches.
    """
    from medssl_bench_methods.contrastive.moco import MoCo
    from medssl_bench_methods.queue import default_length

    return MoCo(
        encoder,
        hidden=hidden if head == "mlp" else None,
        projection=projection,
        queue=default_length(context.images) if queue is None else queue,
        momentum=momentum,
        temperature=temperature,
        symmetric=symmetric,
        parts=shuffle,
        batch=context.batch_size,
    )


def nnclr(
    encoder: nn.Module,
    context: MethodContext,
    *,
    queue: AtLeastOne | None = None,
    temperature: Temperature = 0.1,
    hidden: Width = 512,
    projection: Width = 128,
) -> Method:
    """NNCLR (Dwibedi et al. 2021): find the other view of an image from the nearest neighbour of the first one.

    With z the projections of a view and p the predictions made of them, all of length 1, the loss is the mean over the
    batch of ``-log exp(NN(z_i) . p'_i / T) / sum_k exp(NN(z_i) . p'_k / T)`` (eq. 3), where NN(z) is the nearest of
    older projections in a queue; it is averaged with that of the views exchanged, as in the paper's pseudo-code.
    The first view's projections then take the place of the oldest.

    The metric ``own_neighbour`` says how often a neighbour is an older view of the same image: at 1 the method is
    SimCLR, at 0 neighbours may be anything. At the beginning they are random.

    Differences from the paper: a short queue and small heads, for small data sets of small images.

    Args:
        queue: number of older projections; the paper's 98,304. Unset: the power of 2 up to half the images, 4096 at
            most, ours.
        temperature: similarities are divided by it; the paper's.
        hidden: width of the hidden layers of head and predictor; the paper's 2048 and 4096.
        projection: length of the projections; the paper's 256.
    """
    from medssl_bench_methods.contrastive.nnclr import NNCLR
    from medssl_bench_methods.queue import default_length

    length = default_length(context.images) if queue is None else queue
    return NNCLR(encoder, hidden=hidden, projection=projection, queue=length, temperature=temperature)


def instdisc(
    encoder: nn.Module,
    context: MethodContext,
    *,
    temperature: Temperature = 0.07,
    projection: Width = 128,
    momentum: Fraction = 0.5,
    negatives: AtLeastOne | None = None,
    proximal: Annotated[float, Field(ge=0)] = 0.0,
) -> Method:
    """Instance discrimination (Wu et al. 2018): each image is a class, and a memory of all images is the classifier.

    With v the projection of an image's view, and m_j what the memory has of image j, all of length 1, the loss is
    ``-log exp(v . m_i / T) / sum_j exp(v . m_j / T)`` (eq. 2). Then m_i becomes
    ``momentum * m_i + (1 - momentum) * v``, of length 1. It has one view of an image, so one pass: half of SimCLR's
    work.

    Differences from the paper: the sum is over all images, exactly, where the paper estimates it by noise-contrastive
    estimation for the 1.3 million of ImageNet; no proximal term unless it is asked for. Validation images are not in
    the memory: their loss is that of telling them from each other.

    Args:
        temperature: similarities are divided by it; the paper's.
        projection: length of the projections; the paper's.
        momentum: of the memory; the authors' code's 0.5.
        negatives: number of other images drawn in each step, of which the sum is estimated. Unset: all images where
            there are 50,000 or fewer, else 4096, ours and the paper's number.
        proximal: weight of the squared distance between v and m_i (eq. 9), the paper's lambda of 30; ours 0.
    """
    from medssl_bench_methods.contrastive.instdisc import InstDisc

    return InstDisc(
        encoder,
        images=context.images,
        projection=projection,
        temperature=temperature,
        momentum=momentum,
        negatives=4096 if negatives is None and context.images > 50_000 else negatives,
        proximal=proximal,
    )


def simclr2(
    encoder: nn.Module,
    context: MethodContext,  # noqa: ARG001 - every method is given one
    *,
    temperature: Temperature = 0.1,
    hidden: Width = 512,
    projection: Width = 128,
    queue: Count = 0,
    momentum: Fraction = 0.99,
) -> Method:
    """SimCLRv2 (Chen et al. 2020): SimCLR with a head of three layers, of which the first stays with the encoder.

    The loss is SimCLR's NT-Xent over the two views of a batch; with a queue, older projections of a moving average of
    the network are negatives beside those of the batch. The three layers are the first one, which the encoders
    ``headed`` and ``simclr2_resnet18`` have, and the two of this method, all with batch normalisation as in the
    authors' code: probes and fine-tuning so begin at the middle of the head. Around any other encoder it is SimCLR with
    a head of two layers.

    Differences from the paper: the queue is off, as the paper gains 1 % from it; smaller encoders and heads.

    Args:
        temperature: similarities are divided by it; the paper's.
        hidden: width of the head's hidden layer; the paper's is that of the features.
        projection: length of the projections; the paper's 128.
        queue: number of older projections that are negatives, too; 0: no queue and no moving average. The paper's
            65,536.
        momentum: of the moving average, used with a queue alone; the paper's 0.999.
    """
    from medssl_bench_methods.contrastive.simclr2 import SimCLR2, SimCLR2WithQueue

    if not queue:
        return SimCLR2(encoder, hidden=hidden, projection=projection, temperature=temperature)
    return SimCLR2WithQueue(
        encoder, hidden=hidden, projection=projection, temperature=temperature, queue=queue, momentum=momentum
    )


def relic(
    encoder: nn.Module,
    context: MethodContext,  # noqa: ARG001 - every method is given one
    *,
    alpha: Annotated[float, Field(ge=0)] = 0.5,
    temperature: Temperature = 0.2,
    hidden: Width = 512,
    projection: Width = 128,
    momentum: Fraction = 0.99,
    keep: Keep = "student",
) -> Method:
    """ReLIC (Mitrovic et al. 2021): tell images apart, and equally so whichever way they were augmented.

    With z the projections of a view and t those of a moving average of the network, all of length 1, image i has among
    the images j of the batch the distribution ``p_i = softmax_j(z_i . t'_j / T)`` from one view to the other, and p'_i
    with the views exchanged. The loss is the mean over i, and over both directions, of
    ``-log p_i(i) + alpha * KL(p_i || p'_i)``; no gradient passes through the first of the two.

    Differences from the paper: views of the recipe's augmentation, no masks of salient regions and no small views as in
    ReLICv2; smaller heads.

    Args:
        alpha: weight of the divergence; ours.
        temperature: similarities are divided by it; ours.
        hidden: width of the head's hidden layer; the paper's 4096.
        projection: length of the projections; the paper's 256.
        momentum: of the moving average at the beginning; it rises to 1 by a half cosine. The paper's 0.996.
        keep: the encoder that is left: the ``student``, which is trained, or its average, ``teacher``.
    """
    from medssl_bench_methods.contrastive.relic import ReLIC

    return ReLIC(
        encoder,
        hidden=hidden,
        projection=projection,
        alpha=alpha,
        temperature=temperature,
        momentum=momentum,
        keep=keep,
    )


def headed(
    size: int,
    *,
    base: Annotated[Any, OneComponent("encoder")] = "resnet18",
    width: Width | None = None,
) -> nn.Module:
    """An encoder and the first layer of a projection head: linear, batch normalisation, ReLU (SimCLRv2, sec. 2).

    Args:
        base: the encoder.
        width: length of the features; unset: that of the base encoder.
    """
    from medssl_bench_methods.contrastive.headed import Headed

    return Headed(base(size=size), width)


def simclr2_resnet18(
    size: int, *, base: Annotated[Any, OneComponent("encoder")] = "resnet18", width: Width | None = None
) -> nn.Module:
    """SimCLRv2's encoder around a ResNet-18: ``headed`` under a short name.

    Args:
        base: the encoder, with its parameters where they are not the defaults.
        width: length of the features; unset: 512, that of a ResNet-18.
    """
    return headed(size, base=base, width=width)
