"""The command line in this process, for tests of runs."""

from cli.conftest import cli

__all__ = ["cli"]
