"""`medssl_bench.published.reference` under the name that it had before 0.2: plugins import it by that name."""

from medssl_bench.published.reference import *  # noqa: F403 - all of it, whatever it has
