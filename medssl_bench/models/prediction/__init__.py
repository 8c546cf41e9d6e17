"""Predictions of a trained classifier on new images."""
