"""`medssl_bench.published.claims` under the name that it had before 0.2: plugins import it by that name."""

from medssl_bench.published.claims import *  # noqa: F403 - all of it, whatever it has
