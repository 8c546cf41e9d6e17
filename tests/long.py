"""Tests that take a minute or more each, and repeat at length what others show in small: .ci/long runs them.

Those of clusters are run by .ci/clusters with MEDSSL_BENCH_LONG_TESTS=1.
"""

from __future__ import annotations

import os

import pytest

LONG = pytest.mark.skipif("MEDSSL_BENCH_LONG_TESTS" not in os.environ, reason="long: MEDSSL_BENCH_LONG_TESTS=1 adds it")
