"""The command line; one file per verb, imported when it is used."""

from medssl_bench.cli.main import main

__all__ = ["main"]
