"""Evaluators: what is made of an encoder with a few labels, and how it is measured."""

from medssl_bench.evaluators.base import Evaluation, Evaluator, Passes, Trial

__all__ = ["Evaluation", "Evaluator", "Passes", "Trial"]
