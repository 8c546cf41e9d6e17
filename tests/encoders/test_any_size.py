"""Models at sizes that they were not made for: the features of timm's own loading and preprocessing."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config
from torch import Tensor
from torchvision.transforms.functional import to_tensor

from medssl_bench.errors import StageError
from medssl_bench.store.tensors import save_tensors


def saved(tmp_path: Path, model: str, **options) -> tuple[str, torch.nn.Module]:
    """Write the weights of a model with classifier, as a hub has them; return the file and the model."""
    torch.manual_seed(0)
    made = timm.create_model(model, **options).eval()
    for name, value in made.named_parameters():  # new ones hardly look at the image: tokens and scales start near zero
        if value.ndim > 1 or "gamma" in name:
            torch.nn.init.normal_(value, std=value[0].numel() ** -0.5)
    save_tensors(made.state_dict(), tmp_path / "hub.safetensors")
    return str(tmp_path / "hub.safetensors"), made


def pictures(size: int, count: int = 2) -> list[Image.Image]:
    """Return smooth images with black and white edges, as a scanner gives them: bytes, grey in three channels."""
    generator = torch.Generator().manual_seed(size)
    found = []
    for _ in range(count):
        noise = torch.rand(1, 1, 9, 9, generator=generator) * 1.6 - 0.3
        smooth = torch.nn.functional.interpolate(noise, (size, size), mode="bilinear")[0, 0].clamp(0, 1)
        found.append(Image.fromarray((smooth * 255).round().byte().numpy()).convert("RGB"))
    return found


def by_timm(model: torch.nn.Module, images: list[Image.Image], size: int, **args) -> Tensor:
    """Return what timm's own preprocessing gives its own model."""
    config = resolve_data_config({"input_size": (3, size, size), **args}, model=model)
    transform = create_transform(**config, is_training=False)
    return torch.stack([transform(image) for image in images])


CASES = {
    "ViT": ("test_vit", {}),
    "ViT with registers": ("vit_tiny_patch16_224", {"reg_tokens": 4, "depth": 2}),
    "ViT of CLIP": ("vit_base_patch32_clip_224.openai", {"embed_dim": 48, "num_heads": 3, "depth": 2}),
    "DINOv2": ("vit_small_patch14_dinov2", {"embed_dim": 48, "num_heads": 3, "depth": 2}),
    "DINOv3": ("vit_small_patch16_dinov3", {"embed_dim": 48, "num_heads": 3, "depth": 2}),
    "ConvNeXt": ("test_convnext", {}),
}


@pytest.mark.parametrize("size", [28, 64, 224])
@pytest.mark.parametrize("kind", CASES)
def test_features_are_those_of_timms_loading_and_preprocessing(kind, size, make, tmp_path):
    model, options = CASES[kind]
    seen = 56 if "patch14" in model else 64
    fixed = {"img_size": seen} if timm.get_pretrained_cfg(model).fixed_input_size else {}
    file, _ = saved(tmp_path, model, **options)
    plain = timm.create_model(
        model, pretrained=True, pretrained_cfg_overlay={"file": file}, num_classes=0, **options, **fixed
    ).eval()
    config = plain.pretrained_cfg
    encoder = make(
        "timm", size, model=model, weights_file=file, options=options, input_size=seen,
        mean=list(config["mean"]), std=list(config["std"]),
    )  # fmt: skip
    images = pictures(size)
    given = torch.stack([to_tensor(image) for image in images])
    with torch.no_grad():
        found, seen_here = encoder(given), encoder._prepared(given)
        torch.testing.assert_close(found, plain(seen_here), rtol=1e-4, atol=1e-5)  # the same network
        expected = plain(by_timm(plain, images, seen, crop_pct=1.0))
    # Pillow rounds to bytes after each direction that it resizes
    difference, images_differ = (found - expected).norm(dim=1), (expected[0] - expected[1]).norm()
    assert float(images_differ) > 0.3 * float(expected[0].norm())
    assert float(difference.max()) < (1e-5 if size == seen else 0.05) * float(images_differ)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("crop_pct", [0.9, 1.0])
@pytest.mark.parametrize("size", [28, 150])
def test_what_a_network_sees_is_what_timm_shows_it(make, size, crop_pct, interpolation):
    encoder = make(
        "timm", size, model="test_convnext", input_size=64, crop_pct=crop_pct, interpolation=interpolation,
        normalize="imagenet",
    )  # fmt: skip
    images = pictures(size)
    expected = by_timm(
        encoder.backbone, images, 64, crop_pct=crop_pct, interpolation=interpolation,
        mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225),
    )  # fmt: skip
    found = encoder._prepared(torch.stack([to_tensor(image) for image in images]))
    byte = 1 / 255 / 0.224
    if interpolation == "nearest":  # Pillow takes the pixel whose centre is nearest, torch the one whose corner is
        assert found.unique().numel() <= 257 * 3
    else:  # Pillow rounds to bytes after each direction
        assert float((found - expected).abs().max()) < 1.6 * byte
        assert float((found - expected).abs().mean()) < 0.4 * byte


@pytest.mark.parametrize("size", [27, 28, 32])
def test_padding_keeps_pixels_and_shows_zeros_around_them(make, images, size):
    encoder = make("timm", size, model="test_vit", input_size=32, fit="pad", mean=[0.2, 0.3, 0.4], std=[0.5])
    batch = images(2, size)
    seen = encoder._prepared(batch)
    assert seen.shape == (2, 3, 32, 32)
    start = (32 - size) // 2
    inside = seen[..., start : start + size, start : start + size]
    expected = (batch - torch.tensor([0.2, 0.3, 0.4]).view(3, 1, 1)) / 0.5
    torch.testing.assert_close(inside, expected)
    assert seen.abs().sum() == pytest.approx(float(inside.abs().sum()), rel=1e-5)


def test_smaller_views_are_brought_to_the_same_size(make, images):
    encoder = make("timm", 28, model="test_vit", input_size=32)
    assert encoder(images(2, 16)).shape == encoder(images(2, 28)).shape
    assert encoder.grid == (2, 2)


@pytest.mark.parametrize("pooling", ["cls", "mean", "cls_mean"])
@pytest.mark.parametrize("kind", ["ViT with registers", "DINOv3"])
def test_pooling_is_timms(make, images, pooling, kind):
    model, options = CASES[kind]
    encoder = make("timm", 32, model=model, options=options, input_size=32, pooling=pooling)
    seen = encoder._prepared(images(2, 32))
    plain = {}
    for name, global_pool in (("cls", "token"), ("mean", "avg")):
        more = {"fc_norm": False} if kind.startswith("ViT") else {}
        made = timm.create_model(model, num_classes=0, img_size=32, global_pool=global_pool, **options, **more)
        own = encoder.backbone.state_dict()
        if kind == "DINOv3" and name == "cls":  # its last normalisation is before the pooling, or behind it
            own = {(n if n in made.state_dict() else n.replace("fc_norm", "norm")): v for n, v in own.items()}
        made.load_state_dict(own)
        with torch.no_grad():
            plain[name] = made.eval()(seen)
    with torch.no_grad():
        found = encoder(images(2, 32))
    expected = torch.cat(list(plain.values()), dim=1) if pooling == "cls_mean" else plain[pooling]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_tokens_are_pooled_as_the_encoder_pools_them(make, images):
    encoder = make("timm", 32, model="test_vit", input_size=32, pooling="cls_mean")
    with torch.no_grad():
        torch.testing.assert_close(encoder.pooled(encoder.tokens(images(2, 32))), encoder(images(2, 32)))


def test_a_grey_network_sees_one_channel_of_grey_images(make, images):
    encoder = make("timm", 28, model="test_resnet", options={"in_chans": 1}, mean=[0.3], std=[0.2])
    grey = images(2, 28)[:, :1]
    with torch.no_grad():
        torch.testing.assert_close(encoder(grey.repeat(1, 3, 1, 1)), encoder.backbone((grey - 0.3) / 0.2))
    colours = Image.fromarray((images(1, 28)[0].permute(1, 2, 0) * 255).byte().numpy())
    seen = encoder._prepared(to_tensor(colours)[None])
    torch.testing.assert_close(seen, (to_tensor(colours.convert("L"))[None] - 0.3) / 0.2, atol=1.01 / 255 / 0.2, rtol=0)


def test_a_clip_of_open_clip_gives_its_image_part(make, images, tmp_path):
    """As BiomedCLIP has it: a ViT of timm behind ``visual.trunk.``, and a text part."""
    torch.manual_seed(0)
    trunk = timm.create_model("test_vit", num_classes=0).eval()
    clip = {f"visual.trunk.{name}": value for name, value in trunk.state_dict().items()}
    clip |= {"visual.head.proj.weight": torch.rand(8, trunk.num_features), "text.proj.weight": torch.rand(8, 8)}
    save_tensors(clip, tmp_path / "clip.safetensors")
    size = trunk.patch_embed.img_size[0]
    encoder = make("timm", 28, model="test_vit", input_size=size, weights_file=str(tmp_path / "clip.safetensors"))
    with torch.no_grad():
        torch.testing.assert_close(encoder(images()), trunk(encoder._prepared(images())))


def test_a_file_that_lacks_a_tensor_is_refused_at_another_size_too(make, tmp_path):
    file, made = saved(tmp_path, "test_vit")
    weights = made.state_dict()
    del weights["blocks.0.mlp.fc1.weight"]
    save_tensors(weights, Path(file))
    with pytest.raises(StageError, match="these are not the weights of test_vit"):
        make("timm", 28, model="test_vit", input_size=32, weights_file=file)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"fit": "pad"}, "say how images become input_size: write that too"),
        ({"input_size": 32, "fit": "pad", "crop_pct": 0.9}, "crops nothing"),
        ({"mean": [0.5], "std": [0.5], "normalize": "half"}, "contradict each other"),
        ({"mean": [0.5], "std": [0.0]}, "a standard deviation is above 0"),
        ({"mean": [0.5, 0.4], "std": [0.5]}, "has 2 numbers; the model has 3 channels"),
        ({"options": {"in_chans": 1}, "normalize": "imagenet"}, "write mean and std, of one number each"),
        ({"options": {"mlp_layer": "NoSuch"}}, "mlp_layer = 'NoSuch' is no class of timm.layers"),
    ],
)
def test_what_contradicts_itself_is_refused_in_one_line(make, parameters, said):
    with pytest.raises(StageError, match=said) as caught:
        make("timm", 28, model="test_resnet", **parameters)
    assert "\n" not in str(caught.value)
