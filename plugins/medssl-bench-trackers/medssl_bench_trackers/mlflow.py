"""MLflow: a run for each stage, in an experiment for each suite."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench_trackers.content import BOARD, CURVE, Ending, Numbers, names_of, settings_of
from medssl_bench_trackers.tracker import Artefacts, Known, Place, Tracker, require_package

if TYPE_CHECKING:
    from medssl_bench.plugin.watching import StageInfo

_KEY, _STATUS = "medssl_bench.key", "medssl_bench.status"
_VIEWS = "medssl_bench.views"
_STATUSES = {"done": "FINISHED", "failed": "FAILED", "blocked": "FAILED", "stopped": "KILLED"}
_MOST_PARAMETERS = 100
"""Parameters that a server takes at a time."""

_LONGEST = 5000
"""Characters of a text that a server takes."""

_QUIET = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # a run does not wait for minutes for a server that is gone
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@dataclass(frozen=True, kw_only=True)
class MLflow:
    """Logs a run to an MLflow server: settings, curves, results, pictures of views, the leaderboard, records.

    Args:
        uri: address of the server; by default `MLFLOW_TRACKING_URI`, or that of `mlflow server` on this machine. User
            and password are read from `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
        experiment: name of the experiment; by default that of the suite.
        views: whether pictures of views are logged.
        artefacts: which files of finished stages are logged: `none`, `records` (what was measured and how it was made),
            or `all` (weights and predictions too).
    """

    uri: str | None = None
    experiment: str | None = None
    views: bool = True
    artefacts: Artefacts = "records"

    def build(self) -> Tracker:
        """Make the watcher."""
        require_package("mlflow", "mlflow")
        uri = self.uri or os.environ.get("MLFLOW_TRACKING_URI") or "http://127.0.0.1:5000"
        return Tracker("mlflow", _Server(uri, self.experiment), views=self.views, artefacts=self.artefacts)


class _Server(Place):
    def __init__(self, uri: str, experiment: str | None) -> None:
        self._uri, self._name = uri, experiment
        self._runs: dict[str, str] = {}

    def begin_run(self, suite: str) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient(tracking_uri=self._uri)
        name = self._name or suite
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found else self._client.create_experiment(name)

    def open(self, stage: StageInfo) -> Known:
        tags = names_of(stage)
        run = self._run(stage.key, tags["title"])
        number = run.info.run_id
        told = run.data.tags
        if told.get(_STATUS) == "done":
            return Known(done=True)
        known = Known(self._epochs(run), views=_VIEWS in told)
        self._client.update_run(number, status="RUNNING")
        settings = settings_of(stage)  # a process that was killed may have sent a part
        self._parameters(number, {name: value for name, value in settings.items() if name not in run.data.params})
        self._runs[stage.key] = number
        self._log(stage.key, {}, 0, tags)
        return known

    def curves(self, stage: StageInfo, numbers: Numbers) -> None:
        self._log(stage.key, numbers.values, numbers.epoch, {})

    def picture(self, stage: StageInfo, png: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "views.png")
            file.write_bytes(png)
            self._client.log_artifact(self._runs[stage.key], str(file))
        self._client.set_tag(self._runs[stage.key], _VIEWS, "views.png")

    def files(self, stage: StageInfo, files: list[Path]) -> None:
        for file in files:
            self._client.log_artifact(self._runs[stage.key], str(file))

    def close(self, stage: StageInfo, ending: Ending) -> None:
        run = self._runs[stage.key]
        self._log(stage.key, ending.results, 0, {**ending.notes, _STATUS: ending.status})
        self._client.set_terminated(run, _STATUSES[ending.status])
        del self._runs[stage.key]

    def board(self, frame: Any) -> None:
        run = self._run(BOARD, BOARD)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"{BOARD}.csv")
            frame.to_csv(file, index=False)
            self._client.log_artifact(run.info.run_id, str(file))
        self._client.set_terminated(run.info.run_id)

    def end_run(self) -> None:
        self._runs.clear()

    def _run(self, key: str, title: str) -> Any:
        """Return the run of a key, which is made if there is none."""
        found = self._client.search_runs([self._experiment], f"tags.`{_KEY}` = '{key}'", max_results=1)
        return found[0] if found else self._client.create_run(self._experiment, tags={_KEY: key}, run_name=title)

    def _epochs(self, run: Any) -> set[int]:
        """Return the epochs of all curves of a run: a process that was killed may have left gaps."""
        curves = [name for name in run.data.metrics if name.startswith(CURVE)]
        points = [self._client.get_metric_history(run.info.run_id, name) for name in curves]
        return {point.step for curve in points for point in curve}

    def _parameters(self, run: str, settings: dict[str, Any]) -> None:
        from mlflow.entities import Param

        parameters = [Param(name, str(value)[:_LONGEST]) for name, value in settings.items()]
        for first in range(0, len(parameters), _MOST_PARAMETERS):
            self._client.log_batch(run, params=parameters[first : first + _MOST_PARAMETERS])

    def _log(self, key: str, values: Mapping[str, float], step: int, tags: Mapping[str, str]) -> None:
        """Log numbers and texts in one request."""
        from mlflow.entities import Metric, RunTag

        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, step) for name, value in values.items()]
        texts = [RunTag(name, text[:_LONGEST]) for name, text in tags.items()]
        self._client.log_batch(self._runs[key], metrics=metrics, tags=texts)
