"""Pretrainings on images without labels and on several sets, from the suite to the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medssl_bench.datasets import DatasetContext, Images
from medssl_bench.errors import SuiteError
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.kinds.pretrain import PretrainSpec
from medssl_bench.plan.stage import Plan
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.stages.pool import LoadedPool, load_pool
from medssl_bench.stages.workshop import Workshop
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

PLUGINS = load_plugins()
RNG = np.random.default_rng(0)

SUITE = """\
schema = 1
name = "pools"
floors = []

[dataset.cells]
name = "phantom_cells"
train = 40
val = 10
test = 20
unlabelled = 60

[dataset.layers]
name = "phantom_layers"
train = 30
val = 12
test = 20

[dataset.mine]
name = "images"
path = "mine"

[pretraining.nat]
augmentation = "plain"
epochs = 1

[[comparison]]
id = "table"
datasets = ["cells"]
labels = [10]

  [[comparison.arm]]
  name = "probed"
  pretraining = ["nat"]
  evaluator = { name = "linear_probe", epochs = 1 }
"""


@pytest.fixture
def plan_of(tmp_path: Path) -> Any:
    """Return a function that plans the suite with some of its texts replaced."""
    for place in range(50):
        file = tmp_path / "mine" / f"patient {place % 5}" / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (28, 28), dtype=np.uint8)).save(file)

    def plan_of(*changes: tuple[str, str]) -> Plan:
        text = SUITE
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / "suite.toml").write_text(text)
        return build_plan(Suite.load(tmp_path / "suite.toml", PLUGINS), _context(tmp_path))

    return plan_of


def _context(folder: Path) -> DatasetContext:
    return DatasetContext(folder / "data", folder / "cache")


def _pool(name: str) -> tuple[str, str]:
    return 'augmentation = "plain"', f'augmentation = "plain"\npool = "{name}"'


def _on(value: str) -> tuple[str, str]:
    return 'pretraining = ["nat"]', f'pretraining = [{{ recipe = "nat", on = {value} }}]'


def _stages(plan: Plan) -> dict[str, Any]:
    return {stage.kind: stage for stage in plan.stages.values()}


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Return a function that reads the pool of a plan, and returns the number of images that the plan counted."""
    import torch

    store = Store(tmp_path / "store")
    store.prepare()
    workshop = Workshop(PLUGINS.registry, store, _context(tmp_path), torch.device("cpu"))

    def load(plan: Plan) -> LoadedPool:
        spec = _stages(plan)["pretrain"].spec
        again = PretrainSpec.from_data(spec.to_data())  # as a worker gets it
        return load_pool(again, workshop)

    return load


def _data(name: str, **parameters: Any) -> Any:
    from medssl_bench.datasets.phantoms import factories

    return getattr(factories, name)(DatasetContext(Path(), Path()), **parameters)


CELLS = _data("phantom_cells", train=40, val=10, test=20, unlabelled=60)
LAYERS = _data("phantom_layers", train=30, val=12, test=20)


@pytest.mark.parametrize(
    ("pool", "parts"),
    [
        ("all", [CELLS.load()["train"], CELLS.load_unlabelled()]),
        ("train", [CELLS.load()["train"]]),
        ("unlabelled", [CELLS.load_unlabelled()]),
    ],
)
def test_the_pool_has_the_images_that_the_suite_says(plan_of: Any, load: Any, pool: str, parts: list[Images]) -> None:
    plan = plan_of(_pool(pool))
    found = load(plan)
    wanted = np.concatenate([part.images for part in parts])
    assert np.array_equal(found.images.images, wanted)
    assert found.learned.tolist() == list(range(len(wanted)))
    assert _stages(plan)["pretrain"].images == len(wanted)
    assert np.array_equal(found.watched.images, CELLS.load()["val"].images)
    assert found.watched_places is None


def test_images_without_labels_change_the_keys_of_what_uses_them_alone(plan_of: Any) -> None:
    before = _stages(plan_of(("unlabelled = 60\n", "")))
    same = _stages(plan_of(("unlabelled = 60\n", ""), _pool("train")))
    train, everything, more = (
        _stages(plan_of(_pool("train"))),
        _stages(plan_of()),
        _stages(plan_of(("unlabelled = 60", "unlabelled = 61"))),
    )
    assert before["pretrain"].key == same["pretrain"].key == train["pretrain"].key
    assert len({stages["pretrain"].key for stages in (before, everything, more)}) == 3
    floors = {_floor(plan_of(("unlabelled = 60\n", ""), FLOOR)), _floor(plan_of(FLOOR))}
    assert len(floors) == 1, "an arm that pretrains on nothing"


FLOOR = ("floors = []", 'floors = ["untrained"]')


def _floor(plan: Plan) -> str:
    return next(trial.stage for trial in plan.trials if trial.arm == "untrained encoder")


def test_a_set_without_labels_is_watched_on_a_part_of_itself(plan_of: Any, load: Any) -> None:
    plan = plan_of(_on('"mine"'))
    found = load(plan)
    assert len(found.images) == 50
    assert len(found.watched_places) == 5
    assert sorted([*found.learned, *found.watched_places]) == list(range(50)), "what is watched is not learned from"
    assert _stages(plan)["pretrain"].images == len(found.learned) == 45


def test_several_sets_together(plan_of: Any, load: Any) -> None:
    plan = plan_of(_on('["layers", "mine", "cells"]'))
    found = load(plan)
    stage = _stages(plan)["pretrain"]
    assert stage.title == "pretrain · nat · layers + mine + cells · seed 0"
    assert found.images.images.shape == (30 + 50 + 40 + 60, 28, 28, 3)
    grey = LAYERS.load()["train"].images
    assert np.array_equal(found.images.images[:30], np.stack([grey] * 3, axis=-1))
    assert np.array_equal(found.images.images[80:120], CELLS.load()["train"].images)
    assert found.images.groups.tolist() == [0] * 30 + [1] * 50 + [2] * 100
    assert found.sources == {"Phantom retina scans": 30, "mine": 50, "Phantom blood cells": 100}
    assert len(found.watched) == 12 + 10
    assert stage.key != _stages(plan_of(_on('["mine", "layers", "cells"]')))["pretrain"].key


def test_one_set_in_a_list_is_that_set(plan_of: Any) -> None:
    assert _stages(plan_of(_on('["layers"]')))["pretrain"].key == _stages(plan_of(_on('"layers"')))["pretrain"].key


@pytest.mark.parametrize(
    ("changes", "at", "message"),
    [
        (
            [('["cells"]', '["cells", "mine"]')],
            "datasets = ",
            (
                "comparison[0].datasets[1]: 'mine' has no labels, so no arm can be judged on it; pretrain on it, "
                'with { recipe = "...", on = "mine" }'
            ),
        ),
        (
            [_pool("unlabelled"), _on('"layers"')],
            "pool = ",
            'pretraining.nat.pool: Phantom retina scans has no unlabelled images; say pool = "all" or "train"',
        ),
        (
            [_pool("train"), _on('["mine", "cells"]')],
            "pool = ",
            'pretraining.nat.pool: mine has unlabelled images only; say pool = "all" or "unlabelled"',
        ),
        (
            [('path = "mine"', 'path = "mine"\nsize = 32'), _on('["cells", "mine"]')],
            "pretraining = ",
            (
                "comparison[0].arm[0].pretraining[0].on: images of several sets need one size in pixels, and have: "
                "Phantom blood cells 28, mine 32; give the sets one `size`"
            ),
        ),
        (
            [_on('["cells", "layers", "cells"]')],
            "pretraining = ",
            (
                "comparison[0].arm[0].pretraining[0].on[2]: 'cells' is there already, at "
                "comparison[0].arm[0].pretraining[0].on[0]; each may stand once"
            ),
        ),
        (
            [_on("[]")],
            "pretraining = ",
            "comparison[0].arm[0].pretraining[0].on: the list names no data set; leave it out to",
        ),
        (
            [('path = "mine"', 'path = "mine"\nmatch = ["x"]'), _on('"mine"')],
            "[dataset.mine]",
            "dataset.mine: ",
        ),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(
    plan_of: Any, tmp_path: Path, changes: list[tuple[str, str]], at: str, message: str
) -> None:
    with pytest.raises(SuiteError) as error:
        plan_of(*changes)
    text = str(error.value)
    lines = (tmp_path / "suite.toml").read_text().splitlines()
    (line,) = [number for number, written in enumerate(lines, 1) if written.strip().startswith(at)]
    assert f"suite.toml:{line}: " in text, text
    assert message in text
    assert len(text.splitlines()) == 1


def test_sets_without_labels_are_refused_before_images_are_read(plan_of: Any, tmp_path: Path) -> None:
    (tmp_path / "mine" / "broken.png").write_bytes(b"not an image")
    with pytest.raises(SuiteError, match="'mine' has no labels"):
        plan_of(('["cells"]', '["mine"]'))
    with pytest.raises(SuiteError, match=r"1 of 51 images cannot be used: broken\.png"):
        plan_of(_on('"mine"'))
