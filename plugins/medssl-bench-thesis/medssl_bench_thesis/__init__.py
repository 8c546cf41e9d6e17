"""The augmentations and the published numbers of [Jiang 2023], for medssl-bench."""
