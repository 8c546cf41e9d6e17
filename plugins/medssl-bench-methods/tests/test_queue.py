"""The queue: the newest vectors in place of the oldest, whatever the lengths."""

from collections import deque

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from medssl_bench_methods.queue import Queue, default_length


@settings(deadline=None, max_examples=30)
@given(length=st.integers(1, 20), batch=st.integers(1, 12), steps=st.integers(0, 8))
def test_it_has_the_last_vectors_in_their_order(length, batch, steps):
    torch.manual_seed(0)
    queue = Queue(length, 3)
    model = deque(zip(queue.vectors.tolist(), queue.index.tolist(), strict=True), maxlen=length)
    for step in range(steps):
        new, index = torch.randn(batch, 3), torch.arange(batch) + 100 * step
        queue.add(new, index)
        model.extend(zip(new.tolist(), index.tolist(), strict=True))

    oldest = int(queue.oldest)
    vectors, index = queue.vectors.roll(-oldest, dims=0), queue.index.roll(-oldest)
    assert list(zip(vectors.tolist(), index.tolist(), strict=True)) == list(model)


def test_it_begins_with_different_unit_vectors_of_no_image():
    queue = Queue(50, 8)
    torch.testing.assert_close(queue.vectors.norm(dim=1), torch.ones(50))
    assert len(queue.vectors.unique(dim=0)) == 50
    assert (queue.index == -1).all()


def test_what_it_gave_stays_as_it_was():
    queue = Queue(4, 2)
    before = queue.now()
    kept = before.clone()
    queue.add(torch.ones(4, 2), torch.arange(4))
    assert torch.equal(before, kept)
    assert not torch.equal(queue.vectors, kept)


@pytest.mark.parametrize(
    ("images", "length"), [(1, 1), (2, 1), (3, 1), (4, 2), (1000, 256), (1024, 512), (10**6, 2**12)]
)
def test_its_length_is_at_most_half_the_images(images, length):
    assert default_length(images) == length
