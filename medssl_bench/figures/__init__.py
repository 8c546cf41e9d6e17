"""Figures of a report: curves, views, embeddings, label efficiency, confusion matrices and ROC curves."""

from medssl_bench.figures.all import all_figures
from medssl_bench.figures.figure import ReportFigure

__all__ = ["ReportFigure", "all_figures"]
