"""What the tests of augmentations share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Make every test draw the same images and numbers each time: some hold p-values against a limit."""
    torch.manual_seed(0)
