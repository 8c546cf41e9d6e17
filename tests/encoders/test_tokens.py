"""Feature maps of convolutional models, and tokens of ViTs."""

from __future__ import annotations

import copy

import pytest
import timm
import torch

from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError


@pytest.fixture(scope="module")
def images():
    return torch.rand(3, 3, 28, 28, generator=torch.Generator().manual_seed(0))


def vit(make, **parameters):
    return make("vit_tiny", 28, **parameters).eval()


@pytest.mark.parametrize(("stem", "sides"), [("imagenet", [14, 7, 4, 2, 1]), ("small", [28, 28, 14, 7, 4])])
def test_feature_maps_of_a_resnet_from_the_stem_to_the_last_stage(make, images, stem, sides):
    encoder = make("resnet18", 28, stem=stem).eval()
    with torch.no_grad():
        maps = encoder.feature_maps(images)
        last = encoder.feature_map(images)
    assert [map_.shape[1] for map_ in maps] == [64, 64, 128, 256, 512]
    assert [tuple(map_.shape[2:]) for map_ in maps] == [(side, side) for side in sides]
    assert torch.equal(maps[-1], last)


def test_an_encoder_has_what_its_model_has(make):
    tokens = {"tokens", "pooled", "grid", "prefix_tokens"}
    resnet, transformer = make("resnet18", 28), vit(make)
    assert hasattr(resnet, "feature_maps")
    assert not any(hasattr(resnet, name) for name in tokens)
    assert not hasattr(transformer, "feature_maps")
    assert all(hasattr(transformer, name) for name in tokens)
    assert (transformer.grid, transformer.prefix_tokens) == ((7, 7), 1)


@pytest.mark.parametrize("pool", ["cls", "avg"])
@pytest.mark.parametrize("dynamic", [False, True])
def test_with_nothing_left_out_tokens_are_timms_to_the_bit(make, images, pool, dynamic):
    encoder = vit(make, pool=pool, dynamic_img_size=dynamic)
    with torch.no_grad():
        wanted = encoder.backbone.forward_features((images - encoder.mean) / encoder.std)
        assert torch.equal(encoder.tokens(images), wanted)
        assert torch.equal(encoder.pooled(wanted), encoder(images))
    assert wanted.shape == (3, 50, 192)


def test_features_are_the_class_token_or_the_mean_of_the_patches(make, images):
    first, mean = vit(make), vit(make, pool="avg")
    mean.load_state_dict(first.state_dict())  # the same names
    with torch.no_grad():
        tokens = first.tokens(images)
        torch.testing.assert_close(first(images), tokens[:, 0])
        torch.testing.assert_close(mean(images), tokens[:, 1:].mean(dim=1))


def test_pixels_that_are_left_out_cannot_be_seen(make, images):
    encoder = vit(make)
    keep = torch.tensor([[0, 8, 48], [3, 2, 1], [20, 30, 40]])
    others = 1 - images
    for image, places in enumerate(keep):
        for place in places.tolist():
            row, column = 4 * (place // 7), 4 * (place % 7)
            patch = (image, slice(None), slice(row, row + 4), slice(column, column + 4))
            others[patch] = images[patch]
    with torch.no_grad():
        tokens = encoder.tokens(images, keep=keep)
        assert tokens.shape == (3, 4, 192)
        assert torch.equal(tokens, encoder.tokens(others, keep=keep))
        assert not torch.equal(tokens, encoder.tokens(1 - images, keep=keep))


def test_another_order_gives_the_same_tokens_in_that_order(make, images):
    encoder, order = vit(make), torch.randperm(12, generator=torch.Generator().manual_seed(1))
    keep = torch.stack([torch.randperm(49, generator=torch.Generator().manual_seed(i))[:12] for i in range(3)])
    with torch.no_grad():
        tokens, turned = encoder.tokens(images, keep=keep), encoder.tokens(images, keep=keep[:, order])
    torch.testing.assert_close(turned[:, 1:], tokens[:, 1:][:, order])
    torch.testing.assert_close(turned[:, 0], tokens[:, 0])


def test_all_patches_kept_in_order_is_nothing_left_out(make, images):
    encoder = vit(make)
    with torch.no_grad():
        assert torch.equal(encoder.tokens(images, keep=torch.arange(49).expand(3, -1)), encoder.tokens(images))


@pytest.mark.parametrize("dynamic", [False, True])
def test_masked_patches_are_replaced_by_the_token(make, images, dynamic):
    encoder = vit(make, dynamic_img_size=dynamic)
    masked = torch.rand(3, 49, generator=torch.Generator().manual_seed(2)) < 0.5
    token = torch.full((192,), 0.3, requires_grad=True)
    whole = masked.view(3, 1, 7, 7).repeat_interleave(4, 2).repeat_interleave(4, 3)
    with torch.no_grad():
        one = encoder.tokens(images, masked=masked, mask_token=token)
        other = encoder.tokens(torch.where(whole, 1 - images, images), masked=masked, mask_token=token)
        assert one.shape == (3, 50, 192)
        assert torch.equal(one, other)
        assert not torch.equal(one, encoder.tokens(images, masked=masked, mask_token=token + 1))
        nothing = encoder.tokens(images, masked=torch.zeros_like(masked), mask_token=token)
        assert torch.equal(nothing, encoder.tokens(images))
    encoder.tokens(images, masked=masked, mask_token=token).square().sum().backward()
    assert token.grad is not None
    assert token.grad.abs().sum() > 0


def test_gradients_and_copies(make, images):
    encoder = vit(make)
    copied = copy.deepcopy(encoder)
    with torch.no_grad():
        for weight in copied.parameters():
            weight.zero_()
        assert copied.tokens(images).abs().sum() == 0, "its own weights, not those that it was copied from"
        assert encoder.tokens(images).abs().sum() > 0
    encoder.tokens(images, keep=torch.zeros(3, 1, dtype=torch.int64)).sum().backward()
    assert all(weight.grad is not None for weight in encoder.parameters())


def test_it_waits_for_no_device():
    """On torch's meta device, reading a value back is an error."""
    encoder = TimmEncoder("vit_tiny_patch16_224", 28, options={"img_size": 28, "patch_size": 4}).to("meta")
    images, keep = (torch.empty(2, 3, 28, 28, device="meta"), torch.empty(2, 9, dtype=torch.int64, device="meta"))
    masked, token = torch.empty(2, 49, dtype=torch.bool, device="meta"), torch.empty(192, device="meta")
    assert encoder.tokens(images, keep=keep, masked=masked, mask_token=token).shape == (2, 10, 192)


def test_a_dynamic_size_sees_small_crops_as_they_are(make, images):
    fixed, dynamic = vit(make), vit(make, dynamic_img_size=True)
    dynamic.load_state_dict(fixed.state_dict())
    crops = images[..., :16, :16]
    with torch.no_grad():
        assert torch.equal(fixed(images), dynamic(images)), "whole images are as ever"
        assert fixed.tokens(crops).shape == (3, 50, 192), "resized"
        assert dynamic.tokens(crops).shape == (3, 17, 192)
        plain = timm.create_model("vit_tiny_patch16_224", num_classes=0, **dynamic.card["options"]).eval()
        plain.load_state_dict(dynamic.backbone.state_dict())
        assert torch.equal(dynamic(crops), plain((crops - dynamic.mean) / dynamic.std))
    with pytest.raises(StageError, match="patches of 4 do not divide images of 15 pixels; give views of another size"):
        dynamic(images[..., :15, :15])
