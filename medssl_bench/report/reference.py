"""`medssl_bench.published.reference` under its former name, for the plugins that import it by that."""

from medssl_bench.published.reference import *  # noqa: F403 - all of it, whatever it has
