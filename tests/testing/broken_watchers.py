"""A plugin whose watchers are broken, one of them in many ways."""

import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import numpy as np

from medssl_bench import hookimpl

processes = []


class Careless:
    """Connects when it is made, leaves a thread and a process, draws, and wants every epoch once and stages in turn."""

    def __init__(self):
        self.seen = set()
        self.at = None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connected, suppress(OSError):
            connected.connect(("192.0.2.1", 9))  # of no machine: RFC 5737; a datagram socket sends nothing for that

    @hookimpl
    def medssl_run_begins(self):
        threading.Thread(target=time.sleep, args=(60,), daemon=True, name="staying").start()
        processes.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))

    @hookimpl
    def medssl_stage_begins(self, stage):
        np.random.random(3)  # noqa: NPY002 - the legacy global generator is what is meant
        if self.at not in {None, stage.key}:
            raise RuntimeError("another is under way")
        self.at = stage.key

    @hookimpl
    def medssl_epoch_ends(self, stage, epoch):
        if (stage.key, epoch.index) in self.seen:
            raise ValueError(f"epoch {epoch.index} again")
        self.seen.add((stage.key, epoch.index))

    @hookimpl
    def medssl_stage_ends(self, stage):
        self.at = None


class Deaf:
    """Forgets to mark its method."""

    def stage_ends(self, stage):
        raise AssertionError(stage)


@hookimpl
def medssl_watchers(register):
    register("careless", Careless)
    register("deaf", Deaf)
