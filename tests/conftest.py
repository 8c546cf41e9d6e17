"""What holds for every test."""

import os

# one thread each: the models are tiny, and the suite runs in several processes
os.environ.setdefault("OMP_NUM_THREADS", "1")
