"""Work on a stage under a lease, as `run_stage` does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from medssl_bench.store.leases import Lease
from medssl_bench.store.store import Store


@contextmanager
def leased(store: Store, key: str) -> Iterator[Lease]:
    """Take the lease of a stage, which must be free, and give it up at the end."""
    lease = store.leases.acquire(key)
    assert lease is not None, "somebody else has it"
    try:
        yield lease
    finally:
        lease.release(keep=False)
