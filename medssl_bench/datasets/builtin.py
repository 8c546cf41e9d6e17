"""The plugin that registers the harness' own data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets.medmnist.dataset import FLAGS
from medssl_bench.plugin.markers import hookimpl

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_datasets(register: Register) -> None:
    """Register the 2D MedMNIST sets, files of the user's own, and the generated phantoms."""
    for flag in FLAGS:
        register(flag, f"medssl_bench.datasets.medmnist.dataset:{flag}")
    register("npz", "medssl_bench.datasets.npz.dataset:npz")
    register("folder", "medssl_bench.datasets.folder.factory:folder")
    register("images", "medssl_bench.datasets.images.dataset:images")
    register("table", "medssl_bench.datasets.table.factory:table")
    register("phantom_cells", "medssl_bench.datasets.phantoms.factories:phantom_cells")
    register("phantom_layers", "medssl_bench.datasets.phantoms.factories:phantom_layers")
