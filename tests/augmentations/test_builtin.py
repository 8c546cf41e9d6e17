import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from medssl_bench.augmentations import Op, Sequence, builtin, ops
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.parameters import ParameterProblem
from medssl_bench.plugin.registry import Plugin, Registry

NAMES = (*builtin.GEOMETRY, *builtin.INTENSITY)
IMAGES = torch.rand(6, 3, 20, 20)


@pytest.fixture(scope="module")
def registry() -> Registry:
    plugins = Plugins()
    added = plugins.add(Plugin("augmentations", "built-in"), lambda: builtin)
    assert not added.problem
    return plugins.registry


def augmentation(registry: Registry, written: Any, size: int = 16) -> Sequence:
    module = registry.build(registry.resolve("augmentation", written, Path()), size=size)
    assert isinstance(module, Sequence)
    return module


def test_every_op_has_a_factory(registry: Registry) -> None:
    made = {type(registry.build(registry.resolve("op", name, Path()), size=16)).__name__ for name in NAMES}
    assert made == set(ops.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_an_ops_defaults_are_those_of_its_factory(registry: Registry, name: str) -> None:
    """But for the ranges of the colour jitter, which changes nothing by default in Python."""
    op = registry.build(registry.resolve("op", name, Path()), size=16)
    if name == "color_jitter":
        assert (op.blends, op.hue, op.p, op.order) == (((0.5, 1.5),) * 3, (-0.1, 0.1), 1.0, "fixed")
        return
    default = type(op)(*([16] if hasattr(op, "size") else []))
    given = {"p": 0.5} if name.endswith("flip") else {}
    assert {**public(default), **given} == public(op)


def public(op: Op) -> dict[str, Any]:
    return {name: value for name, value in vars(op).items() if not name.startswith("_") and name != "training"}


@pytest.mark.parametrize("kind", ["op", "augmentation"])
def test_every_parameter_is_documented(registry: Registry, kind: str) -> None:
    for entry in registry.entries[kind].values():
        assert entry.summary.endswith(".")
        assert [p.name for p in entry.table.parameters() if not p.doc] == []


def test_a_list_of_ops_is_a_sequence_in_its_order(registry: Registry) -> None:
    module = augmentation(
        registry, ["horizontal_flip", {"name": "resized_crop", "scale": [0.2, 1]}, {"name": "grayscale", "p": 1}]
    )
    assert [type(op).__name__ for op in module.ops] == ["HorizontalFlip", "ResizedCrop", "Grayscale", "Resize"]
    assert module.ops[1].scale == (0.2, 1.0)
    view = module.view(IMAGES, 1)
    assert view.shape == (6, 3, 16, 16)
    torch.testing.assert_close(view[:, 0], view[:, 1])


def test_a_list_without_a_resize_still_gives_the_size_asked_for(registry: Registry) -> None:
    assert augmentation(registry, ["gaussian_blur"]).view(IMAGES, 1).shape == (6, 3, 16, 16)
    assert torch.equal(augmentation(registry, []).view(IMAGES, 1), augmentation(registry, "plain").view(IMAGES, 1))


def test_plain_is_the_image(registry: Registry) -> None:
    assert torch.equal(augmentation(registry, "plain", 20).view(IMAGES, 1), IMAGES)


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        ([{"name": "grayscale", "p": 1.5}], ("ops", 0, "p"), "less than or equal to 1"),
        (["horizontal_flip", "gausian_blur"], ("ops", 1), "did you mean 'gaussian_blur'"),
        ([{"name": "gaussian_blur", "kernel_size": 8}], ("ops", 0, "kernel_size"), "must be odd"),
        ([{"name": "gaussian_blur", "sigma": [0, 2]}], ("ops", 0, "sigma", 0), "greater than 0"),
        ([{"name": "sharpness", "alpha": [3, 1]}], ("ops", 0, "alpha"), "must not be larger than the second"),
        ([{"name": "sharpness", "alpha": 3}], ("ops", 0, "alpha"), "valid array"),
        ([{"name": "color_jitter", "hue": [-0.6, 0.1]}], ("ops", 0, "hue", 0), "greater than or equal to -0.5"),
        ([{"name": "resized_crop", "scale": [0, 1]}], ("ops", 0, "scale"), "must be above 0"),
        ([{"name": "resized_crop", "scale_of": "areas"}], ("ops", 0, "scale_of"), "'area' or 'side'"),
        ([{"name": "equalize", "rul": "pillow"}], ("ops", 0, "rul"), "did you mean 'rule'"),
        ({"name": "simclr", "strength": 3}, ("strength",), "less than or equal to 2.5"),
    ],
)
def test_bad_parameters_are_refused_where_they_stand(
    registry: Registry, written: Any, path: tuple[str | int, ...], message: str
) -> None:
    with pytest.raises(ParameterProblem, match=message) as problem:
        registry.resolve("augmentation", written, Path())
    assert problem.value.path == path


def test_simclr_is_the_papers(registry: Registry) -> None:
    module = augmentation(registry, "simclr", 224)
    crop, flip, jitter, grey, blur = module.ops
    assert (crop.scale, crop.scale_of, crop.ratio) == ((0.08, 1.0), "area", (3 / 4, 4 / 3))
    assert flip.p == 0.5
    assert jitter.blends == ((pytest.approx(0.2), 1.8),) * 3
    assert (jitter.hue, jitter.p, jitter.order) == ((-0.2, 0.2), 0.8, "random")
    assert (grey.p, grey.weights) == (0.2, "luma")
    assert (blur.p, blur.sigma, blur.kernel_size) == (0.5, (0.1, 2.0), 23)
    assert augmentation(registry, "simclr", 28).view(IMAGES, 1).shape == (6, 3, 28, 28)


def test_simclr_without_strength_leaves_the_colours(registry: Registry) -> None:
    written = {"name": "simclr", "strength": 0, "grayscale_p": 0, "blur_p": 0}
    module = augmentation(registry, written)
    assert torch.equal(module.view(IMAGES, 1), module.view(IMAGES, 1, intensity=False))


def test_the_factories_import_no_torch() -> None:
    modules = ", ".join(
        f"medssl_bench.augmentations.{name}"
        for name in ("builtin", "ranges", "factories.geometry", "factories.intensity", "factories.sequences")
    )
    heavy = "{'torch', 'kornia', 'PIL', 'timm', 'sklearn'}"
    command = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"
