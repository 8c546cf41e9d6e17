from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from medssl_bench.datasets.download import RemoteFile, fetch, is_present
from medssl_bench.errors import DataError

CONTENT = random.Random(1).randbytes(400_000)
MD5 = hashlib.md5(CONTENT).hexdigest()

FETCH = """
import sys
from pathlib import Path
from medssl_bench.datasets import DatasetContext
from medssl_bench.datasets.download import RemoteFile, fetch
url, md5, folder = sys.argv[1:]
context = DatasetContext(Path(folder, "data"), Path(folder, "cache"))
print(fetch(RemoteFile("set.npz", url, md5), context).stat().st_size)
"""


@pytest.fixture
def file(server):
    server.files["set.npz"] = CONTENT
    return RemoteFile("set.npz", f"{server.url}/set.npz", MD5)


def _process(file, folder):
    arguments = [sys.executable, "-c", FETCH, file.url, file.md5, str(folder)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_downloads_once(file, server, context):
    assert not is_present(file, context)

    path = fetch(file, context)
    again = fetch(file, context)

    assert path == again == context.data_dir / "set.npz"
    assert path.read_bytes() == CONTENT
    assert is_present(file, context)
    assert len(server.requests) == 1
    assert not path.with_name("set.npz.part").exists()


def test_reports_bytes_to_the_caller_instead_of_showing_them(file, context, capsys):
    reports = []

    fetch(file, context, lambda done, total: reports.append((done, total)))

    assert reports[-1] == (400_000, 400_000)
    assert capsys.readouterr().err == ""


def test_says_on_stderr_what_is_downloaded(file, context, capsys):
    fetch(file, context)

    assert capsys.readouterr().err == "downloading set.npz\n"


def test_a_file_put_there_by_hand_is_taken_and_read_only_once(file, server, context, monkeypatch):
    context.data_dir.mkdir()
    (context.data_dir / "set.npz").write_bytes(CONTENT)

    fetch(file, context)
    monkeypatch.setattr(hashlib, "file_digest", None)  # hashing again would fail
    fetch(file, context)

    assert server.requests == []


def test_a_file_of_other_content_is_refused_and_kept(file, server, context):
    context.data_dir.mkdir()
    path = context.data_dir / "set.npz"
    path.write_bytes(b"something else")

    with pytest.raises(DataError) as caught:
        fetch(file, context)

    found = hashlib.md5(b"something else").hexdigest()
    assert str(caught.value).startswith(f"{path}: its MD5 is {found}, the published file's is {MD5}; delete it")
    assert path.read_bytes() == b"something else"
    assert server.requests == []


def test_a_file_that_changes_after_its_check_is_checked_again(file, context):
    path = fetch(file, context)
    path.write_bytes(CONTENT[:-1] + b"?")
    os.utime(path, ns=(0, 0))

    with pytest.raises(DataError, match="its MD5 is"):
        fetch(file, context)


def test_a_mirror_replaces_the_server(file, server, context):
    elsewhere = replace(file, url="https://server.invalid/records/1/set.npz?download=1")
    server.files = {"mirror/set.npz": CONTENT}

    fetch(elsewhere, replace(context, mirror=f"{server.url}/mirror/"))

    assert server.requests == [("/mirror/set.npz", None)]


def test_an_insecure_mirror_is_refused(file, context):
    with pytest.raises(DataError, match="not an https address"):
        fetch(file, replace(context, mirror="http://mirror.invalid"))


def test_wrong_content_is_deleted_and_said_so(file, server, context):
    server.files["set.npz"] = b"an error page"

    with pytest.raises(DataError) as caught:
        fetch(file, context)

    assert "sent another file than the published set.npz" in str(caught.value)
    assert "it was deleted" in str(caught.value)
    assert sorted(path.name for path in context.data_dir.iterdir()) == [".set.npz.lock"]


def test_after_wrong_content_the_next_try_starts_anew(file, server, context):
    server.files["set.npz"] = b"an error page"
    with pytest.raises(DataError):
        fetch(file, context)
    server.files["set.npz"] = CONTENT

    assert fetch(file, context).read_bytes() == CONTENT


def _one_line(error, file, context):
    text = str(error)
    return "\n" not in text and all(part in text for part in (file.url, file.name, file.md5, str(context.data_dir)))


def test_a_missing_file_says_what_to_do_by_hand(file, server, context):
    server.files.clear()

    with pytest.raises(DataError, match="HTTP Error 404") as caught:
        fetch(file, context)

    assert _one_line(caught.value, file, context)


def test_an_unreachable_mirror_names_the_mirror_and_the_official_address(file, context):
    mirror = "https://mirror.invalid"

    with pytest.raises(DataError, match=mirror) as caught:
        fetch(file, replace(context, mirror=mirror))

    assert _one_line(caught.value, file, context)


def test_no_server_says_what_to_do_by_hand(file, context):
    nowhere = replace(file, url="http://127.0.0.1:9/set.npz")

    with pytest.raises(DataError, match="Connection refused") as caught:
        fetch(nowhere, context)

    assert _one_line(caught.value, nowhere, context)


def test_a_data_folder_that_is_a_file(file, context):
    context.data_dir.write_text("")

    with pytest.raises(DataError, match="put it into"):
        fetch(file, context)


def test_a_cache_that_cannot_be_written_does_no_harm(file, context):
    context.cache_dir.write_text("")

    assert fetch(file, context).read_bytes() == CONTENT


def test_a_killed_process_leaves_a_part_that_the_next_one_continues(file, server, tmp_path):
    server.bytes_per_second = 200_000
    part = tmp_path / "data" / "set.npz.part"
    process = _process(file, tmp_path)
    while not (part.exists() and part.stat().st_size > 50_000):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    begun = part.stat().st_size
    server.bytes_per_second = float("inf")

    output, errors = _process(file, tmp_path).communicate()

    assert (output.strip(), begun < 400_000) == ("400000", True), errors
    assert server.requests == [("/set.npz", None), ("/set.npz", f"bytes={begun}-")]


def test_processes_at_the_same_time_download_once(file, server, tmp_path):
    server.bytes_per_second = 400_000

    processes = [_process(file, tmp_path) for _ in range(3)]
    outputs = [process.communicate() for process in processes]

    assert [output.strip() for output, _ in outputs] == ["400000"] * 3, outputs
    assert len(server.requests) == 1
