"""What holds for every test."""

import gc
import os
import sys
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# one thread each: the models are tiny, and the suite runs in several processes
os.environ.setdefault("OMP_NUM_THREADS", "1")

# bytecode is kept, also where the environment forbids it: each process that a test starts would compile the package
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# a worker process would import torch again in every run; its own tests have one
os.environ.setdefault("MEDSSL_BENCH_EXECUTOR", "local")

# tables are as wide as a terminal, and who runs the tests may have one; tests that need a width set it
for _name in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(_name, None)

# how long an example takes says what else the machine does, and nothing of the code
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import what tests need without collections of garbage, and leave it out of later ones: it stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
