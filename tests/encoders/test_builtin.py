"""The built-in encoders at every size, against plain timm, torchvision and hand-made normalisation."""

from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from torch import nn

from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError

SIZES = (28, 64, 128, 224)
IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "dim"), [("resnet18", 512), ("resnet34", 512), ("resnet50", 2048)])
def test_every_resnet_takes_every_size(make, images, name, dim, size):
    encoder = make(name, size)
    batch = images(1 if size == 224 else 2, size)

    with torch.no_grad():
        features, map_ = encoder(batch), encoder.feature_map(batch)

    assert encoder.dim == dim
    assert features.shape == (len(batch), dim)
    assert features.isfinite().all()
    side = -(-size // 32)
    assert map_.shape == (len(batch), dim, side, side)
    torch.testing.assert_close(features, map_.mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("name", "dim"), [("vit_tiny", 192), ("vit_small", 384)])
def test_every_vit_takes_every_size(make, images, name, dim, size):
    encoder = make(name, size)

    with torch.no_grad():
        features = encoder(images(1, size))

    assert features.shape == (1, dim)
    side = {28: 4, 64: 8, 128: 16, 224: 16}[size]
    assert encoder.backbone.patch_embed.patch_size == (side, side)
    assert encoder.backbone.patch_embed.num_patches * side**2 == size**2  # no pixel is dropped


@pytest.mark.parametrize("size", [28, 64])
def test_the_small_stem_keeps_the_resolution(make, images, size):
    encoder = make("resnet18", size, stem="small")
    batch = images(2, size)

    with torch.no_grad():
        assert encoder.feature_map(batch).shape == (2, 512, -(-size // 8), -(-size // 8))
        stem = encoder.backbone.conv1(batch)

    assert stem.shape == (2, 64, size, size)
    assert encoder(batch).shape == (2, 512)
    convolution = encoder.backbone.conv1
    assert (convolution.kernel_size, convolution.stride, convolution.bias) == ((3, 3), (1, 1), None)


def by_hand(encoder, images, mean, std):
    """Return features by plain timm, given the encoder's weights, after a normalisation written out."""
    card = encoder.card
    model = timm.create_model(card["model"], num_classes=0, **card["options"])
    for change in card["changes"]:
        exec(f"model.{change}", {"model": model, "torch": torch})
    model.load_state_dict(encoder.backbone.state_dict())
    return model.eval()((images - mean) / std)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet18", {}),
        ("resnet18", {"stem": "small"}),
        ("resnet18", {"zero_init_last": True}),
        ("vit_tiny", {}),
        ("timm", {"model": "test_convnext", "options": {"drop_path_rate": 0.1}}),
    ],
)
@pytest.mark.parametrize("normalize", ["auto", "half", "imagenet"])
def test_features_are_those_of_plain_timm(make, images, name, parameters, normalize):
    encoder = make(name, 32, normalize=normalize, **parameters)
    mean, std = (IMAGENET_MEAN, IMAGENET_STD) if normalize == "imagenet" else (0.5, 0.5)

    with torch.no_grad():
        expected = by_hand(encoder, images(size=32), mean, std)
        # sums of thousands of products, in another order: processors differ in the last bits
        torch.testing.assert_close(encoder(images(size=32)), expected, rtol=1e-5, atol=5e-6)

    assert encoder.card["mean"] == pytest.approx(encoder.mean.flatten().tolist())
    assert encoder.card["std"] == pytest.approx(encoder.std.flatten().tolist())


@pytest.mark.parametrize("model", ["mobilenetv3_small_050", "test_efficientnet", "test_vit", "test_convnext"])
def test_the_length_is_that_of_the_features_for_any_model_of_timm(make, images, model):
    encoder = make("timm", 32, model=model, options={"img_size": 32} if "vit" in model else {})

    with torch.no_grad():
        assert encoder(images(2, 32)).shape == (2, encoder.dim)


def spread(model: nn.Module) -> dict[str, tuple[float, float]]:
    """Return mean and standard deviation of each kind of parameter: convolutions, and batch normalisation."""
    found = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            found[name] = (module.weight.mean().item(), module.weight.std().item())
        elif isinstance(module, nn.BatchNorm2d):
            found[name] = (module.weight.mean().item(), module.bias.mean().item())
    return found


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_first_weights_are_distributed_as_torchvisions(make, name):
    """The thesis trained torchvision's networks; timm's default starts residual branches at zero."""
    torch.manual_seed(0)
    expected = spread(getattr(torchvision.models, name)(weights=None))

    found = spread(make(name).backbone)

    assert found.keys() == expected.keys()
    for layer, (centre, width) in expected.items():
        assert found[layer][0] == pytest.approx(centre, abs=max(0.05 * width, 1e-6))
        assert found[layer][1] == pytest.approx(width, rel=0.05, abs=1e-6)


def last_normalisations(encoder):
    return [block.bn2.weight for stage in (1, 2, 3, 4) for block in getattr(encoder.backbone, f"layer{stage}")]


def test_residual_branches_start_at_zero_only_where_that_is_asked_for(make):
    assert all((weight == 1).all() for weight in last_normalisations(make("resnet18")))
    assert all((weight == 0).all() for weight in last_normalisations(make("resnet18", zero_init_last=True)))


def test_the_small_stem_starts_as_other_convolutions_do(make):
    weight = make("resnet18", stem="small").backbone.conv1.weight

    assert weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)  # He et al. 2015, fan-out


def test_a_new_encoder_has_seen_nothing(make):
    """Its length is measured on an image; its batch statistics and its mode stay as timm makes them."""
    encoder = TimmEncoder("resnet18", 28)

    assert encoder.training
    assert all(module.training for module in encoder.modules())
    assert (encoder.backbone.bn1.running_mean == 0).all()
    assert encoder.backbone.bn1.num_batches_tracked == 0


def test_the_seed_decides_the_weights(make):
    first, again, other = (make("resnet18", seed=seed).backbone.conv1.weight for seed in (0, 0, 1))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_gradients_reach_every_weight(make, images):
    encoder = make("resnet18").train()

    encoder(images()).square().sum().backward()

    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in encoder.parameters())


def test_normalisation_is_no_part_of_the_weights(make):
    assert all(name.startswith("backbone.") for name in make("resnet18").state_dict())


@pytest.mark.parametrize(
    ("name", "size", "parameters", "said"),
    [
        ("timm", 28, {"model": "resnet18", "options": {"depth": 3}}, "timm model 'resnet18': it cannot be made with"),
        ("timm", 28, {"model": "test_convnext"}, "timm model 'test_convnext' cannot take images of 28 pixels"),
        (
            "timm",
            28,
            {"model": "volo_d1_224"},
            "timm model 'volo_d1_224' sees one patch in images of 28 pixels, and repeats it; it was made for images of",
        ),
        (
            "timm",
            28,
            {"model": "resnet18", "options": {"global_pool": ""}},
            "timm model 'resnet18' gives features of shape (1, 512, 1, 1); (B, D) is needed",
        ),
        ("vit_tiny", 28, {"patch": 8}, "a patch of 8 does not divide images of 28 pixels: pixels would be dropped"),
        ("vit_tiny", 31, {}, "no usual patch divides images of 31 pixels; set patch"),
    ],
)
def test_what_cannot_be_made_fails_in_one_line(make, name, size, parameters, said):
    with pytest.raises(StageError) as caught:
        make(name, size, **parameters)

    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "mean"), [("resnet18", IMAGENET_MEAN.flatten().tolist()), ("vit_tiny", [0.5, 0.5, 0.5])]
)
def test_pretrained_weights_get_the_normalisation_that_they_were_trained_with(make, monkeypatch, name, mean):
    """The download itself is left out; what timm says of the weights is timm's own."""
    create = timm.create_model
    monkeypatch.setattr("medssl_bench.encoders.timm_model.have_weights", lambda *_place: None)
    monkeypatch.setattr(timm, "create_model", lambda *a, **k: create(*a, **{**k, "pretrained": False}))

    assert make(name, 32, weights="pretrained").card["mean"] == pytest.approx(mean)
    assert make(name, 32, weights="pretrained", normalize="half").card["mean"] == [0.5, 0.5, 0.5]
    assert make(name, 32).card["mean"] == [0.5, 0.5, 0.5]


def test_a_vit_resizes_images_of_another_size_to_its_own(make, images):
    encoder = make("vit_tiny", 32)

    with torch.no_grad():
        small = images(size=28)
        resized = torchvision.transforms.functional.resize(small, [32, 32], antialias=True)
        torch.testing.assert_close(encoder(small), encoder(resized), rtol=1e-4, atol=1e-5)
