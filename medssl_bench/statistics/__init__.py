"""Intervals, verdicts and designs: what seeds, draws and test images allow to be said. NumPy and SciPy alone."""
