"""Pictures of views for watchers: drawn once, by a process of its own where there is no torch."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from PIL import Image

from medssl_bench.datasets import DatasetContext
from medssl_bench.figures.view_sheet import sheet_name
from medssl_bench.plan.build import build_plan
from medssl_bench.session.views import Views
from medssl_bench.suite.suite import Suite

SUITE = """
schema = 1
name = "seen"
plugins = ["own.py"]
floors = []

[pretraining.red]
encoder = { name = "timm", model = "test_resnet" }
augmentation = "red"
epochs = 1

[[comparison]]
id = "table"
datasets = [{ name = "phantom_cells", train = 40, val = 20, test = 20 }]
labels = [20]

  [[comparison.arm]]
  name = "probed"
  pretraining = ["red"]
  evaluator = "knn"
"""

OWN = """
from medssl_bench import hookimpl

@hookimpl
def medssl_augmentations(register):
    register("red", red)

def red(size: int, *, raises: bool = False):
    '''All red.'''
    from torch import nn

    class Red(nn.Module):
        def forward(self, images):
            if raises:
                raise RuntimeError("no")
            return images.new_tensor([1.0, 0, 0])[:, None, None].expand(len(images), 3, size, size)

    return Red()
"""

WITHOUT_TORCH = """
import sys
from pathlib import Path

from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.session.views import Views
from medssl_bench.suite.suite import Suite

here = Path.cwd()
suite, context = Suite.load(here / "suite.toml"), DatasetContext(here, here / "cache")
plan = build_plan(suite, context)
views = Views(plan, suite.plugins, context)
pictures = {stage.kind: views(stage.info()) for stage in plan.stages.values()}
assert {kind for kind, picture in pictures.items() if picture} == {"pretrain"}
Path("views.png").write_bytes(pictures["pretrain"])
assert "torch" not in sys.modules
"""


def _views(folder: Path, cache: Path) -> tuple[Views, str]:
    suite, context = Suite.load(folder / "suite.toml"), DatasetContext(folder, cache)
    plan = build_plan(suite, context)
    (key,) = [key for key, stage in plan.stages.items() if stage.kind == "pretrain"]
    return Views(plan, suite.plugins, context), key


def test_another_process_draws_it_and_it_is_remembered(tmp_path):
    (tmp_path / "suite.toml").write_text(SUITE)
    (tmp_path / "own.py").write_text(OWN)
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], cwd=tmp_path, check=True, timeout=200)
    picture = (tmp_path / "views.png").read_bytes()
    image = Image.open(io.BytesIO(picture))
    assert image.getpixel((image.width - 2, image.height - 2)) == (255, 0, 0), "views are in the last columns"
    assert image.getpixel((2, 2)) != (255, 0, 0), "originals in the first"

    views, key = _views(tmp_path, tmp_path / "cache")
    (kept,) = (tmp_path / "cache" / "views").iterdir()
    assert kept.stem == sheet_name(views.plan.stages[key].spec)
    assert views(views.plan.stages[key].info()) == picture
    here, key = _views(tmp_path, tmp_path / "empty")
    assert here(here.plan.stages[key].info()) == picture, "this process has torch and draws the same"


def test_what_cannot_be_drawn_is_left_out(tmp_path):
    raising = SUITE.replace('augmentation = "red"', 'augmentation = { name = "red", raises = true }')
    (tmp_path / "suite.toml").write_text(raising)
    (tmp_path / "own.py").write_text(OWN)
    views, key = _views(tmp_path, tmp_path / "cache")
    assert views(views.plan.stages[key].info()) is None
