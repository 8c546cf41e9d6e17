"""What a worker says: whole lines, whichever thread says them."""

from __future__ import annotations

import json
import os
import threading

from medssl_bench.executors.worker import Events


def test_a_warning_of_a_second_thread_breaks_no_line() -> None:
    """Lines longer than a pipe holds: each is written in several parts, while the reader is slow."""
    read, write = os.pipe()
    events = Events(write)
    threads = [
        threading.Thread(target=lambda name=name: [events.write(warning=name * 200_000) for _ in range(5)])
        for name in "ab"
    ]
    for thread in threads:
        thread.start()
    found = b""
    while found.count(b"\n") < 10:
        found += os.read(read, 10_000)
    for thread in threads:
        thread.join()
    os.close(read)
    os.close(write)
    texts = [json.loads(line)["warning"] for line in found.splitlines()]
    assert sorted(texts) == [name * 200_000 for name in "aaaaabbbbb"]
