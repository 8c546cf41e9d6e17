"""What the `work` of a method counts is held against the views and the passes of a step."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from medssl_bench.methods import Batch, Method, Passes, Progress, View
from medssl_bench.testing.checking import Failed
from medssl_bench.testing.method_work import counted_passes, require_counted

BATCH, SIZE = 5, 28


class _Encoder(nn.Module):
    dim = 3

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, images: torch.Tensor) -> Any:
        return self.layer(images.mean((2, 3)))


class _Taught(Method):
    """A student sees two large and two small views, a teacher the large ones, all in one call."""

    def __init__(self) -> None:
        super().__init__(_Encoder())
        self.teacher = nn.Sequential(copy.deepcopy(self.encoder)).requires_grad_(requires_grad=False)

    def views(self) -> tuple[View, ...]:
        return View(), View(), View(size=14), View(size=14)

    def forward(self, batch: Batch, progress: Progress) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        assert progress.step == 0
        student = self.encoder(torch.cat(batch.views[:2])).mean() + sum(self.encoder(v).mean() for v in batch.views[2:])
        return student - self.teacher(torch.cat(batch.views[:2])).mean(), {}


def _checked(passes: Passes) -> str:
    method = _Taught()
    views = tuple(torch.rand(BATCH, 3, view.size or SIZE, view.size or SIZE) for view in method.views())
    with counted_passes(method) as done:
        method(Batch(views, views[0], torch.arange(BATCH)), Progress(0, 6, 0))
    assert done == {28: 4 * BATCH, 14: 2 * BATCH}
    method(Batch(views, views[0], torch.arange(BATCH)), Progress(0, 6, 0))
    assert done == {28: 4 * BATCH, 14: 2 * BATCH}, "nothing is counted after the block"
    return require_counted(passes, method.views(), done, batch=BATCH, size=SIZE)


LARGE, SMALL = (28, 2), (14, 2)


@pytest.mark.parametrize("trained", [(LARGE, SMALL), ((28, 1), (28, 1), (14, 2), (8, 0)), ((28, 2.5), SMALL)])
def test_what_is_done_or_more_passes(trained: Any) -> None:
    assert _checked(Passes(trained, frozen=(LARGE,), views=(LARGE, SMALL))).endswith("trained, 2 of 28 px frozen")


@pytest.mark.parametrize(
    ("passes", "complaint"),
    [
        (Passes((LARGE,)), "asks for 2 of 28 px and 2 of 14 px of each image, and its `work` counts 2 of 28 px;"),
        (Passes((LARGE, SMALL), views=(LARGE,)), "and its `work` counts 2 of 28 px;"),
        (Passes((), views=()), "and its `work` counts none;"),
        (
            Passes((LARGE, SMALL)),
            "for each image 4 of 28 px and 2 of 14 px pass the encoder, and its `work` counts 2 of 28 px and 2 of 14",
        ),
        (Passes((LARGE,), (LARGE, (14, 1)), views=(LARGE, SMALL)), "counts 4 of 28 px and 1 of 14 px;"),
    ],
)
def test_other_views_and_fewer_passes_fail(passes: Passes, complaint: str) -> None:
    with pytest.raises(Failed) as failure:
        _checked(passes)
    assert complaint in str(failure.value)
