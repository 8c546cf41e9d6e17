"""TensorBoard: event files, read back with its own reader."""

from __future__ import annotations

import io
import struct
from pathlib import Path

from followed_suite import PRETRAINED, PROBED, needs, once_each
from PIL import Image

pytestmark = needs("tensorboard", "tensorboard")


def _runs(folder: Path) -> dict:
    """Return what the folders of a suite hold, by the first word of their names."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for run in folder.iterdir():
        found[run.name.partition("-")[0]] = accumulated = EventAccumulator(str(run), size_guidance={"tensors": 0})
        accumulated.Reload()
    return found


def _settings(run) -> tuple[dict, int]:
    """Return the settings of HPARAMS, and the status that the session has ended with."""
    from tensorboard.plugins.hparams import metadata

    def content(tag):
        return run.SummaryMetadata(tag).plugin_data.content

    begun = metadata.parse_session_start_info_plugin_data(content(metadata.SESSION_START_INFO_TAG))
    ended = metadata.parse_session_end_info_plugin_data(content(metadata.SESSION_END_INFO_TAG))
    values = {name: getattr(value, value.WhichOneof("kind")) for name, value in begun.hparams.items()}
    return values, ended.status


def _records(data: bytes) -> list[bytes]:
    """Return the events of a file: each has its length before it, and checksums."""
    found = []
    while data:
        end = struct.unpack_from("<Q", data)[0] + 16
        found.append(data[:end])
        data = data[end:]
    return found


def _losses(run) -> list[int]:
    return [event.step for event in run.Scalars("epoch/loss")]


def test_it_holds_the_run(follow, tmp_path):
    from tensorboard.plugins.hparams.api_pb2 import STATUS_SUCCESS

    follow({"name": "tensorboard", "folder": str(tmp_path / "logs")}, store=tmp_path / "store")
    runs = _runs(tmp_path / "logs" / "followed")
    assert runs.keys() == {"pretrain", "table", "leaderboard"}

    pretrained = runs["pretrain"]
    assert once_each(_losses(pretrained), 6)
    assert {"epoch/val_top1", "epoch/images_per_second", "result/loss"} <= set(pretrained.Tags()["scalars"])
    settings, status = _settings(pretrained)
    assert (settings["title"], settings["arms"], settings["recipe"]) == (PRETRAINED, "frozen | probed", "nat")
    assert (settings["batch_size"], settings["method.temperature"], settings["seed"]) == (20, 0.07, 0)
    assert status == STATUS_SUCCESS
    (picture,) = pretrained.Images("views")
    assert Image.open(io.BytesIO(picture.encoded_image_string)).size == (picture.width, picture.height)

    probed, _ = _settings(runs["table"])
    assert (probed["title"], probed["labels"], probed["evaluator.name"]) == (PROBED, "40", "linear_probe")
    (accuracy,) = runs["table"].Scalars("result/accuracy")
    (text,) = runs["leaderboard"].Tensors("leaderboard")[0].tensor_proto.string_val
    (row,) = [line for line in text.decode().splitlines() if "| accuracy |" in line]
    assert f"| {accuracy.value:.4g} |" in row
    assert "frozen \\| probed" in row


def test_a_run_that_is_stopped_goes_on_in_the_same_folder(follow, tmp_path):
    watcher = {"name": "tensorboard", "folder": str(tmp_path / "logs")}
    follow(watcher, store=tmp_path / "store", stop=2)
    (begun,) = (tmp_path / "logs" / "followed").iterdir()
    (file,) = begun.iterdir()
    version, _, *others = _records(file.read_bytes())  # as if it had been killed before the settings were written
    file.write_bytes(b"".join([version, *others, version[:20]]))  # and in the midst of an event
    follow(watcher, store=tmp_path / "store")
    runs = _runs(tmp_path / "logs" / "followed")
    assert once_each(_losses(runs["pretrain"]), 6)
    assert len(runs["pretrain"].Images("views")) == 1
    assert len(list(begun.iterdir())) == 2
    settings, _ = _settings(runs["pretrain"])
    assert (settings["title"], settings["batch_size"]) == (PRETRAINED, 20)

    follow(watcher, store=tmp_path / "another")  # the same stages, computed again: they are logged
    again = _runs(tmp_path / "logs" / "followed")
    assert once_each(_losses(again["pretrain"]), 6)
    assert len(again["table"].Scalars("result/accuracy")) == 1
