"""Benchmarks: what a training step costs, side by side with what a user would otherwise run."""
