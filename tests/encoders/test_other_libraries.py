"""Models of transformers and of open_clip: features of the libraries' own loading and preprocessing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from encoders.test_any_size import pictures
from torchvision.transforms.functional import to_tensor

from medssl_bench.errors import StageError

pytest.importorskip("transformers")
pytest.importorskip("open_clip")

SIZE = 32
SMALL: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "image_size": SIZE,
    "patch_size": 8,
}  # fmt: skip
TEXT = {**SMALL, "vocab_size": 50, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def _large(model: torch.nn.Module) -> torch.nn.Module:
    """Make weights so large that each part of the network matters."""
    torch.manual_seed(0)
    for value in model.parameters():
        torch.nn.init.normal_(value, std=1 / max(1, value[0].numel() if value.ndim > 1 else 4) ** 0.5)
    return model.eval()


def _vit():
    from transformers import ViTConfig, ViTForImageClassification

    return ViTForImageClassification(ViTConfig(**SMALL)), lambda net, x: net.vit(x).last_hidden_state[:, 0]


def _dinov2():
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**SMALL, num_register_tokens=4))
    return model, lambda net, x: net(x).last_hidden_state[:, 0]


def _clip():
    from transformers import CLIPConfig, CLIPModel

    model = CLIPModel(CLIPConfig(text_config=TEXT, vision_config=SMALL, projection_dim=8))
    return model, lambda net, x: net.vision_model(x).pooler_output


def _siglip():
    from transformers import SiglipConfig, SiglipModel

    model = SiglipModel(SiglipConfig(text_config=TEXT, vision_config=SMALL))
    return model, lambda net, x: net.vision_model(x).pooler_output


def _resnet():
    from transformers import ResNetConfig, ResNetModel

    model = ResNetModel(ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"))
    return model, lambda net, x: net(x).pooler_output.flatten(1)


def _mae():
    from transformers import ViTMAEConfig, ViTMAEModel

    def of_all_patches(net, x):
        net.embeddings.config.mask_ratio = 0.0  # in an order of chance, which decides nothing
        return net(x).last_hidden_state[:, 0]

    return ViTMAEModel(ViTMAEConfig(**SMALL)), of_all_patches


def _swin():
    from transformers import SwinConfig, SwinModel

    config = SwinConfig(image_size=SIZE, patch_size=4, embed_dim=16, depths=[1, 1], num_heads=[2, 2], window_size=4)
    return SwinModel(config), lambda net, x: net(x).pooler_output


def _segformer():
    from transformers import SegformerConfig, SegformerModel

    shape = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_attention_heads": [1, 2], "num_encoder_blocks": 2}
    more = {"sr_ratios": [2, 1], "patch_sizes": [7, 3], "strides": [4, 2], "mlp_ratios": [2, 2]}
    return SegformerModel(SegformerConfig(**shape, **more)), lambda net, x: net(x).last_hidden_state.mean(dim=(2, 3))


MODELS: dict[str, Callable[[], Any]] = {
    "ViT with a classifier": _vit, "DINOv2": _dinov2, "CLIP": _clip, "SigLIP": _siglip, "ResNet": _resnet,
    "masked autoencoder": _mae, "map without a pooler": _segformer, "Swin": _swin,
}  # fmt: skip


def _saved(model: torch.nn.Module, folder: Path, **preprocessing: Any) -> dict[str, str]:
    """Save a model as the library does; return what a suite says of it."""
    model.save_pretrained(folder)
    files = {"config_file": str(folder / "config.json"), "weights_file": str(folder / "model.safetensors")}
    if not preprocessing:
        return files
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing), "utf-8")
    return {**files, "preprocessor_file": str(folder / "preprocessor_config.json")}


def _processor(crop: int = SIZE, resize: int = SIZE) -> dict[str, Any]:
    return {
        "image_processor_type": "CLIPImageProcessor", "do_resize": True, "size": {"shortest_edge": resize},
        "do_center_crop": True, "crop_size": {"height": crop, "width": crop}, "do_rescale": True,
        "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3],
        "resample": 3, "do_convert_rgb": True,
    }  # fmt: skip


@pytest.mark.parametrize("size", [28, 64])
@pytest.mark.parametrize("kind", MODELS)
def test_features_are_those_of_transformers(kind: str, size: int, make, tmp_path: Path) -> None:
    from transformers import CLIPImageProcessorPil

    model, wanted = MODELS[kind]()
    _large(model)
    encoder = make("transformers", size, **_saved(model, tmp_path, **_processor()))
    images = pictures(size)
    seen = CLIPImageProcessorPil.from_pretrained(tmp_path)(images, return_tensors="pt")["pixel_values"]
    given = torch.stack([to_tensor(image) for image in images])
    with torch.no_grad():
        found = encoder(given)
        torch.testing.assert_close(found, wanted(model, encoder.prepared(given)), rtol=1e-4, atol=1e-5)
        expected = wanted(model, seen)
    assert found.shape == (2, encoder.dim)
    difference, images_differ = (found - expected).norm(dim=1), (expected[0] - expected[1]).norm()
    assert float(difference.max()) < 0.05 * float(images_differ)  # Pillow rounds to bytes after each direction


def test_the_crop_of_the_library_is_a_choice(make, tmp_path: Path) -> None:
    from transformers import CLIPImageProcessorPil

    model, _ = _dinov2()
    files = _saved(_large(model), tmp_path, **_processor(crop=SIZE, resize=40))
    images = pictures(64)
    seen = CLIPImageProcessorPil.from_pretrained(tmp_path)(images, return_tensors="pt")["pixel_values"]
    given = torch.stack([to_tensor(image) for image in images])
    found = make("transformers", 64, **files, crop_pct=SIZE / 40).prepared(given)
    assert float((found - seen).abs().max()) < 2 / 255 / 0.2
    assert make("transformers", 64, **files).prepared.fit.crop_pct == 1


@pytest.mark.parametrize(("pooling", "length"), [("cls", 32), ("mean", 32), ("cls_mean", 64), ("pooler", 32)])
def test_poolings_leave_registers_out(pooling: str, length: int, make, images, tmp_path: Path) -> None:
    model, _ = _dinov2()
    encoder = make("transformers", SIZE, **_saved(_large(model), tmp_path, **_processor()), pooling=pooling)
    assert encoder.dim == length
    batch = images(2, SIZE)
    with torch.no_grad():
        tokens = model(encoder.prepared(batch)).last_hidden_state
        parts = {"cls": tokens[:, 0], "mean": tokens[:, 5:].mean(1), "pooler": tokens[:, 0]}
        wanted = torch.cat([parts[part] for part in pooling.split("_")], dim=1)
        torch.testing.assert_close(encoder(batch), wanted)


def test_another_size_resamples_positions(make, images, tmp_path: Path) -> None:
    model, _ = _vit()
    encoder = make("transformers", 28, **_saved(_large(model), tmp_path, **_processor()), input_size=64)
    with torch.no_grad():
        seen = encoder.prepared(images(2, 28))
        assert seen.shape[-1] == 64
        wanted = model.vit(seen, interpolate_pos_encoding=True).last_hidden_state[:, 0]
        torch.testing.assert_close(encoder(images(2, 28)), wanted)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"pooling": "pooler"}, "the weights lack 2 of the model's tensors (pooler.dense.bias, pooler.dense.weight)"),
        ({"mean": [0.5]}, "mean and std belong together"),
        ({"weights": "pretrained"}, "is for a model of a hub"),
        ({"model": "lab/model"}, "and not both"),
        ({"config_file": None}, "write model, a repository of a hub, or config_file"),
        ({"config_file": None, "model": "lab/model"}, "weights_file is for a model on this machine"),
    ],
)
def test_what_contradicts_itself(more: dict[str, Any], said: str, make, tmp_path: Path) -> None:
    files = _saved(_vit()[0], tmp_path, **_processor())
    with pytest.raises(StageError) as caught:
        make("transformers", SIZE, **{**files, **more})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_normalisation_that_is_not_known_is_asked_for(make, tmp_path: Path) -> None:
    files = _saved(_vit()[0], tmp_path)
    with pytest.raises(StageError, match=r"no preprocessor_config\.json says how images were normalised"):
        make("transformers", SIZE, **files)
    assert make("transformers", SIZE, **files, mean=[0.5], std=[0.5]).dim == 32
    plain = make("transformers", SIZE, **_saved(_vit()[0], tmp_path, do_normalize=False))
    assert (float(plain.prepared.mean), float(plain.prepared.std)) == (0, 1)
    with pytest.raises(StageError, match=r"preprocessor_config\.json does not say how images were normalised"):
        make("transformers", SIZE, **_saved(_vit()[0], tmp_path, size=32))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"resample": 1}, "resizes with resample = 1, which is none of Pillow's 0 (nearest), 2 (bilinear) and 3 (bic"),
        ({"resample": "bicubic"}, "resizes with resample = 'bicubic', which is none of"),
        ({"rescale_factor": 1 / 127.5}, "has rescale_factor = 0.00784313725490196, and not 1/255, or an offset: write"),
        ({"rescale_factor": "1/255"}, "has rescale_factor = 1/255, and not 1/255, or an offset: write"),
        ({"do_rescale": False}, "does not say how images were normalised: write mean and std"),
        ({"image_mean": "a"}, "mean = 'a' and std = [0.2, 0.25, 0.3]: one or three numbers are needed for each"),
        ({"image_mean": [123.7, 116.3, 103.5]}, "one or three numbers are needed for each, of pixels in [0, 1], and "),
        ({"image_std": [0, 0, 0]}, "of pixels in [0, 1], and std above 0"),
        ({"image_std": [58.4, 57.1, 57.4]}, "of pixels in [0, 1], and std above 0, at most 1"),
    ],
)
def test_a_preprocessing_that_is_not_ours_is_one_line(said: dict[str, Any], wanted: str, make, tmp_path: Path) -> None:
    files = _saved(_vit()[0], tmp_path, **{**_processor(), **said})
    with pytest.raises(StageError) as caught:
        make("transformers", SIZE, **files)
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)
    if "resample" in said:
        assert make("transformers", SIZE, **files, interpolation="bicubic").dim == 32


def test_a_crop_that_is_not_done_asks_for_the_size(make, tmp_path: Path) -> None:
    files = _saved(_vit()[0], tmp_path, **{**_processor(crop=16), "do_center_crop": False})
    with pytest.raises(StageError, match=f"to {SIZE}, has a crop_size of 16, and does not crop: write input_size"):
        make("transformers", 28, **files)
    assert make("transformers", 28, **files, input_size=SIZE).input_size == SIZE


def test_the_image_part_of_a_clip_alone_asks_for_its_pooling(make, images, tmp_path: Path) -> None:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    model = _large(CLIPVisionModel(CLIPVisionConfig(**SMALL)))
    files = _saved(model, tmp_path, **_processor())
    with pytest.raises(StageError, match='write pooling = "pooler", which is what the whole model has, or "cls"'):
        make("transformers", 28, **files)
    encoder = make("transformers", 28, **files, pooling="pooler")
    with torch.no_grad():
        torch.testing.assert_close(encoder(images()), model(encoder.prepared(images())).pooler_output)


def test_features_that_differ_each_time_are_refused(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import ViTModel

    plain = ViTModel.forward

    def noisy(self: Any, *arguments: Any, **named: Any) -> Any:
        out = plain(self, *arguments, **named)
        out.last_hidden_state = out.last_hidden_state + torch.rand(1)
        return out

    files = _saved(_vit()[0], tmp_path, **_processor())
    monkeypatch.setattr(ViTModel, "forward", noisy)
    with pytest.raises(StageError, match="gives an image other features each time"):
        make("transformers", SIZE, **files)


@pytest.mark.parametrize(("kind", "pooling"), [("map without a pooler", "mean"), ("ResNet", "pooler")])
def test_a_map_is_pooled_in_one_way(kind: str, pooling: str, make, tmp_path: Path) -> None:
    files = _saved(MODELS[kind]()[0], tmp_path, **_processor())
    assert make("transformers", SIZE, **files, pooling=pooling).dim == 16
    with pytest.raises(StageError, match=f'the model is convolutional: write pooling = "{pooling}"'):
        make("transformers", SIZE, **files, pooling="cls")


def test_weights_that_lack_a_tensor_are_refused(make, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    files = _saved(_vit()[0], tmp_path, **_processor())
    weights = load_file(files["weights_file"])
    save_file(
        {n: v for n, v in weights.items() if "layernorm.weight" not in n}, files["weights_file"], {"format": "pt"}
    )
    with pytest.raises(StageError, match=r"the weights lack 1 of the model's tensors \(layernorm\.weight\)"):
        make("transformers", SIZE, **files)


def test_a_model_with_code_of_its_own_is_refused(make, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "own", "auto_map": {"AutoConfig": "own.Own"}}', "utf-8")
    with pytest.raises(StageError, match="transformers cannot make this model: ") as caught:
        make("transformers", SIZE, config_file=str(tmp_path / "config.json"), mean=[0.5], std=[0.5])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["transformers", "open_clip"])
def test_an_extra_that_is_not_installed_is_one_line(name: str, make, monkeypatch: pytest.MonkeyPatch) -> None:
    from medssl_bench.encoders import other_libraries

    monkeypatch.setattr(other_libraries, "find_spec", lambda _name: None)
    extra = name.replace("_", "-")
    with pytest.raises(StageError, match=rf'{name} is not installed: pip install "medssl-bench\[{extra}\]"'):
        make(name, model="lab/model")


CLIP = {
    "its own ViT": {"image_size": SIZE, "layers": 2, "width": 64, "patch_size": 8},
    "its own ResNet": {"image_size": SIZE, "layers": [1, 1, 1, 1], "width": 16},
    "a model of timm": {
        "timm_model_name": "test_vit", "timm_model_pretrained": False, "timm_pool": "", "timm_proj": "linear",
        "image_size": 160,
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", CLIP)
def test_features_are_those_of_open_clip(kind: str, make, tmp_path: Path) -> None:
    import open_clip
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from safetensors.torch import save_file

    text = {"context_length": 8, "vocab_size": 50, "width": 16, "heads": 2, "layers": 1}
    model_cfg = {"embed_dim": 16, "vision_cfg": CLIP[kind], "text_cfg": text}
    model = _large(open_clip.CLIP(**model_cfg))
    preprocess = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3], "size": CLIP[kind]["image_size"]}
    config = {"model_cfg": model_cfg, "preprocess_cfg": preprocess}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    save_file(
        {name: v.contiguous() for name, v in model.state_dict().items()}, tmp_path / "open_clip_model.safetensors"
    )
    encoder = make(
        "open_clip", 64, config_file=str(tmp_path / "open_clip_config.json"),
        weights_file=str(tmp_path / "open_clip_model.safetensors"),
    )  # fmt: skip
    images = pictures(64)
    transform = image_transform_v2(PreprocessCfg(**preprocess), is_train=False)
    given = torch.stack([to_tensor(image) for image in images])
    with torch.no_grad():
        found = encoder(given)
        torch.testing.assert_close(found, model.encode_image(encoder.prepared(given)), rtol=1e-4, atol=1e-5)
        expected = model.encode_image(torch.stack([transform(image) for image in images]))
    difference, images_differ = (found - expected).norm(dim=1), (expected[0] - expected[1]).norm()
    assert encoder.dim == 16
    assert float(difference.max()) < 0.05 * float(images_differ)


def test_weights_of_another_open_clip_are_refused(make, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    config = {"model_cfg": {"embed_dim": 16, "vision_cfg": CLIP["its own ViT"]}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    save_file({"visual.proj": torch.zeros(64, 8)}, tmp_path / "other.safetensors")
    files = {
        "config_file": str(tmp_path / "open_clip_config.json"),
        "weights_file": str(tmp_path / "other.safetensors"),
    }
    with pytest.raises(StageError, match="these are not the weights of the model") as caught:
        make("open_clip", SIZE, **files)
    assert "\n" not in str(caught.value)
