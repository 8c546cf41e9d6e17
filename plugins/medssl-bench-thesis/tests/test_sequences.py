"""The sequences against the table of the thesis (sec. 3.2.1, 4.1, 4.2, 6.1) and of what its code did."""

import inspect
from typing import Any

import pytest
import torch
from medssl_bench_thesis import sequences

from medssl_bench.augmentations import Op, Sequence
from medssl_bench.augmentations.ops import ResizedCrop
from medssl_bench.augmentations.views import draw_view

NAMES = ("tau_nat", "tau_nat_weak", "tau_short", "tau_short_literal", "tau_nov", "tau_grey")
IMAGES = torch.rand(16, 3, 28, 28, generator=torch.Generator().manual_seed(0))

FLIP = ("HorizontalFlip", {"p": 0.5})
AREA = {"scale": (0.08, 1.0), "scale_of": "area", "ratio": (3 / 4, 4 / 3)}
CROP = ("ResizedCrop", {"size": 28, **AREA, "antialias": True})
RESIZE = ("Resize", {"size": 28})
STRONG = {"blends": ((0.5, 1.5),) * 3, "hue": (-0.1, 0.1)}
WEAK = {"blends": ((0.8, 1.2),) * 3, "hue": (-0.04, 0.04)}
BLUR = ("GaussianBlur", {"kernel_size": 9, "sigma": (0.1, 2.0), "p": 1.0})
EQUALIZE = ("Equalize", {"p": 0.5, "rule": "pillow"})
SHARPNESS = ("Sharpness", {"alpha": (1.0, 10.0), "p": 1.0})


def by_text(strength: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "ColorJitter", {**strength, "p": 1.0, "order": "fixed"}


def by_code(strength: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "ColorJitter", {**strength, "p": 0.8, "order": "random"}


def grey(weights: str, p: float = 0.2) -> tuple[str, dict[str, Any]]:
    return "Grayscale", {"p": p, "weights": weights}


TEXT = {
    "tau_nat": [FLIP, CROP, by_text(STRONG), grey("mean"), BLUR],
    "tau_nat_weak": [FLIP, CROP, by_text(WEAK), grey("mean"), BLUR],
    "tau_short": [CROP, by_text(STRONG), BLUR],
    "tau_short_literal": [RESIZE, FLIP, by_text(STRONG), BLUR],
    "tau_nov": [FLIP, CROP, by_text(WEAK), grey("mean"), BLUR, EQUALIZE, SHARPNESS],
    "tau_grey": [FLIP, CROP, grey("mean"), BLUR, EQUALIZE, SHARPNESS],
}
CODE = {
    "tau_nat": [FLIP, CROP, by_code(STRONG), grey("luma"), BLUR],
    "tau_nat_weak": [FLIP, CROP, by_code(WEAK), grey("luma"), BLUR],
    "tau_short": [CROP, by_code(STRONG), BLUR],
    "tau_short_literal": [RESIZE, FLIP, by_code(STRONG), BLUR],
    "tau_nov": [FLIP, CROP, by_code(WEAK), grey("luma"), BLUR, EQUALIZE, SHARPNESS],
    "tau_grey": [FLIP, CROP, grey("luma", p=0.0), BLUR, EQUALIZE, SHARPNESS],
}


def make(name: str, **parameters: Any) -> Sequence:
    module = getattr(sequences, name)(28, **parameters)
    assert isinstance(module, Sequence)
    return module


def holds(op: Op, wanted: tuple[str, dict[str, Any]]) -> bool:
    name, parameters = wanted
    return type(op).__name__ == name and all(getattr(op, key) == value for key, value in parameters.items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("given", "table"), [({}, TEXT), ({"reading": "text"}, TEXT), ({"reading": "code"}, CODE)])
def test_a_sequence_is_the_thesis(name: str, given: dict[str, str], table: dict[str, Any]) -> None:
    """The text's reading is the default."""
    ops = list(make(name, **given).ops)
    assert len(ops) == len(table[name])
    for op, wanted in zip(ops, table[name], strict=True):
        assert isinstance(op, Op)
        assert holds(op, wanted), f"{wanted}, not {vars(op)}"


VARIED = {
    "crop_scale": ((0.2, 0.9), "ResizedCrop", "scale"),
    "crop_scale_of": ("side", "ResizedCrop", "scale_of"),
    "jitter_p": (0.3, "ColorJitter", "p"),
    "jitter_order": ("fixed", "ColorJitter", "order"),
    "grayscale_p": (0.6, "Grayscale", "p"),
    "grayscale_weights": ("mean", "Grayscale", "weights"),
    "equalize_p": (0.25, "Equalize", "p"),
    "equalize_rule": ("equation", "Equalize", "rule"),
    "equalize_strength": ((0.2, 0.7), "Equalize", "strength"),
    "equalize_region": ((0.1, 0.4), "Equalize", "region"),
    "sharpness": ((1.0, 3.0), "Sharpness", "alpha"),
    "sharpness_p": (0.4, "Sharpness", "p"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_that_is_given_wins_over_the_reading_and_changes_nothing_else(name: str) -> None:
    parameters = set(inspect.signature(getattr(sequences, name)).parameters) - {"size", "reading"}
    assert parameters <= set(VARIED)
    for parameter in parameters:
        value, kind, attribute = VARIED[parameter]
        changed = make(name, reading="code", **{parameter: value})
        for op, wanted in zip(changed.ops, CODE[name], strict=True):
            expected = {**wanted[1], attribute: value} if wanted[0] == kind else wanted[1]
            assert isinstance(op, Op)
            assert holds(op, (wanted[0], expected)), parameter


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reading", ["text", "code"])
@pytest.mark.parametrize("side", [28, 40])
def test_a_view_has_the_size_asked_for_from_images_of_any_size(name: str, reading: str, side: int) -> None:
    images = torch.rand(4, 3, side, side)
    assert draw_view(make(name, reading=reading), images, key=3).shape == (4, 3, 28, 28)


@pytest.mark.parametrize("name", ["tau_nat_weak", "tau_nov", "tau_grey"])
def test_arms_are_paired(name: str) -> None:
    """Every sequence that flips and crops does so as tau_nat does, whatever its other ops are."""
    geometry = make("tau_nat").view(IMAGES, 5, intensity=False)
    assert torch.equal(make(name).view(IMAGES, 5, intensity=False), geometry)


def test_tau_short_crops_as_tau_nat_does() -> None:
    crop = next(op for op in make("tau_nat").ops if isinstance(op, ResizedCrop))
    expected = Sequence([crop], 28).view(IMAGES, 5)
    assert torch.equal(make("tau_short").view(IMAGES, 5, intensity=False), expected)


def test_text_and_code_of_tau_grey_are_the_same_to_grey_images() -> None:
    grey_images = IMAGES[:, :1].expand(-1, 3, -1, -1)
    text, code = (make("tau_grey", reading=reading).view(grey_images, 5) for reading in ("text", "code"))
    torch.testing.assert_close(text, code, atol=1e-5, rtol=0)


def test_unit_sharpness_and_no_equalisation_make_tau_nov_the_weak_tau_nat() -> None:
    plain = make("tau_nov", sharpness=(1.0, 1.0), equalize_p=0.0).view(IMAGES, 5)
    assert torch.equal(plain, make("tau_nat_weak").view(IMAGES, 5))
