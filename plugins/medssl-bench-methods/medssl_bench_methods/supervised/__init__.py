"""Trainings that see labels: the upper lines to which self-supervised methods are compared."""
