"""`medssl_bench.published.layout` under the name that it had before 0.2: plugins import it by that name."""

from medssl_bench.published.layout import *  # noqa: F403 - all of it, whatever it has
