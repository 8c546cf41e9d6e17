"""Processes that are forked from a prepared one are as real ones are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prepared import processes

pytestmark = [
    pytest.mark.skipif(not processes.is_possible(), reason="needs Linux, and no GPU at hand"),
    pytest.mark.usefixtures("prepared_processes"),
]

TELL = """
import json, os, resource, signal, sys, threading, warnings
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "folder": os.getcwd(), "umask": os.umask(0), "parent": os.getppid(),
    "environment": sorted(os.environ.items()), "group": os.getpgrp() == os.getpid(),
    "session": os.getsid(0) == os.getpid(), "name": open("/proc/self/comm").read(),
    "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))[:-1], "threads": threading.active_count(),
    "tasks": len(os.listdir("/proc/self/task")), "main": sorted(n for n in vars() if not n.startswith("_")),
    "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "filters": list(map(str, warnings.filters)),
    "streams": [(s.name, s.encoding, s.errors, s.mode, s.line_buffering, s.write_through, s.newlines)
                for s in (sys.stdin, sys.stdout, sys.stderr)],
    "loaded": [name for name in ("torch", "numpy", "click", "pydantic", "matplotlib", "timm") if name in sys.modules],
    "read": sys.stdin.read(), "hidden": sys.flags.isolated, "recursion": sys.getrecursionlimit(),
    "limits": [resource.getrlimit(number) for number in range(10)],
}))
"""


def _both(*command: str, **options: object) -> tuple[subprocess.CompletedProcess[str], ...]:
    """Return how the same process ended, forked and real."""
    ended = []
    for start in (processes.Popen, processes.Real):
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": dict(os.environ), **options}
        with start([sys.executable, *command], text=True, **given) as p:
            out, err = p.communicate("given" if options.get("stdin") else None, timeout=60)
        ended.append(subprocess.CompletedProcess(command, p.returncode, out, err))
    return tuple(ended)


@pytest.mark.parametrize("words", [["-c", TELL, "a", "-b", ""], ["-P", "-c", TELL]])
@pytest.mark.parametrize(
    "options",
    [
        {"stdin": subprocess.PIPE},
        {"stdin": subprocess.DEVNULL, "process_group": 0, "umask": 0o077, "env": {**os.environ, "MEDSSL_X": "1"}},
        {"stdin": subprocess.DEVNULL, "start_new_session": True, "cwd": "/"},
    ],
    ids=["piped", "group", "session"],
)
def test_it_is_what_was_asked_for(words: list[str], options: dict[str, object]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    read, write = os.pipe()
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        forked, real = _both(*words, **options, pass_fds=[write])
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        signal.signal(signal.SIGHUP, before)
        os.close(read)
        os.close(write)
    assert forked.returncode == real.returncode == 0, forked.stderr
    assert json.loads(forked.stdout) == json.loads(real.stdout)


@pytest.mark.parametrize(
    "code",
    [
        "pass", "raise SystemExit(5)", "raise SystemExit('why')", "import os; os._exit(3)", "raise KeyboardInterrupt",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "import os; os.kill(os.getpid(), 15)",
        "import sys; sys.stdout.write('no line'); sys.stderr.write('é')", "import atexit; atexit.register(print, 1)",
        "import os; os.close(1)\nprint('x')", "import no_such_library", "import torch._no_such_module",
        "import threading, time; threading.Thread(target=lambda: (time.sleep(0.2), print('late'))).start()",
    ],
)  # fmt: skip
def test_it_ends_as_a_real_one(code: str) -> None:
    forked, real = _both("-c", code)
    assert (forked.returncode, forked.stdout) == (real.returncode, real.stdout)
    assert forked.stderr.splitlines()[-1:] == real.stderr.splitlines()[-1:]


def test_a_module_is_run_and_fails_as_a_real_one() -> None:
    for words in (["--version"], ["no-such-verb"], ["validate", "none.toml"]):
        forked, real = _both("-m", "medssl_bench", *words)
        assert (forked.returncode, forked.stdout, forked.stderr) == (real.returncode, real.stdout, real.stderr)


def test_libraries_come_when_they_are_imported_with_what_they_need_and_no_more() -> None:
    code = "import sys\nimport {0}\nprint(sorted({{'torch', 'timm', 'scipy', 'numpy', 'kornia'}} & sys.modules.keys()))"
    for library, wanted in (("numpy", ["numpy"]), ("sklearn", ["numpy", "scipy"]), ("torch", ["numpy", "torch"])):
        ended = subprocess.run([sys.executable, "-c", code.format(library)], capture_output=True, text=True, check=True)
        assert ended.stdout.strip() == str(wanted)


def test_each_has_random_numbers_of_its_own() -> None:
    code = "import random, numpy; print(random.random(), numpy.random.random())"
    command = [sys.executable, "-c", code]
    found = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(2)]
    assert not set(found[0]) & set(found[1])


def test_a_signal_that_comes_at_once_is_heard() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stderr=subprocess.DEVNULL)
        process.send_signal(number)
        assert process.wait(30) == -number


def test_commands_have_their_own_processes_forked_too(tmp_path: Path) -> None:
    """By a server that ends with them."""
    (tmp_path / "inner.py").write_text(
        "import os, subprocess, sys, time\n"
        "code = 'import os, sys; print(os.getppid()); sys.exit(9)'\n"
        "child = subprocess.Popen([sys.executable, '-c', code], stdout=-1)\n"
        "said = child.communicate()[0]\n"
        "print(int(said) == os.getpid(), child.returncode, type(child).__module__, os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-m", "inner"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"True 9 prepared.processes {process.pid}\n"
        (server,) = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
        assert processes.children(process.pid) == []
        process.kill()
    end = time.monotonic() + 20
    while Path(f"/proc/{server}/maps").exists() and Path(f"/proc/{server}/maps").read_bytes():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_other_programs_and_other_pythons_are_real() -> None:
    assert subprocess.run(["true"], check=True).returncode == 0
    code = "import sys; print('prepared.server' in sys.modules)"
    for words, environment in ((["-I"], {}), ([], {"PYTHONHASHSEED": "7"}), ([], {"OMP_NUM_THREADS": "3"})):
        done = subprocess.run(
            [sys.executable, *words, "-c", code],
            env={**os.environ, **environment}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout == "False\n"
