"""Corruptions of test images, each in five severities, after MedMNIST-C (Di Salvo et al. 2024)."""
