"""DeepCluster: its losses against PyTorch's, its clusters against scikit-learn's, and whose clusters are asked."""

import pytest
import torch
import torch.nn.functional as F
from medssl_bench_methods.clustering.deepcluster import whitening
from method_builders import NOW, SIZE, batch_of, build
from sklearn.decomposition import PCA

from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Progress

LATER = Progress(step=5, total=10, epoch=1)


class AllImages:
    """Images of three colours, in order."""

    def __init__(self, count=60):
        noise = 0.02 * torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
        self.colours = torch.arange(count) % 3
        self.images = (torch.eye(3)[self.colours][:, :, None, None] * 0.8 + 0.1 + noise).clamp(0, 1)

    def __len__(self):
        return len(self.images)

    def batches(self, size):
        for index in torch.arange(len(self)).split(size):
            yield Batch((), self.images[index], index)


class Colours(torch.nn.Module):
    """An encoder whose features tell colours, as those of an untrained network need not."""

    dim = 3

    def forward(self, images):
        return images.mean(dim=(2, 3))


def make(version, **parameters):
    torch.manual_seed(0)
    return build(
        "deepcluster", version=version, **{"prototypes": 3, "hidden": 16, "projection": 8, **parameters}
    ).eval()


def batch_for(version, images, index):
    return Batch((images.images[index],) * version, images.images[index], index)


@pytest.mark.parametrize("version", [1, 2])
def test_images_of_one_colour_are_one_cluster(version):
    method, images = make(version, encoder=Colours()), AllImages()
    method.on_epoch_start(images, NOW)
    assert len(set(zip(images.colours.tolist(), method.assigned.tolist(), strict=True))) == 3


@pytest.mark.parametrize("version", [1, 2])
def test_training_images_have_their_cluster_and_others_the_nearest(version):
    method, images = make(version), AllImages()
    method.on_epoch_start(images, NOW)
    index = torch.tensor([7, 3, 50, 11])
    batch = batch_for(version, images, index)

    plain, _ = method(batch, NOW)
    # an index of another set would point to other images: evaluation may not use it
    other, _ = method(Batch(batch.views, batch.image, index.flip(0) + 1), NOW)
    torch.testing.assert_close(plain, other, rtol=0, atol=0)

    method.train()
    trained = method(batch, NOW)[0]
    shifted = method(Batch(batch.views, batch.image, index + 1), NOW)[0]
    assert not torch.isclose(trained, shifted)


def test_the_loss_of_version_two_is_the_cross_entropy_with_fixed_centroids():
    method, images = make(2), AllImages()
    method.on_epoch_start(images, NOW)
    batch = Batch(batch_of(SIZE, SIZE, count=4).views, images.images[:4], torch.tensor([7, 3, 50, 11]))
    method.train()

    loss, _ = method(batch, NOW)

    unit = F.normalize(method.head(method.encoder(torch.cat(batch.views))), dim=1).double()
    logits = unit @ method.centers.double().T / 0.1
    terms = [-F.log_softmax(row, dim=0)[method.assigned[batch.index[place % 4]]] for place, row in enumerate(logits)]
    assert loss.item() == pytest.approx(torch.stack(terms).mean().item(), rel=1e-4)
    assert not method.centers.requires_grad
    torch.testing.assert_close(method.bank[batch.index], unit[:4].float(), rtol=1e-4, atol=1e-5)


def test_only_the_rows_of_the_batch_move():
    method, images = make(2), AllImages()
    method.on_epoch_start(images, NOW)
    before, index = method.bank.clone(), torch.tensor([7, 3, 50, 11])
    batch = Batch(batch_of(SIZE, SIZE, count=4).views, images.images[index], index)
    method(batch, NOW)
    assert torch.equal(method.bank, before)  # not in evaluation
    method.train()(batch, NOW)
    moved = (method.bank != before).any(dim=1).nonzero()[:, 0]
    assert moved.tolist() == sorted(index.tolist())
    torch.testing.assert_close(method.bank.norm(dim=1), torch.ones(60))


def test_version_one_weighs_clusters_equally():
    """Over all images, it is the mean over clusters of the mean cross-entropy in each."""
    method, images = make(1, prototypes=4), AllImages()
    method.on_epoch_start(images, NOW)
    everything = batch_for(1, images, torch.arange(60))
    method.train()
    loss, _ = method(everything, NOW)
    logits = method.head(method.encoder(images.images))
    of_clusters = [
        F.cross_entropy(logits[method.assigned == k], method.assigned[method.assigned == k]) for k in range(4)
    ]
    torch.testing.assert_close(loss, torch.stack(of_clusters).mean(), rtol=1e-4, atol=1e-5)


def test_the_classifier_of_version_one_begins_anew():
    method, images = make(1), AllImages()
    method.on_epoch_start(images, NOW)
    before = method.head.weight.clone()
    method.on_epoch_start(images, LATER)
    assert not torch.equal(method.head.weight, before)


@pytest.mark.parametrize("version", [1, 2])
def test_the_gauge_compares_the_clusters_of_two_epochs(version):
    method, images = make(version, encoder=Colours()), AllImages()
    method.on_epoch_start(images, NOW)
    assert method.nmi == 0
    method.on_epoch_start(images, LATER)
    assert method.nmi == pytest.approx(1, abs=1e-5)


def test_whitening_is_scikit_learns():
    features = torch.randn(50, 6, generator=torch.Generator().manual_seed(0)) @ torch.diag(torch.arange(1.0, 7))
    middle, matrix = whitening(features, 3)
    theirs = PCA(3, whiten=True).fit(features.double().numpy())
    ours = ((features - middle) @ matrix).double() * (49 / 50) ** 0.5  # theirs divides by N - 1
    expected = torch.from_numpy(theirs.transform(features.double().numpy())).flip(1)
    torch.testing.assert_close(ours.abs(), expected.abs(), rtol=1e-3, atol=1e-3)


def test_directions_without_variance_are_not_blown_up():
    features = torch.randn(20, 2) @ torch.randn(2, 8)
    middle, matrix = whitening(features, 6)
    assert (((features - middle) @ matrix).abs() < 10).all()


def test_more_clusters_than_images_are_refused_and_unset_fits():
    with pytest.raises(StageError, match="60 images cannot fill prototypes = 61 clusters"):
        make(2, prototypes=61)
    assert len(make(2, prototypes=None).centers) == 15
    assert make(1, components=None).whitening.shape[1] == 15
