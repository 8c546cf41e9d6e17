"""Data sets: MedMNIST, npz files, image folders and generated phantoms; and which of their labels are used."""

from medssl_bench.datasets.base import Dataset, DatasetContext, DatasetInfo, Images, Split, Splits, Task

__all__ = ["Dataset", "DatasetContext", "DatasetInfo", "Images", "Split", "Splits", "Task"]
