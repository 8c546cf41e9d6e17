"""Writes a first suite for images that a user brings: what is there, which labels, for how long."""
