"""The clustering methods, their parameters and defaults.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from medssl_bench.augmentations.ranges import FractionLimits
from medssl_bench.methods.work import Passes, two_views
from medssl_bench.plugin.markers import hookimpl
from medssl_bench_methods.parameters import AtLeastOne, Count, Fraction, Prototypes, Temperature, Width
from medssl_bench_methods.work import passes_of_crops, teacher_of_one_view, teacher_of_two_views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from medssl_bench.methods import Method, MethodContext
    from medssl_bench.plugin.registry import Register

_MODALITIES = 8
"""More groups than this are patients, not modalities."""


@hookimpl
def medssl_methods(register: Register) -> None:
    """Register the methods of this family."""
    register("swav", swav, work=passes_of_crops)
    register("online_clustering", online_clustering, work=_online_passes)
    register("deepcluster", deepcluster, work=_deepcluster_passes)


def _online_passes(parameters: Mapping[str, Any], size: int) -> Passes:
    return (teacher_of_two_views if parameters["balance"] == "none" else two_views)(parameters, size)


def _deepcluster_passes(parameters: Mapping[str, Any], size: int) -> Passes:
    """Version 1 encodes all images before each epoch, version 2 before the first alone, which is not counted."""
    if parameters["version"] == 1:
        return teacher_of_one_view(parameters, size)
    return two_views(parameters, size)


def swav(
    encoder: nn.Module,
    context: MethodContext,
    *,
    hidden: Width = 512,
    projection: Width = 128,
    prototypes: Prototypes = 128,
    temperature: Temperature = 0.1,
    epsilon: Temperature = 0.05,
    iterations: AtLeastOne = 3,
    queue: Count | None = None,
    queue_from: Fraction = 0.1,
    frozen: Fraction = 0.01,
    crop: FractionLimits | None = (0.14, 1.0),
    local_views: Count = 4,
    local_size: AtLeastOne | None = None,
    local_crop: FractionLimits = (0.1, 0.4),
) -> Method:
    """SwAV (Caron et al. 2020): the code of one view, balanced over the batch, is predicted from another view.

    With z the unit projection of a view and C the K unit prototypes, scores are ``s = z C^T``. Codes q of the two large
    views are ``exp(s / epsilon)``, balanced by Sinkhorn-Knopp so that every prototype gets the same weight (eq. 3). The
    loss is the mean over pairs of a large view t and another view v of ``-sum_k q_t log softmax(s_v / temperature)``
    (eq. 1, 2).

    Differences from the paper: sizes for images of 28 pixels, below; parts of the training where the paper has epochs;
    Sinkhorn-Knopp in the log domain. `crop` and `local_views` ask for crops, so the augmentation must be a
    sequence of the harness' ops.

    Args:
        hidden: width of the head's hidden layer; ours, the paper's 2048.
        projection: length of the projections; the paper's 128.
        prototypes: K; ours, about twice the root of some thousand images, the paper's 3000. More than the batch and the
            queue together cannot each get a whole image.
        temperature: of the predictions; the paper's 0.1.
        epsilon: of the codes; the paper's 0.05.
        iterations: of Sinkhorn-Knopp; the paper's 3.
        queue: number of earlier projections of each large view with which codes are balanced; 0: none; unset: 8 batches
            where a batch is smaller than 2 K, else none (the paper's 3840 for small batches).
        queue_from: part of the training after which they count; ours, the paper's epoch 15 of 200 and more.
        frozen: part of the training in which the prototypes stay; ours, the paper's first epoch of 100 and more.
        crop: least and largest part of the area in the two large views, the paper's; unset: the augmentation's own.
        local_views: number of small views; ours, the paper's 6.
        local_size: their side in pixels; unset: four sevenths of the recipe's, 16 of 28 (the paper's 96 of 224).
        local_crop: least and largest part of the area in a small view; ours, as the paper's (0.05, 0.14) would leave at
            most 10 by 10 of 28 by 28 pixels.
    """
    from medssl_bench_methods.clustering.swav import SwAV
    from medssl_bench_methods.multicrop import crops

    if queue is None:
        queue = 8 * context.batch_size if context.batch_size < 2 * prototypes else 0
    return SwAV(
        encoder,
        crops(context.size, crop=crop, local_views=local_views, local_size=local_size, local_crop=local_crop),
        hidden=hidden,
        projection=projection,
        prototypes=prototypes,
        temperature=temperature,
        epsilon=epsilon,
        iterations=iterations,
        queue=queue,
        queue_from=queue_from,
        frozen=frozen,
    )


def online_clustering(
    encoder: nn.Module,
    context: MethodContext,
    *,
    balance: Literal["batch", "modality", "none"] = "batch",
    hidden: Width = 512,
    projection: Width = 128,
    prototypes: Prototypes = 128,
    temperature: Temperature = 0.1,
    epsilon: Temperature = 0.05,
    iterations: AtLeastOne = 3,
    momentum: Fraction = 0.99,
    frozen: Fraction = 0.01,
) -> Method:
    """Online clustering after Ghesu et al. (2022): the code of each view is predicted from the other.

    The loss is SwAV's without small views, ``-(sum_k q_1 log p_2 + sum_k q_2 log p_1) / 2``, with p the softmax of
    cosines with K prototypes over the temperature, and q the codes.

    Differences from the paper: it says that clustering differs between sets of one and of several modalities, but its
    exact rules are not public. The rules of `balance` are ours, so this is after Ghesu et al., not their method. The
    paper's energy-based augmentation is the op `energy_bands`.

    Args:
        balance: ``batch``: codes are balanced over the batch, as SwAV's. ``modality``: over the images of each modality
            by themselves, so that a rare one uses all prototypes, too; the groups of the data set are the modalities,
            at most 8. ``none``: the softmax of a moving average's cosines over `epsilon`, as they are.
        hidden: width of the head's hidden layer; ours.
        projection: length of the projections; SwAV's 128.
        prototypes: K; ours.
        temperature: of the predictions; SwAV's 0.1.
        epsilon: of the codes; SwAV's 0.05. Smaller ones are sharper.
        iterations: of Sinkhorn-Knopp; SwAV's 3.
        momentum: of the moving average where nothing is balanced; ours.
        frozen: part of the training in which the prototypes stay; ours.
    """
    from medssl_bench.errors import StageError
    from medssl_bench_methods.clustering.online_clustering import OnlineClustering

    if balance == "modality" and (context.groups is None or context.groups > _MODALITIES):
        found = "has no groups" if context.groups is None else f"has {context.groups} groups"
        raise StageError(
            f'online_clustering: balance = "modality" takes the groups of the data set as modalities, at most '
            f'{_MODALITIES}; this data set {found}. Set balance = "batch", or unite the sets of each modality'
        )
    return OnlineClustering(
        encoder,
        hidden=hidden,
        projection=projection,
        prototypes=prototypes,
        temperature=temperature,
        epsilon=epsilon,
        iterations=iterations,
        balance=balance,
        modalities=context.groups or 1,
        momentum=momentum,
        frozen=frozen,
    )


def deepcluster(
    encoder: nn.Module,
    context: MethodContext,
    *,
    version: Literal[1, 2] = 2,
    prototypes: Prototypes | None = None,
    hidden: Width = 512,
    projection: Width = 128,
    temperature: Temperature = 0.1,
    components: Width | None = None,
) -> Method:
    """DeepCluster (Caron et al. 2018, 2020): k-means before an epoch gives each image its class for the epoch.

    Version 2 (SwAV's appendix, 2020) clusters the last projections z of all images on the unit sphere. With c the K
    centroids and a the cluster of the image, the loss of each of two views is ``-log softmax(z c^T / temperature)_a``:
    the centroids are the classifier. Version 1 (2018) encodes all images before each epoch, clusters whitened principal
    components of their features, and trains a linear classifier that begins anew in each epoch, on one view. Its loss
    weighs clusters equally: an image counts ``N / (K n_a)``, with n_a the images of its cluster.

    Differences from the papers: in version 2 one set of centroids and two views, without small ones; in version 1
    weights in place of a sampler that draws clusters evenly. The optimiser's moments of the classifier are not reset
    with it. A cluster that loses all its images gets the farthest image of the largest one. Ten iterations of k-means
    from k-means++ starts. Validation images have the nearest centre as their class.

    Args:
        version: 1 or 2.
        prototypes: K; ours, the papers' 10000 and 3000; unset: 64, or a quarter of the images if that is less.
        hidden: width of the head's hidden layer; ours, the paper's 2048; version 2.
        projection: length of the projections; the paper's 128; version 2.
        temperature: cosines with centroids are divided by it; the paper's 0.1; version 2.
        components: principal components that are clustered, at most the length of the features; the paper's 256; unset:
            64, or a quarter of the images if that is less, as whitening makes noise of those beyond; version 1.
    """
    from medssl_bench.errors import StageError

    if prototypes is None:
        prototypes = max(2, min(64, context.images // 4))
    if prototypes > context.images:
        raise StageError(f"deepcluster: {context.images} images cannot fill prototypes = {prototypes} clusters")
    if version == 1:
        from medssl_bench_methods.clustering.deepcluster import DeepCluster

        components = components or max(2, min(64, context.images // 4))
        return DeepCluster(encoder, context.images, prototypes=prototypes, components=components)
    from medssl_bench_methods.clustering.deepcluster_v2 import DeepClusterV2

    return DeepClusterV2(
        encoder,
        context.images,
        prototypes=prototypes,
        hidden=hidden,
        projection=projection,
        temperature=temperature,
    )
