"""`export` of an encoder that sees images at another size: card, `predict`, `import` and `embed` give its features."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cli.conftest import Result
from PIL import Image

from medssl_bench.store.store import Store

_ENCODERS = {
    "scaled, two poolings": 'model = "test_vit"\ninput_size = 32\ncrop_pct = 0.9\npooling = "cls_mean"\nmean = [0.4]\n'
    "std = [0.2]\noptions = { dynamic_img_size = true }",
    "normalised after pooling": 'model = "test_vit"\ninput_size = 48\ninterpolation = "bilinear"\npooling = "cls"\n'
    'normalize = "imagenet"\noptions = { global_pool = "avg" }',
    "padded": 'model = "test_resnet"\ninput_size = 39\nfit = "pad"\nmean = [0.2, 0.3, 0.4]\nstd = [0.3, 0.2, 0.1]',
    "grey": 'model = "test_resnet"\ninput_size = 20\ninterpolation = "nearest"\noptions = { in_chans = 1 }\n'
    "mean = [0.3]\nstd = [0.2]",
}


def _test_images() -> np.ndarray:
    with np.load("colours.npz") as data:
        images: np.ndarray = data["test_images"]
    return images


def _code() -> dict[str, Any]:
    """Run the Python of the card in the exported folder, and return what it defines."""
    lines = re.search(r"```python\n(.*?)```", Path("README.md").read_text("utf-8"), re.DOTALL)
    assert lines
    scope: dict[str, Any] = {}
    exec(lines[1], scope)
    return scope


@pytest.mark.parametrize("kind", _ENCODERS)
def test_everything_that_takes_the_folder_gives_the_same(
    kind: str, cli: Callable[..., Result], tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with np.load("squares.npz") as data:
        arrays = dict(data)
    numbers = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        grey = arrays[f"{split}_images"]
        arrays[f"{split}_images"] = np.stack([grey, 255 - grey, numbers.integers(0, 255, grey.shape)], -1).astype("u1")
    np.savez("colours.npz", **arrays)
    text = tiny.read_text("utf-8").replace("squares.npz", "colours.npz").replace("draws = [0, 1]", "draws = [0]")
    text = text.replace('labels = [20, "all"]', "labels = [20]").replace('analyses = ["silhouette"]\n', "floors = []\n")
    tiny.write_text(text.replace('model = "test_resnet"', _ENCODERS[kind]).replace("epochs = 2\n", "epochs = 1\n"))
    assert cli("run", tiny, "--only", "frozen").status == 0
    assert cli("embed", tiny, "--arm", "frozen", "-o", "run.npz").status == 0
    exported = cli("export", tiny, "--arm", "frozen", "--labels", "20", "-o", "model")
    assert exported.status == 0, exported.err
    assert "README.md has the code from images to features" in exported.out
    with np.load("run.npz") as found:
        wanted = torch.from_numpy(found["test_features"])
    (record,) = [
        r for r in Store(Path("store")).records() if r.title == "table · squares · frozen · 20 labels · seed 0 · draw 0"
    ]
    with np.load(Store(Path("store")).folder(record.key) / "predictions.npz") as kept:
        scores = kept["y_score"]

    pixels = _test_images()
    Path("files").mkdir()
    for place, image in enumerate(pixels):
        Image.fromarray(image).save(f"files/{place:03}.png")
    assert cli("predict", "model", "files", "-o", "predictions.csv").status == 0
    table = np.loadtxt("predictions.csv", delimiter=",", skiprows=1, usecols=(1, 2, 3))
    np.testing.assert_allclose(table, scores, atol=1e-5)

    imported = cli("import", "model", "-o", "again")
    assert imported.status == 0, imported.err
    lines = imported.out[imported.out.index("[encoder.imported]") :]
    other = tiny.read_text("utf-8").replace('encoder = "small"\nfloors', 'encoder = "imported"\nfloors')
    Path("other.toml").write_text(other.replace('  pretraining = ["nat"]\n', "") + lines, "utf-8")
    embedded = cli("run", "other.toml", "--only", "frozen")
    assert embedded.status == 0, embedded.err
    assert cli("embed", "other.toml", "--arm", "frozen", "-o", "again.npz").status == 0
    with np.load("again.npz") as found:
        torch.testing.assert_close(torch.from_numpy(found["test_features"]), wanted, atol=1e-5, rtol=1e-4)

    monkeypatch.chdir("model")
    code, images = _code(), torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(code["features"](images), wanted, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(code["predict"](images).numpy(), scores, atol=1e-4, rtol=1e-3)
