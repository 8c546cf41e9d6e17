"""Batch normalisation in a fine-tuning: with the statistics of batches, or with those that the encoder came with."""

from __future__ import annotations

from torch import nn


def set_training_mode(model: nn.Sequential, *, keep_statistics: bool) -> None:
    """Put a model into training mode.

    Args:
        model: an encoder and a head.
        keep_statistics: leave batch normalisation of the encoder in evaluation mode: it normalises by the statistics
            that it has, and does not change them. Its scale and shift can be trained.
    """
    model.train()
    if keep_statistics:
        for module in model[0].modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
                module.eval()
