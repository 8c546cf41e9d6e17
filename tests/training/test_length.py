"""How long a pretraining is, however the suite says it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.training.length import Length

SETS = {"images": st.integers(2, 5000), "batch_size": st.integers(2, 512)}


@given(**SETS, epochs=st.integers(1, 2000))
def test_epochs_are_whole_and_drop_the_incomplete_batch(images, batch_size, epochs):
    length = Length.of({"epochs": epochs}, images, batch_size)

    assert length.batch == min(batch_size, images)
    assert length.steps_per_epoch * length.batch <= images < (length.steps_per_epoch + 1) * length.batch
    assert length.epochs == epochs
    assert length.steps == epochs * length.steps_per_epoch


@given(**SETS, steps=st.integers(1, 10_000))
def test_steps_are_kept_to_the_last_one(images, batch_size, steps):
    length = Length.of({"steps": steps}, images, batch_size)

    assert length.steps == steps
    assert (length.epochs - 1) * length.steps_per_epoch < steps <= length.epochs * length.steps_per_epoch


@given(**SETS, images_seen=st.integers(1, 100_000))
def test_images_seen_are_met_to_half_a_batch(images, batch_size, images_seen):
    length = Length.of({"images_seen": images_seen}, images, batch_size)

    assert length.steps >= 1
    assert abs(length.steps * length.batch - images_seen) <= max(length.batch / 2, length.batch - images_seen)


def test_a_set_smaller_than_a_batch_is_one_batch():
    assert Length.of({"epochs": 3}, 5, 256) == Length(batch=5, steps_per_epoch=1, steps=3, unit="epochs")


def test_equal_compute_on_sets_of_different_size():
    small, large = (Length.of({"images_seen": 25_600}, images, 256) for images in (1080, 90_000))

    assert small.steps == large.steps == 100
    assert (small.epochs, large.epochs) == (25, 1)


@pytest.mark.parametrize(
    ("duration", "places"),
    [
        ({"epochs": 3}, [0, 0, 1, 1, 2, 2, 3]),
        ({"steps": 6}, [0, 1, 2, 3, 4, 5, 6]),
        ({"images_seen": 48}, [0, 8, 16, 24, 32, 40, 48]),
    ],
)
def test_the_place_of_a_step_is_in_the_unit_of_the_duration(duration, places):
    length = Length.of(duration, 20, 8)

    assert [length.place(step) for step in range(length.steps + 1)] == places
