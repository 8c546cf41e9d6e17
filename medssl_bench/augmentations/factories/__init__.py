"""Factories of the built-in ops and augmentations: their parameters as suites write them."""
