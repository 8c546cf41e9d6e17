"""Run a small suite on a disk that is too small for it, then on one that has room again.

What had been finished must stay as it was, nothing may be half written, and in the end there must be what a run with
enough room leaves, to the bit. Start it with

    python tests/endurance/fill_disk.py

It makes its small disks in memory (tmpfs), in a namespace of its own where that is allowed, and ends with status 77
where it is not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

from small_suite import traces, write_suite

import medssl_bench

NOT_ALLOWED = 77
"""Exit status where no disk can be made."""


def live(suite: Path, store: Path, *, retry: bool = False) -> list[str]:
    """Run the suite, and return how its stages ended."""
    torch.set_num_threads(1)
    executor = {"name": "local", "checkpoint_seconds": 0.2}
    try:
        result = medssl_bench.run(
            suite, store=store, data_dir=suite.parent, device="cpu", executor=executor, retry_failed=retry
        )
    except medssl_bench.errors.UserError as error:
        return [f"refused: {error}"]
    return [f"{outcome.status} {outcome.reason}".strip() for outcome in result.outcomes]


def main(folder: Path, epochs: int, shares: list[float]) -> int:
    """Fill disks of several sizes, say how it went, and return the exit status."""
    suite = write_suite(folder, epochs)
    live(suite, folder / "roomy")
    wanted = traces(suite, folder / "roomy")
    needed = sum(file.stat().st_size for file in (folder / "roomy").rglob("*") if file.is_file())
    holds = True
    for share in shares:
        disk = folder / "disk"
        disk.mkdir(exist_ok=True)
        size = int(needed * share) + 16_384
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=True)
        ended = live(suite, disk / "store")
        before = traces(suite, disk / "store") if (disk / "store" / "store.json").exists() else {"leaderboard": ""}
        kept = {key: found for key, found in before.items() if key != "leaderboard"}
        whole = all(wanted.get(key) == found for key, found in kept.items())
        subprocess.run(["mount", "-o", "remount,size=1g", str(disk)], check=True)
        live(suite, disk / "store", retry=True)
        equal = traces(suite, disk / "store") == wanted
        said = sum("No space left on device" in text for text in ended)
        print(
            f"room for {share:.0%}: {len(kept)} stages finished, all whole: {whole}; {said} said that there was no "
            f"space; with room again, and --retry-failed, equal to the bit: {equal}"
        )
        holds = holds and whole and equal and said > 0
        subprocess.run(["umount", str(disk)], check=True)
    return 0 if holds else 1


def in_namespace() -> int:
    """Start this script again where it may mount."""
    unshare = shutil.which("unshare")
    command = [unshare or "", "--user", "--map-root-user", "--mount", sys.executable, *sys.argv, "--inside"]
    if os.geteuid() == 0:
        command.remove("--user")
        command.remove("--map-root-user")
    probe = [*command[: command.index("--mount") + 1], "true"]
    if unshare is None or subprocess.run(probe, check=False, capture_output=True).returncode:
        print("no disk can be made here: this needs unshare(1), and the right to mount")
        return NOT_ALLOWED
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10, help="of each training")
    parser.add_argument(
        "--shares", type=float, nargs="+", default=[0.0, 0.2, 0.5, 0.8, 0.95], help="sizes of disks, of what is needed"
    )
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if not chosen.inside:
        sys.exit(in_namespace())
    with tempfile.TemporaryDirectory() as name:
        sys.exit(main(Path(name), chosen.epochs, chosen.shares))
