"""Reading one batch ahead."""

from __future__ import annotations

import threading

import pytest
import torch

from medssl_bench.training.reading_ahead import read_ahead

CPU = torch.device("cpu")
ROWS = torch.arange(10)
BATCHES = torch.tensor([3, 1, 4, 0, 9, 2]).split(2)


def test_batches_come_in_order():
    found = list(read_ahead(lambda places: ROWS[places] * 2, BATCHES, CPU))

    assert [batch.tolist() for batch in found] == [[6, 2], [8, 0], [18, 4]]


def test_the_next_batch_is_read_while_one_is_worked_on_and_no_more():
    begun = [threading.Event() for _ in BATCHES]
    numbers = iter(range(len(BATCHES)))

    def read(places):
        begun[next(numbers)].set()
        return ROWS[places]

    batches = read_ahead(read, BATCHES, CPU)
    next(batches)

    assert begun[1].wait(10), "the second is read although nobody has asked for it yet"
    assert not begun[2].wait(0.1)
    next(batches)
    assert begun[2].wait(10)


def test_an_error_of_reading_is_raised_where_the_batch_is_wanted():
    def read(places):
        if 4 in places:
            raise OSError("the disk has gone")
        return ROWS[places]

    batches = read_ahead(read, BATCHES, CPU)
    assert next(batches).tolist() == [3, 1]
    with pytest.raises(OSError, match="the disk has gone"):
        next(batches)


def test_leaving_early_ends_the_thread():
    batches = read_ahead(lambda places: ROWS[places], BATCHES, CPU)
    next(batches)
    batches.close()

    assert not any(thread.name.startswith("reading ahead") for thread in threading.enumerate())
