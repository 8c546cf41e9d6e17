"""Features that another program computed, in the place of an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from medssl_bench.encoders.brought_file import length_of_features, read_split
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName


class BroughtFeatures(nn.Module):
    """Features of the images of one data set. It encodes nothing: `brought` gives what the file has.

    Attributes:
        dim: length D of the features.

    Args:
        file: an npz or Parquet file, see `medssl_bench.encoders.brought_file.read_split`.

    Raises:
        DataError: the file has no features.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self.dim = length_of_features(file)

    def brought(self, split: SplitName, labels: NDArray[Any], names: list[str] | None) -> Tensor:
        """Return the features of the images of a split, (N, D) float32, in their order.

        Args:
            split: which split.
            labels: of its images, (N, L).
            names: of the files of its images; None: they have none.

        Raises:
            DataError: the file has not the features of these images.
        """
        return torch.from_numpy(read_split(self._file, split, labels, names))

    def forward(self, images: Tensor) -> Tensor:  # noqa: ARG002
        """Refuse to encode images.

        Raises:
            StageError: always.
        """
        raise StageError(f"{self._file.name} has features of the images of a data set; it can encode no other image")
