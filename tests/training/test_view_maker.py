"""Views: whose random stream each has, what a method may ask for, and modules from elsewhere."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch

from medssl_bench.errors import StageError, UserError
from medssl_bench.methods import View
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.training.view_maker import ViewMaker

PLUGIN = '''
import torch
from typing import Annotated, Any
from medssl_bench import hookimpl
from medssl_bench.plugin.parameters import Components

@hookimpl
def medssl_augmentations(register):
    register("kornia_crop", kornia_crop)
    register("framed", framed)
    register("not_a_module", not_a_module)

def kornia_crop(size: int, *, flip: float = 0.5):
    """A Kornia container: it draws from the global generators."""
    import kornia.augmentation as K
    return K.AugmentationSequential(K.RandomResizedCrop((size, size)), K.RandomHorizontalFlip(p=flip))

def framed(size: int, *, ops: Annotated[list[Any], Components("op")], value: float = 0.0):
    """Ops, then one value in all pixels of the first column."""
    from medssl_bench.augmentations.op import Op
    from medssl_bench.augmentations.ops import Resize
    from medssl_bench.augmentations.sequence import Sequence

    class Frame(Op):
        def transform(self, images, uniforms):
            images = images.clone()
            images[..., 0] = value
            return images

    return Sequence([*ops, Resize(size), Frame()], size)

def not_a_module(size: int):
    """A function, where a module is wanted."""
    return lambda images: images
'''
GEOMETRY_ALONE = {"jitter_p": 0.0, "grayscale_p": 0.0, "blur_p": 0.0}


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    file = tmp_path_factory.mktemp("plugin") / "foreign.py"
    file.write_text(PLUGIN, "utf-8")
    plugins = load_plugins()
    plugins.add_inline(file)
    return plugins.registry


@pytest.fixture
def draw(plugins):
    def make(*views, augmentation="simclr", size=12, seed=0, purpose="views", step=0, count=6):
        images = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(9))
        component = plugins.resolve("augmentation", augmentation, Path())
        return ViewMaker(views, component, size, plugins, "cpu", seed)(images, purpose, step)

    return make


def test_each_view_has_a_stream_of_its_own(draw):
    first, second = draw(View(), View())

    assert first.shape == second.shape == (6, 3, 12, 12)
    assert not torch.isclose(first, second).all(dim=(1, 2, 3)).any()


def test_the_first_views_do_not_change_when_another_is_asked_for(draw):
    assert all(torch.equal(a, b) for a, b in zip(draw(View(), View()), draw(View(), View(), View()), strict=False))


@pytest.mark.parametrize("other", [{"seed": 1}, {"step": 1}, {"purpose": "validation views"}])
def test_seed_step_and_purpose_vary_the_views(draw, other):
    assert torch.equal(draw(View())[0], draw(View())[0])
    assert not torch.equal(draw(View())[0], draw(View(), **other)[0])


def test_views_of_one_stream_share_their_draws(draw):
    one, two, other = draw(View(stream=7), View(stream=7), View(stream=8))

    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_a_clean_and_a_distorted_view_can_have_one_crop(draw):
    clean, distorted, undistorted = draw(
        View(intensity=False, stream=0), View(stream=0), View(stream=0, parameters=GEOMETRY_ALONE)
    )

    assert torch.equal(clean, undistorted)
    assert not torch.equal(clean, distorted)


def test_size_parameters_and_augmentation_can_be_the_views_own(draw, plugins):
    own = partial(plugins.build, plugins.resolve("augmentation", "plain", Path()))
    small, whole, plain = draw(
        View(size=5),
        View(parameters={**GEOMETRY_ALONE, "crop_scale": [1.0, 1.0], "flip_p": 0.0}),
        View(augmentation=own),
    )

    assert small.shape == (6, 3, 5, 5)
    assert (plain - whole).abs().max() < 0.35  # a crop of the whole area still varies in shape


TURNED = [{"name": "horizontal_flip", "p": 1.0}]


def test_a_crop_is_that_of_the_views_area_in_any_sequence(draw):
    named, listed = (
        draw(View(crop=(0.1, 0.3), stream=1, intensity=False), augmentation=augmentation)[0]
        for augmentation in ({"name": "simclr", "flip_p": 0.0}, ["resized_crop", "gaussian_blur"])
    )
    (wanted,) = draw(View(stream=1), augmentation=[{"name": "resized_crop", "scale": [0.1, 0.3]}])

    assert torch.equal(named, wanted)
    assert torch.equal(listed, wanted)


def test_a_crop_of_a_sides_part_becomes_one_of_the_area(draw):
    side = [{"name": "resized_crop", "scale": [0.9, 1.0], "scale_of": "side"}]

    (view,) = draw(View(crop=(0.1, 0.3), stream=1), augmentation=side)

    assert torch.equal(view, draw(View(stream=1), augmentation=[{"name": "resized_crop", "scale": [0.1, 0.3]}])[0])


def test_an_augmentation_without_a_crop_begins_with_one(draw):
    (view,) = draw(View(crop=(0.2, 0.2), stream=1), augmentation=TURNED)
    (wanted,) = draw(View(stream=1), augmentation=[{"name": "resized_crop", "scale": [0.2, 0.2]}, *TURNED])

    torch.testing.assert_close(view, wanted, atol=1e-6, rtol=0)


def test_the_other_views_keep_their_crops(draw):
    large, _ = draw(View(), View(crop=(0.1, 0.2), size=6))

    assert torch.equal(large, draw(View())[0])


def test_parameters_can_be_set_beside_a_list_of_ops(draw):
    augmentation = {"name": "framed", "ops": [{"name": "horizontal_flip", "p": 1.0}, "rotate90"], "value": 0.0}

    dark, light = draw(View(stream=0), View(stream=0, parameters={"value": 1.0}), augmentation=augmentation)

    assert (dark[..., 0] == 0).all()
    assert (light[..., 0] == 1).all()
    assert torch.equal(dark[..., 1:], light[..., 1:])


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View(parameters={"crop_scal": [0.1, 0.2]}), "crop_scal"),
        (View(parameters={"crop_scale": [0.5, 0.2]}), "crop_scale"),
        (View(augmentation="simclr"), "must take the augmentation as a parameter"),
        (View(augmentation=lambda size: size), "the method's augmentation gave int, not an nn.Module"),
        (View(augmentation=dict, parameters={"flip_p": 0.0}), "not one of the method's own"),
        (View(crop=(0.5, 0.2)), "two ascending numbers in (0, 1], not 0.5 and 0.2"),
    ],
)
def test_a_view_that_cannot_be_made_fails_in_one_line(draw, view, said):
    with pytest.raises(StageError) as caught:
        draw(view)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_from_elsewhere_is_reproducible_and_leaves_the_global_generator(draw):
    torch.manual_seed(5)
    state = torch.get_rng_state()

    first = draw(View(), View(), augmentation="kornia_crop")
    torch.manual_seed(6)
    second = draw(View(), View(), augmentation="kornia_crop")
    torch.manual_seed(5)
    again = draw(View(stream=1), View(stream=1), augmentation="kornia_crop", step=3)

    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(*first)
    assert torch.equal(*again)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_no_module_is_refused(draw):
    with pytest.raises(StageError, match="augmentation 'not_a_module' gave function"):
        draw(View(), augmentation="not_a_module")


def test_the_crops_of_a_module_from_elsewhere_are_not_known(draw):
    with pytest.raises(StageError, match="whose crops the harness does not know"):
        draw(View(crop=(0.1, 0.2)), augmentation="kornia_crop")


def test_a_module_from_elsewhere_cannot_leave_out_its_intensity_ops(draw):
    with pytest.raises(UserError, match="cannot leave them out"):
        draw(View(intensity=False), augmentation="kornia_crop")
