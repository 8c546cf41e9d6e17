"""Bags of SIFT words: scikit-learn's counts and k-means, and a codebook that is fitted once."""

import numpy as np
import pytest
import torch
from medssl_bench_methods.handmade.sift_words import SiftWords
from method_builders import NOW, SIZE, batch_of, build
from sklearn.cluster import KMeans

from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Progress

WORDS = 6


class Textures:
    """Stripes of three directions under noise."""

    def __init__(self, count=45):
        numbers = torch.Generator().manual_seed(0)
        row, column = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
        waves = torch.stack([torch.sin(0.9 * way) for way in (row, column, row + column)])
        noise = 0.05 * torch.randn(count, 1, SIZE, SIZE, generator=numbers)
        self.kind = torch.arange(count) % 3
        self.images = (0.5 + 0.4 * waves[self.kind][:, None] + noise).clamp(0, 1).expand(-1, 3, -1, -1)

    def __len__(self):
        return len(self.images)

    def batches(self, size):
        for index in torch.arange(len(self)).split(size):
            yield Batch((), self.images[index], index)


def bag(words=WORDS, color=False):
    torch.manual_seed(0)
    return SiftWords(SIZE, words=words, grid=4, radius=3, color=color)


def by_scikit(points, words, **options):
    return KMeans(len(words), init=words, n_init=1, **options).fit(points)


def test_features_are_scikit_learns_counts():
    encoder, images = bag(), Textures().images
    points = encoder.descriptors(images)
    places = by_scikit(points.numpy(), points[:WORDS].numpy(), max_iter=1)
    encoder.words.copy_(torch.from_numpy(places.cluster_centers_))
    chosen = places.predict(points.numpy()).reshape(len(images), -1)
    counts = np.stack([np.bincount(row, minlength=WORDS) for row in chosen])
    np.testing.assert_allclose(encoder(images), np.sqrt(counts / 16), atol=1e-6)


def test_words_are_a_solution_that_scikit_learn_keeps():
    method, images = build("codebook", encoder=bag()), Textures()
    drawn = method.encoder.words.clone()
    method.on_epoch_start(images, NOW)
    words, points = method.encoder.words, method.encoder.descriptors(images.images)
    assert not torch.equal(words, drawn)
    kept = by_scikit(points.numpy(), words.numpy())
    np.testing.assert_allclose(kept.cluster_centers_, words, atol=1e-4)
    loss, metrics = method(Batch((images.images,), images.images, torch.arange(45)), NOW)
    assert float(loss) == pytest.approx(kept.inertia_ / len(points), rel=1e-4)
    assert metrics == {}
    best = KMeans(WORDS, n_init=20, random_state=0).fit(points.numpy())
    assert kept.inertia_ < 1.3 * best.inertia_


def test_words_are_fitted_before_the_first_epoch_alone():
    method, images = build("codebook", encoder=bag()), Textures()
    method.on_epoch_start(images, Progress(step=5, total=10, epoch=1))
    assert torch.equal(method.encoder.words, bag().words)


def test_as_many_descriptors_are_clustered_as_asked_for(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "medssl_bench_methods.handmade.codebook.kmeans",
        lambda points, count, **_: seen.append(len(points)) or (points[:count], None),
    )
    for descriptors in (100, 10_000):
        build("codebook", encoder=bag(), descriptors=descriptors).on_epoch_start(Textures(), NOW)
    assert seen == [100, 45 * 16]


def test_nothing_is_trained():
    method = build("codebook", encoder=bag())
    loss, _ = method(batch_of(SIZE), NOW)
    assert not list(method.parameters())
    assert not loss.requires_grad


def test_what_has_no_words_is_refused():
    wanted = "codebook fits words, which TimmEncoder has not: take sift_words"
    with pytest.raises(StageError, match=wanted):
        build("codebook")


def test_more_words_than_descriptors_are_refused():
    method = build("codebook", encoder=bag(words=721))
    with pytest.raises(StageError, match="720 descriptors cannot fill words = 721"):
        method.on_epoch_start(Textures(), NOW)


def test_kinds_of_textures_are_told():
    method, images = build("codebook", encoder=bag()), Textures()
    method.on_epoch_start(images, NOW)
    features = method.encoder(images.images)
    means = torch.stack([features[images.kind == kind].mean(dim=0) for kind in range(3)])
    assert torch.cdist(features, means).argmin(dim=1).equal(images.kind)


def test_colours_come_last():
    images = torch.rand(2, 3, SIZE, SIZE)
    plain, coloured = bag()(images), bag(color=True)(images)
    assert coloured.shape == (2, WORDS + 48)
    assert torch.equal(coloured[:, :WORDS], plain)
