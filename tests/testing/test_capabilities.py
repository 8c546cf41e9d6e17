"""The contract of feature maps and tokens fails what breaks it, and says how."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.randomness import forked
from medssl_bench.testing.capabilities import capability_steps
from medssl_bench.testing.checking import run_steps

SMALL_VIT = {"img_size": 28, "patch_size": 7, "depth": 2}


class Vit(TimmEncoder):
    def __init__(self) -> None:
        super().__init__("test_vit", 28, options=SMALL_VIT)


class Peeking(Vit):
    def _tokens(self, images: Tensor, keep: Tensor | None = None, **more: Any) -> Tensor:
        found = super()._tokens(images, **more)
        return found if keep is None else torch.cat([found[:, :1], found[:, 1:][torch.arange(3)[:, None], keep]], 1)


class Sorting(Vit):
    def _tokens(self, images: Tensor, keep: Tensor | None = None, **more: Any) -> Tensor:
        return super()._tokens(images, None if keep is None else keep.sort(1).values, **more)


class Deaf(Vit):
    def _tokens(self, images: Tensor, keep: Tensor | None = None, **more: Any) -> Tensor:
        return super()._tokens(images, **more)


class Blind(Vit):
    def _tokens(self, images: Tensor, keep: Tensor | None = None, **more: Any) -> Tensor:
        return super()._tokens(images if keep is None else images * 0, keep, **more)


class Otherwise(Vit):
    def _pooled(self, tokens: Tensor) -> Tensor:
        return tokens.mean(dim=1)


class Upside(nn.Module):
    dim = 3

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        return [images[..., ::2, ::2], images]


class Single(Upside):
    def feature_maps(self, images: Tensor) -> Any:
        return images


def found(kind: Any) -> dict[str, tuple[bool, str]]:
    def make() -> nn.Module:
        with forked(0):
            made: nn.Module = kind()
        return made

    return {check.name: (check.ok, check.found) for check in run_steps("x", [capability_steps(make)])}


def test_sound_encoders_pass() -> None:
    assert [ok for ok, _ in found(Vit).values()] == [True] * 3
    resnet = found(lambda: TimmEncoder("test_resnet", 28))
    assert [ok for ok, _ in resnet.values()] == [True]
    assert found(nn.Flatten) == {}, "it has neither"


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        (Peeking, "other pixels there give other tokens"),
        (Sorting, "another order of `keep` changes tokens by"),
        (Deaf, "4 patches give (3, 17,"),
        (Blind, "the patches that are kept give the same tokens"),
        (Otherwise, "the encoder's features are not its pooled tokens"),
        (Upside, "the sides of the maps are [14, 28]; give the largest first"),
        (Single, "feature_maps gives Tensor, not a list"),
    ],
)
def test_what_breaks_it_is_told(kind: Any, complaint: str) -> None:
    wrong = [text for ok, text in found(kind).values() if not ok]
    assert any(complaint in text for text in wrong), wrong
