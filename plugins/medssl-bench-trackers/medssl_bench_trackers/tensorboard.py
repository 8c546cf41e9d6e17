"""TensorBoard: a folder of event files for each stage."""

from __future__ import annotations

import io
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench_trackers.content import BOARD, CURVE, Ending, Numbers, file_name, names_of, settings_of
from medssl_bench_trackers.tracker import Artefacts, Known, Place, Tracker, require_package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.plugin.watching import StageInfo

_VIEWS = "views"
_COLUMNS = ("comparison", "dataset", "labels", "arm", "metric", "seed", "draw", "fold", "value", "mean", "std", "n")


@dataclass(frozen=True, kw_only=True)
class TensorBoard:
    """Logs a run for TensorBoard: curves, settings (HPARAMS), results, pictures of views, the leaderboard as a text.

    Args:
        folder: where event files go; `tensorboard --logdir FOLDER` shows it.
        views: whether pictures of views are logged.
    """

    folder: str = "tensorboard"
    views: bool = True

    def build(self) -> Tracker:
        """Make the watcher."""
        require_package("tensorboard", "tensorboard")
        artefacts: Artefacts = "none"  # TensorBoard has none
        return Tracker("tensorboard", _Folders(Path(self.folder)), views=self.views, artefacts=artefacts)


@dataclass
class _Written(Known):
    settings: bool = False


class _Folders(Place):
    def __init__(self, folder: Path) -> None:
        self._root = folder
        self._writers: dict[str, Any] = {}

    def begin_run(self, suite: str) -> None:
        self._folder = self._root / file_name(suite)

    def open(self, stage: StageInfo) -> Known:
        key = stage.key[:12]
        there = next(iter(sorted(self._folder.glob(f"*-{key}"))), None)
        folder = there or self._folder / f"{file_name(stage.title)}-{key}"
        known = _known(folder)
        if not known.done:
            self._writers[stage.key] = _writer(folder)
            if not known.settings:
                self._hyperparameters(stage)
        return known

    def curves(self, stage: StageInfo, numbers: Numbers) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in numbers.values.items()]
        self._write(stage.key, Summary(value=values), numbers.epoch)

    def picture(self, stage: StageInfo, png: bytes) -> None:
        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        with Image.open(io.BytesIO(png)) as image:
            width, height = image.size
        shown = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png)
        self._write(stage.key, Summary(value=[Summary.Value(tag=_VIEWS, image=shown)]), 0)

    def files(self, stage: StageInfo, files: list[Path]) -> None:
        raise NotImplementedError("TensorBoard has no files")

    def close(self, stage: StageInfo, ending: Ending) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        if ending.results:
            values = [Summary.Value(tag=tag, simple_value=value) for tag, value in ending.results.items()]
            self._write(stage.key, Summary(value=values), 0)
        for name, text in ending.notes.items():
            self._text(stage.key, name, text, 0)
        statuses = {"done": api_pb2.STATUS_SUCCESS, "stopped": api_pb2.STATUS_RUNNING}
        end = plugin_data_pb2.SessionEndInfo(
            status=statuses.get(ending.status, api_pb2.STATUS_FAILURE), end_time_secs=time.time()
        )
        about = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=end))
        value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=about, tensor=metadata.NULL_TENSOR)
        self._write(stage.key, Summary(value=[value]), 0)
        self._writers.pop(stage.key).close()

    def board(self, frame: Any) -> None:
        self._writers[BOARD] = _writer(self._folder / BOARD)
        self._text(BOARD, BOARD, _markdown(frame), int(time.time()))

    def end_run(self) -> None:
        while self._writers:
            self._writers.popitem()[1].close()

    def _hyperparameters(self, stage: StageInfo) -> None:
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        self._write(stage.key, hparams_pb({**settings_of(stage), **names_of(stage)}, trial_id=stage.key), 0)

    def _text(self, key: str, tag: str, text: str, step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
        from tensorboard.plugins.text.metadata import create_summary_metadata

        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode()], tensor_shape=shape)
        about = create_summary_metadata(display_name=tag, description="")
        self._write(key, Summary(value=[Summary.Value(tag=tag, metadata=about, tensor=tensor)]), step)

    def _write(self, key: str, summary: Any, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        writer = self._writers[key]
        writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
        writer.flush()  # what is not in the file is lost when this process is killed


def _writer(folder: Path) -> Any:
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    return EventFileWriter(str(folder))


def _known(folder: Path) -> _Written:
    """Return what the event files of a folder have; a last event that is cut off counts for nothing."""
    from tensorboard.plugins.hparams import api_pb2, metadata

    known = _Written()
    for event, value in _values(folder):
        if value.tag.startswith(CURVE):
            known.epochs.add(event.step)
        elif value.tag == _VIEWS:
            known.views = True
        elif value.tag == metadata.SESSION_START_INFO_TAG:
            known.settings = True
        elif value.tag == metadata.SESSION_END_INFO_TAG:
            content = metadata.parse_session_end_info_plugin_data(value.metadata.plugin_data.content)
            known.done = content.status == api_pb2.STATUS_SUCCESS
    return known


def _values(folder: Path) -> Iterator[tuple[Any, Any]]:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    for file in sorted(folder.glob("events.out.tfevents.*")):
        for event in LegacyEventFileLoader(str(file)).Load():
            for value in event.summary.value:
                yield event, value


def _markdown(frame: Any) -> str:
    """Return a table as TensorBoard's texts have it: what the values are of, and the values."""
    shown = frame[[name for name in _COLUMNS if name in frame]].dropna(axis="columns", how="all")
    rows = [list(shown.columns), ["---"] * len(shown.columns), *shown.astype(object).values.tolist()]
    return "\n".join("| " + " | ".join(_cell(value) for value in row) + " |" for row in rows)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return " ".join(str(value).replace("|", "\\|").split())
