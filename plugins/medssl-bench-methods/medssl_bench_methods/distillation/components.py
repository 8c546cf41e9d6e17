"""Methods in which a network learns from another one: BYOL, SimSiam, distillation.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.plugin.parameters import OneComponent
from medssl_bench_methods.parameters import Fraction, Keep, Temperature, Width
from medssl_bench_methods.work import teacher_of_one_view, teacher_of_two_views

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.methods import Method, MethodContext
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_methods(register: Register) -> None:
    """Register the methods of this family."""
    register("byol", byol, work=teacher_of_two_views)
    register("simsiam", simsiam)
    register("distill", distill, work=teacher_of_one_view)


def byol(
    encoder: nn.Module,
    context: MethodContext,  # noqa: ARG001 - every method is given one
    *,
    hidden: Width = 1024,
    projection: Width = 128,
    momentum: Fraction = 0.99,
    rises: bool = True,
    predictor: bool = True,
    keep: Keep = "student",
    second: Annotated[Any, OneComponent("augmentation")] = None,
) -> Method:
    """BYOL (Grill et al. 2020): predict the projection that a moving average of the network makes of the other view.

    With q the prediction made of a view and z' the average's projection of the other, both of length 1, the loss is
    ``2 - 2 q . z'`` (eq. 2), plus that of the views exchanged. There are no negatives: what keeps projections apart is
    the predictor. Without it they collapse, which ``predictor = false`` shows.

    Differences from the paper: smaller heads and a momentum of 0.99, as images are small and trainings short; any
    optimiser in place of LARS; both views are of the recipe's augmentation unless `second` is set. Each view passes by
    itself, so that batch statistics are of one view, as in the paper's code.

    Args:
        hidden: width of the hidden layers of head and predictor; the paper's 4096.
        projection: length of the projections; the paper's 256.
        momentum: of the moving average at the beginning; the paper's 0.996.
        rises: whether the momentum rises to 1 by a half cosine, as in the paper.
        predictor: whether the student has a predictor; without it the method collapses.
        keep: the encoder that is left: the ``student``, which is trained, as in the paper, or its average, ``teacher``.
        second: augmentation of the second view; the paper's has less blur, and solarises. None: the recipe's.
    """
    from medssl_bench_methods.distillation.byol import BYOL

    return BYOL(
        encoder,
        hidden=hidden,
        projection=projection,
        momentum=momentum,
        rises=rises,
        predicts=predictor,
        keep=keep,
        second=second,
    )


def simsiam(
    encoder: nn.Module,
    context: MethodContext,  # noqa: ARG001 - every method is given one
    *,
    hidden: Width = 512,
    projection: Width = 512,
    bottleneck: Width = 128,
    predictor_rate: Literal["constant", "schedule"] = "constant",
) -> Method:
    """SimSiam (Chen and He 2021): predict the projection of the other view, through which no gradient passes.

    With p the prediction made of a view and z' the projection of the other, both of length 1, the loss is
    ``-(p . z' + p' . z) / 2`` (eq. 4), where z and z' are taken as constants. It is BYOL without the moving average.

    Differences from the paper: the head has two layers, as the paper's for CIFAR, and is 512 wide; any optimiser in
    place of SGD.

    Args:
        hidden: width of the head's hidden layer; the paper's 2048.
        projection: length of the projections; the paper's 2048.
        bottleneck: width of the predictor's hidden layer; the paper's 512, a quarter of the projections.
        predictor_rate: learning rate of the predictor: ``constant``, as in the paper, or by the recipe's ``schedule``.
    """
    from medssl_bench_methods.distillation.simsiam import SimSiam

    return SimSiam(
        encoder,
        hidden=hidden,
        projection=projection,
        bottleneck=bottleneck,
        constant_rate=predictor_rate == "constant",
    )


def distill(
    encoder: nn.Module,
    context: MethodContext,
    *,
    temperature: Temperature = 1.0,
    outputs: Literal["classes", "labels"] = "classes",
    intensity: bool = False,
) -> Method:
    """Distillation on unlabelled images (Hinton et al. 2015; SimCLRv2, eq. 3): say what a trained arm says.

    With t the teacher's logits and s those of the student, the loss is
    ``- sum_c softmax(t / T)_c log softmax(s / T)_c``, SimCLRv2's, without Hinton's factor T^2. The teacher is the arm
    that the recipe names: ``teacher = { arm = "..." }``. What is left is the student's encoder, for a linear probe,
    say; its classification layer is stored beside it.

    Differences from the paper: no loss on labelled images, which a method does not see.

    Args:
        temperature: logits are divided by it; the paper's 0.1 or 1.
        outputs: what the teacher's logits are of: ``classes`` that exclude each other, or ``labels`` of which an image
            has several. Then each label's sigmoid is learnt by binary cross-entropy, ours.
        intensity: whether the view has the ops of the recipe's augmentation that change intensities; SimCLRv2 distils
            from crops and flips alone.
    """
    from medssl_bench_methods.distillation.distill import Distill

    return Distill(encoder, context, temperature=temperature, several_labels=outputs == "labels", intensity=intensity)
