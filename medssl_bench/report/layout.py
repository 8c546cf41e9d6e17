"""`medssl_bench.published.layout` under its former name, for the plugins that import it by that."""

from medssl_bench.published.layout import *  # noqa: F403 - all of it, whatever it has
