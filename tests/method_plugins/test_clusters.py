"""DeepCluster as an inline plugin: a method that looks at all images before an epoch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from medssl_bench.methods import Batch, Progress

NOW = Progress(step=0, total=10, epoch=0)
METHOD = '{ name = "clusters", count = 3 }'


class AllImages:
    """Images of three colours, in order."""

    def __init__(self, count: int) -> None:
        numbers = torch.Generator().manual_seed(0)
        self.classes = torch.arange(count) % 3
        noise = 0.02 * torch.randn(count, 3, 16, 16, generator=numbers)
        self.images = (torch.eye(3)[self.classes][:, :, None, None] * 0.8 + 0.1 + noise).clamp(0, 1)

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, size):
        for index in torch.arange(len(self)).split(size):
            yield Batch((), self.images[index], index)


def test_a_suite_trains_with_it(run_suite):
    finished = run_suite("clusters.py", METHOD, epochs=3)

    kept = finished.tensors("pretrain", "method")
    assert kept["assigned"].shape == (56,)
    assert set(kept["assigned"].tolist()) == {0, 1, 2}
    assert all(0 < row["loss"] < 10 and 0 <= row["val_agreement"] <= 1 for row in finished.history())


def test_the_same_seed_gives_the_same_bits(run_suite):
    first, second = (run_suite("clusters.py", METHOD, store=store).record("pretrain") for store in ("a", "b"))

    assert first.files["encoder.safetensors"] == second.files["encoder.safetensors"]


def test_images_of_one_colour_are_one_cluster(make_method):
    method = make_method("clusters.py", {"name": "clusters", "count": 3}, images=60).eval()
    images = AllImages(60)

    method.on_epoch_start(images, NOW)

    pairs = set(zip(images.classes.tolist(), method.assigned.tolist(), strict=True))
    assert len(pairs) == 3


def test_training_images_have_their_cluster_and_others_the_nearest(make_method):
    method = make_method("clusters.py", {"name": "clusters", "count": 3}, images=60).eval()
    images = AllImages(60)
    method.on_epoch_start(images, NOW)
    index = torch.tensor([7, 3, 50, 11])
    batch = Batch((images.images[index],), images.images[index], index)

    evaluated, _ = method(batch, NOW)
    # an index of another set would point to other images: evaluation may not use it
    misleading, _ = method(Batch(batch.views, batch.image, index.flip(0) + 1), NOW)
    logits = method.head(method.encoder(batch.views[0]))

    expected = F.cross_entropy(logits, method.assigned[index])
    torch.testing.assert_close(evaluated, expected)
    torch.testing.assert_close(misleading, expected)

    method.train()
    trained, _ = method(batch, NOW)
    shifted, _ = method(Batch(batch.views, batch.image, index + 1), NOW)
    assert not torch.isclose(trained, shifted)
