from __future__ import annotations

import random
import socket
from urllib.error import HTTPError, URLError

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medssl_bench.datasets.resume import resume
from medssl_bench.errors import DataError

CONTENT = random.Random(0).randbytes(300_000)


@pytest.fixture
def download(server, tmp_path):
    server.files["file"] = CONTENT
    part = tmp_path / "file.part"

    def run() -> list[tuple[int, int | None]]:
        reports: list[tuple[int, int | None]] = []
        resume(f"{server.url}/file", part, lambda done, total: reports.append((done, total)))
        return reports

    run.part = part
    return run


def test_downloads_and_reports(download, server):
    reports = download()

    assert download.part.read_bytes() == CONTENT
    assert reports[-1] == (300_000, 300_000)
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)
    assert server.requests == [("/file", None)]


def test_continues_an_earlier_part(download, server):
    download.part.write_bytes(CONTENT[:123_456])

    reports = download()

    assert download.part.read_bytes() == CONTENT
    assert server.requests == [("/file", "bytes=123456-")]
    assert reports[0][0] > 123_456
    assert reports[-1] == (300_000, 300_000)


def test_takes_up_broken_connections(download, server):
    server.cut_at = [100_000, 200_000]

    download()

    assert download.part.read_bytes() == CONTENT
    assert [wanted for _, wanted in server.requests] == [None, "bytes=100000-", "bytes=200000-"]


def test_gives_up_when_a_try_brings_nothing(download, server):
    server.cut_at = [100_000, 100_000, 300_000]

    with pytest.raises(OSError, match="broke off after 100,000 of 300,000 bytes"):
        download()

    assert len(server.requests) == 2
    assert download.part.read_bytes() == CONTENT[:100_000]


def test_starts_anew_where_the_server_knows_no_ranges(download, server):
    server.ranges = False
    download.part.write_bytes(b"x" * 1000)

    download()

    assert download.part.read_bytes() == CONTENT


def test_a_server_without_ranges_that_always_breaks_off_is_given_up(download, server):
    server.ranges = False
    server.cut_at = [100_000] * 10

    with pytest.raises(OSError, match="broke off"):
        download()

    assert len(server.requests) == 2


def test_a_whole_part_is_left_as_it_is(download, server):
    download.part.write_bytes(CONTENT)

    download()

    assert download.part.read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_a_part_longer_than_the_file_is_thrown_away(download):
    download.part.write_bytes(CONTENT + b"more")

    download()

    assert download.part.read_bytes() == CONTENT


def test_an_empty_file(download, server):
    server.files["file"] = b""

    download()

    assert download.part.read_bytes() == b""


def test_not_found(download, server):
    server.files.clear()

    with pytest.raises(HTTPError, match="404"):
        download()

    assert len(server.requests) == 1
    assert not download.part.exists()


def test_no_server(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(URLError, match="refused"):
        resume(f"http://127.0.0.1:{port}/file", tmp_path / "part", lambda _done, _total: None)


def test_a_proxy_is_not_asked_for_this_machine(download, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    download()

    assert download.part.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "url", ["http://example.org/f", "ftp://127.0.0.1/f", "file:///etc/hostname", "f", "https://[::1"]
)
def test_insecure_addresses_are_refused(url, tmp_path):
    with pytest.raises(DataError, match="is not an"):
        resume(url, tmp_path / "part", lambda _done, _total: None)


def test_an_insecure_redirection_is_refused(download, server):
    server.redirect_to = "http://example.org/file"

    with pytest.raises(DataError, match=r"http://example\.org/file"):
        download()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    begun=st.integers(0, len(CONTENT)),
    steps=st.lists(st.integers(1, 150_000), max_size=4),
    ranges=st.booleans(),
)
def test_wherever_connections_break_the_result_is_the_file(download, server, begun, steps, ranges):
    """Each of the tries gets further than the one before; the last one gets all."""
    server.ranges = ranges
    start = begun if ranges else 0
    server.cut_at = [min(start + sum(steps[: index + 1]), len(CONTENT)) for index in range(len(steps))]
    download.part.write_bytes(CONTENT[:begun] if ranges else b"")

    download()

    assert download.part.read_bytes() == CONTENT
