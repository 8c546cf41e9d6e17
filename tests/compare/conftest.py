"""What tests of comparisons with published work share."""

from results.conftest import lab, lab_of, plugins

__all__ = ["lab", "lab_of", "plugins"]
