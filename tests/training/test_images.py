"""Images on the device."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from medssl_bench.datasets import Images, Split
from medssl_bench.training.images import DeviceImages, evaluation_batch

CPU = torch.device("cpu")


def split(images, groups=None):
    return Split(images, np.zeros((len(images), 1), np.int64), groups)


@settings(deadline=None, max_examples=30)
@given(pixels=arrays(np.uint8, (5, 4, 4, 3)), places=st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_a_batch_holds_the_images_as_fractions_of_255(pixels, places):
    batch = DeviceImages(split(pixels), CPU).take(torch.tensor(places))

    assert batch.shape == (len(places), 3, 4, 4)
    assert batch.dtype == torch.float32
    expected = np.moveaxis(pixels[places], 3, 1).astype(np.float64) / 255
    np.testing.assert_allclose(batch.numpy(), expected, rtol=1e-6)


def test_grey_images_stay_grey_in_memory_and_have_three_channels_in_a_batch():
    pixels = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    images = DeviceImages(split(pixels), CPU)

    batch = images.take(torch.tensor([1, 0]))

    assert images.pixels.shape == (2, 4, 4)
    assert images.pixels.dtype == torch.uint8
    assert batch.shape == (2, 3, 4, 4)
    for channel in range(3):
        np.testing.assert_allclose(batch[:, channel].numpy(), pixels[[1, 0]] / 255, rtol=1e-6)


def test_the_ends_of_the_range():
    pixels = np.array([0, 255], np.uint8).repeat(4 * 4 * 3).reshape(2, 4, 4, 3)

    batch = DeviceImages(split(pixels), CPU).take(torch.arange(2))

    assert (batch[0] == 0).all()
    assert (batch[1] == 1).all()


def test_places_choose_images_and_batches_count_within_them():
    pixels = np.arange(6, dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2).repeat(3, 3)
    groups = np.array([10, 11, 12, 13, 14, 15])
    images = DeviceImages(split(pixels, groups), CPU, np.array([4, 1, 5]))

    batch = images.batch(torch.tensor([0, 2]))

    assert len(images) == 3
    assert images.size == 4
    assert (batch.image[:, 0, 0, 0] * 255).tolist() == pytest.approx([4, 5])
    assert batch.index.tolist() == [0, 2]
    assert batch.group.tolist() == [14, 15]
    assert batch.views == ()


def test_every_image_comes_once_in_order():
    pixels = np.arange(7, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    batches = list(DeviceImages(split(pixels), CPU).batches(3))

    assert [len(batch.index) for batch in batches] == [3, 3, 1]
    assert torch.cat([batch.index for batch in batches]).tolist() == list(range(7))
    assert (torch.cat([batch.image for batch in batches])[:, 0, 0, 0] * 255).tolist() == pytest.approx(range(7))
    assert all(batch.group is None for batch in batches)


def test_the_split_itself_is_not_changed():
    pixels = np.full((2, 4, 4, 3), 200, np.uint8)

    DeviceImages(split(pixels), CPU).take(torch.arange(2)).zero_()

    assert (pixels == 200).all()


def test_images_that_cannot_be_written_to_are_held_too():
    """Large sets are mapped into memory read-only."""
    pixels = np.full((2, 4, 4, 3), 51, np.uint8)
    pixels.setflags(write=False)

    images = DeviceImages(split(pixels, groups=np.arange(2)), CPU)

    torch.testing.assert_close(images.take(torch.arange(2)), torch.full((2, 3, 4, 4), 0.2))


def test_all_images_in_order_are_not_copied():
    pixels = np.zeros((6, 4, 4, 3), np.uint8)

    whole = DeviceImages(split(pixels), CPU, np.arange(6))

    assert np.shares_memory(whole.pixels.numpy(), pixels)


def test_larger_images_are_predicted_in_smaller_batches():
    as_they_are = nn.Identity()
    assert [evaluation_batch(size, as_they_are) for size in (8, 28, 64, 128, 224)] == [512, 512, 98, 24, 8]


def test_images_that_an_encoder_enlarges_are_predicted_in_smaller_batches():
    """512 of 28 pixels would be as many of 518, whose tokens take tens of gigabytes."""
    encoder = nn.Identity()
    found = []
    for encoder.input_size in (28, 64, 224, 518, 4000):
        found.append(evaluation_batch(28, encoder))
    assert found == [512, 512, 64, 11, 1]
    encoder.input_size = 224
    assert evaluation_batch(224, encoder) == 8, "as of any encoder"


@settings(deadline=None, max_examples=20)
@given(
    pixels=arrays(np.uint8, (7, 4, 4)),
    places=st.none() | st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(np.array),
    size=st.integers(1, 4),
)
def test_a_stream_gives_the_batches_that_take_gives_wherever_the_images_are_held(pixels, places, size):
    held, left = (DeviceImages(split(pixels), CPU, places, on_device=there) for there in (True, False))
    order = torch.randperm(len(held)).split(size)

    for images in (held, left):
        found = list(images.stream(order))
        assert len(found) == len(order)
        for index, (where, batch) in zip(order, found, strict=True):
            assert torch.equal(where, index)
            assert torch.equal(batch, held.take(index))
            assert torch.equal(images.take(index), held.take(index))


def test_a_set_that_is_left_where_it_is_is_not_copied(tmp_path):
    pixels = np.arange(6 * 4 * 4 * 3, dtype=np.uint8).reshape(6, 4, 4, 3)
    np.save(tmp_path / "images.npy", pixels)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")

    images = DeviceImages(split(mapped), CPU, np.array([5, 2]), on_device=False)

    assert images.pixels.data_ptr() == mapped.ctypes.data
    np.testing.assert_array_equal(images.take(torch.arange(2)).mul(255).permute(0, 2, 3, 1), pixels[[5, 2]])


def test_no_batches_give_none():
    assert not list(DeviceImages(split(np.zeros((2, 4, 4), np.uint8)), CPU).stream([]))


def test_a_part_of_a_vast_memory_map_is_not_read_into_memory(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 3), dtype=np.uint8)
    np.save(tmp_path / "a.npy", pixels)
    mapped = Images(np.load(tmp_path / "a.npy", mmap_mode="r"))
    places = np.arange(5, 50, 2)
    here = DeviceImages(mapped, CPU, places)
    monkeypatch.setattr("medssl_bench.training.images.free_memory", lambda: 1000)
    there = DeviceImages(mapped, CPU, places)

    assert (here.on_device, there.on_device) == (True, False)
    assert there.pixels.shape[0] == 50, "the map itself"
    index = torch.tensor([3, 0, 7])
    assert torch.equal(here.take(index), there.take(index))
    batches = [torch.tensor([1, 2]), torch.tensor([0])]
    for (_, one), (_, other) in zip(here.stream(batches), there.stream(batches), strict=True):
        assert torch.equal(one, other)
    assert DeviceImages(mapped, CPU).on_device, "the whole of it is mapped anyway"
