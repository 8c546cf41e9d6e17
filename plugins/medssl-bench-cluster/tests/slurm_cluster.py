"""A private Slurm of several nodes on this machine: real daemons, as the user who calls, on the loopback alone.

There are two partitions: ``main``, and ``low``, whose jobs those of ``main`` preempt. No node is lost for being slow.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from getpass import getuser
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
NODES, CPUS = 2, 2

_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SlurmdTimeout=300
SlurmctldTimeout=30
InactiveLimit=0
KillWait=30
MinJobAge=3600
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
JobRequeue=1
{nodes}
PartitionName=main Nodes=ALL Default=YES PriorityTier=10 MaxTime=60 State=UP
PartitionName=low Nodes=ALL PriorityTier=1 GraceTime=60 PreemptMode=REQUEUE MaxTime=60 State=UP
"""


def missing() -> str:
    """Return why there can be no Slurm here, or an empty text."""
    names = [name for name in PROGRAMS if _which(name) is None]
    if names:
        return f"Slurm is not installed here: no {', '.join(names)}"
    try:
        getuser()
    except (OSError, KeyError):
        return "Slurm needs a user that has a name"
    return ""


def _which(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")


def _port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class SlurmCluster:
    """A running Slurm.

    Args:
        folder: of its files; its path is short, as sockets lie in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start it, and wait until its nodes are there."""
        host = platform.node().partition(".")[0]
        lines = [
            f"NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={_port()} CPUs={CPUS} RealMemory=4000"
            for i in range(NODES)
        ]
        text = _CONF.format(host=host, port=_port(), user=getuser(), folder=self.folder, nodes="\n".join(lines))
        self.conf.write_text(text)
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        (self.folder / "state").mkdir(mode=0o700)
        for i in range(NODES):
            (self.folder / "spool" / f"n{i}").mkdir(parents=True)
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        names = {"key-file": "key", "socket": "sock", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{name}={self.folder}/munge.{end}" for name, end in names.items()]
        self._start("munged", "--foreground", "--force", *options)
        self._start("slurmctld", "-D", "-c")
        for i in range(NODES):
            self._start_node(f"n{i}")
        self._wait_for_nodes()

    def _wait_for_nodes(self) -> None:
        end = time.monotonic() + 120
        while self.ask("sinfo", "-h", "-p", "main", "-t", "idle", "-o", "%D") != str(NODES):
            if time.monotonic() > end:
                logs = "\n".join(file.read_text()[-2000:] for file in self.folder.glob("*.log"))
                raise RuntimeError(f"the nodes did not come up\n{logs}")
            time.sleep(0.2)

    def _start_node(self, name: str) -> None:
        self._nodes[name] = self._start("slurmd", "-D", "-N", name, "-f", str(self.conf))

    @contextmanager
    def lost(self, node: str, worker: int) -> Iterator[None]:
        """Lose a node inside the block, with the worker that is at work on it, as by a power cut."""
        status = Path(f"/proc/{worker}/status").read_text()
        (parent,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))
        for number in (self._nodes[node].pid, parent, worker):  # the daemon, what it has started for the job, the job
            os.kill(number, signal.SIGKILL)
        self._nodes[node].wait()
        self.ask("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=lost")  # as after SlurmdTimeout
        try:
            yield
        finally:
            self.clear()
            self._start_node(node)
            self.ask("scontrol", "update", f"NodeName={node}", "State=RESUME")
            self._wait_for_nodes()

    @contextmanager
    def drained(self, nodes: str) -> Iterator[None]:
        """Give nodes no further jobs inside the block, as for their maintenance."""
        self.ask("scontrol", "update", f"NodeName={nodes}", "State=DRAIN", "Reason=maintenance")
        try:
            yield
        finally:
            self.ask("scontrol", "update", f"NodeName={nodes}", "State=RESUME")

    def node_of(self, job: str) -> str:
        """Return the node of a job that is at work or has ended."""
        return self.ask("squeue", "-h", "--states=all", "-j", job, "-o", "%N")

    def _start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.out").open("ab") as out:
            program = _which(name)
            assert program is not None
            process = subprocess.Popen([program, *options], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       env=self.environment(), start_new_session=True)  # fmt: skip
        self._processes.append(process)
        return process

    def environment(self) -> dict[str, str]:
        """Return the environment of a user of it."""
        return {**os.environ, "SLURM_CONF": str(self.conf)}

    def ask(self, *command: str, script: str = "") -> str:
        """Run a program of Slurm, and return what it prints."""
        done = subprocess.run(
            command, input=script, capture_output=True, text=True, check=False, env=self.environment(), timeout=60
        )
        return done.stdout.strip()

    def end_of_time(self, job: str, seconds: int) -> None:
        """Let the time of a job be up in some seconds; Slurm looks every half minute."""
        self.ask("scontrol", "update", f"JobId={job}", f"EndTime=now+{seconds}seconds")

    def living(self) -> set[int]:
        """Return the jobs that are not over."""
        return {int(number) for number in self.ask("squeue", "-h", "-o", "%A").split()}

    def jobs(self) -> dict[int, str]:
        """Return the states of all jobs that there were, by number."""
        lines = self.ask("squeue", "-h", "-t", "all", "-o", "%A %T").splitlines()
        return {int(number): state for number, _, state in (line.partition(" ") for line in lines)}

    def clear(self) -> None:
        """End its jobs, and wait until they have: what has started one outlives Slurm otherwise."""
        with suppress(subprocess.TimeoutExpired, OSError):
            end = time.monotonic() + 20
            while (numbers := [str(number) for number in self.living()]) and time.monotonic() < end:
                self.ask("scancel", "--signal=KILL", "--full", *numbers)
                self.ask("scancel", *numbers)
                time.sleep(0.2)

    def stop(self) -> None:
        """End its jobs, and then itself."""
        self.clear()
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def running_slurm() -> Iterator[SlurmCluster]:
    """Give a Slurm of two nodes, two cores each."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # the path of a socket is short
    cluster = SlurmCluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
