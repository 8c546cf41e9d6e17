from __future__ import annotations

import os
import pty
import subprocess
import sys

SHOW = """
import time
from medssl_bench.datasets.progress import progress_bar
with progress_bar("downloading set[1].npz", "bytes") as report:
    for done in range(4):
        report(done * 10**6, 3 * 10**6)
        time.sleep(0.15)
"""


def test_one_plain_line_where_there_is_no_terminal():
    result = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)

    assert (result.stdout, result.stderr) == ("", "downloading set[1].npz\n")


def test_a_bar_on_a_terminal():
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen([sys.executable, "-c", SHOW], stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:  # Linux says so when the other end is closed
            pass
    os.close(ours)

    assert process.returncode == 0
    assert b"downloading set[1].npz" in shown
    assert b"/3.0 MB" in shown
