"""Where the ImageNet weights of a ResNet-18 are looked for: where timm has them."""

from __future__ import annotations

from medssl_bench.starter.weights import REPOSITORY, are_here


def test_timm_has_them_from_there():
    import timm

    assert timm.get_pretrained_cfg("resnet18").hf_hub_id == REPOSITORY


def test_they_are_seen_where_they_are(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert not are_here()
    folder = tmp_path / f"models--{REPOSITORY.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "snapshots" / "abc" / "model.safetensors").write_bytes(b"weights")
    assert are_here()
