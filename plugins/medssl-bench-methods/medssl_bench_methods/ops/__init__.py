"""Ops of medical self-supervised learning: smooth bending, Bezier intensities, shuffling, painting, swapped patches."""
