"""MLflow: a real server on this machine, and none."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from followed_suite import PRETRAINED, PROBED, needs, once_each
from PIL import Image

from medssl_bench.errors import WatcherWarning

pytestmark = needs("mlflow", "mlflow")


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def _command() -> list[str] | None:
    """Return what starts `mlflow`, of an environment that has the server too: the client alone is mlflow-skinny."""
    if given := os.environ.get("MEDSSL_BENCH_MLFLOW"):
        return [given]
    return [sys.executable, "-m", "mlflow"] if find_spec("sqlalchemy") and find_spec("flask") else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = _command()
    if command is None:
        pytest.skip(
            "there is no MLflow server: pip install mlflow elsewhere, and MEDSSL_BENCH_MLFLOW=ENVIRONMENT/bin/mlflow"
        )
    folder, port = tmp_path_factory.mktemp("server"), _free_port()
    store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    command += ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *store]
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        quiet = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=quiet, start_new_session=True)
        try:
            end = time.monotonic() + 600
            while not _answers(address):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end, (folder / "log").read_text()
                time.sleep(0.2)
            yield address
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/health") as answer:
        return answer.status == 200
    return False


def _runs(client: Any, name: str) -> dict[str, Any]:
    experiment = client.get_experiment_by_name(name)
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


@pytest.mark.slow
def test_a_server_holds_the_run_and_goes_on_with_it(follow, server, tmp_path, monkeypatch):
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "120")  # on a busy machine
    client = MlflowClient(server)
    sent = MlflowClient.log_batch

    def send_a_part(self, run_id, metrics=(), params=(), tags=()):
        sent(self, run_id, [point for point in metrics if point.step != 1], params[:3], tags)

    with monkeypatch.context() as lost:
        lost.setattr(MlflowClient, "log_batch", send_a_part)  # as if it had been killed, and an epoch were lost
        follow("mlflow", store=tmp_path / "store", stop=3)
    stopped = _runs(client, "followed")[PRETRAINED]
    assert (stopped.info.status, len(stopped.data.params)) == ("KILLED", 3)

    follow("mlflow", store=tmp_path / "store")
    runs = _runs(client, "followed")
    assert runs.keys() == {PRETRAINED, PROBED, "leaderboard"}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    pretrained, probed = runs[PRETRAINED], runs[PROBED]
    assert pretrained.info.run_id == stopped.info.run_id
    losses = client.get_metric_history(pretrained.info.run_id, "epoch/loss")
    assert once_each(sorted(point.step for point in losses), 6)
    assert (pretrained.data.tags["recipe"], pretrained.data.tags["arms"]) == ("nat", "frozen | probed")
    assert (pretrained.data.params["batch_size"], pretrained.data.params["method.temperature"]) == ("20", "0.07")
    names = {file.path for file in client.list_artifacts(pretrained.info.run_id)}
    assert names == {"history.json", "record.json", "views.png"}
    with Image.open(client.download_artifacts(pretrained.info.run_id, "views.png", str(tmp_path))) as image:
        assert image.width > 100
    record = json.loads(Path(client.download_artifacts(probed.info.run_id, "record.json", str(tmp_path))).read_text())
    assert probed.data.metrics["result/accuracy"] == record["metrics"]["accuracy"]
    board = client.download_artifacts(runs["leaderboard"].info.run_id, "leaderboard.csv", str(tmp_path))
    rows = list(csv.DictReader(Path(board).read_text("utf-8").splitlines()))
    assert [float(row["value"]) for row in rows if row["metric"] == "accuracy"] == [record["metrics"]["accuracy"]]

    follow({"name": "mlflow", "artefacts": "all"}, store=tmp_path / "another")  # the same stages: they are logged
    assert len(client.get_metric_history(pretrained.info.run_id, "epoch/loss")) == 6
    assert {file.path for file in client.list_artifacts(pretrained.info.run_id)} == names


def test_without_a_server_the_run_goes_on_after_one_line(follow, tmp_path):
    address = f"http://someone:secret@127.0.0.1:{_free_port()}"
    begun = time.monotonic()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        follow({"name": "mlflow", "uri": address}, store=tmp_path / "store")
    (line,) = [str(warning.message) for warning in told if issubclass(warning.category, WatcherWarning)]
    assert line.startswith("mlflow logs no more of this run: ")
    assert "secret" not in line
    assert "\n" not in line
    assert len(list((tmp_path / "store" / "done").rglob("record.json"))) == 3
    assert time.monotonic() - begun < 60
