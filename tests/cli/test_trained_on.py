"""Tables mark results of encoders that were trained on images of the same source."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import timm
from cli.conftest import Result

from medssl_bench.store.tensors import save_tensors

_SAID = "its encoder was trained on Clinic A, where images of squares come from; it may have seen test images"


def test_the_mark_is_everywhere_and_computes_nothing_again(cli: Callable[..., Result], tiny: Path) -> None:
    save_tensors(timm.create_model("test_resnet", num_classes=0).state_dict(), Path("public.safetensors"))
    text = tiny.read_text("utf-8").replace('path = "squares.npz"', 'path = "squares.npz"\ntitle = "Clinic A"')
    weights = 'model = "test_resnet"\nweights_file = "public.safetensors"\nnormalize = "half"'
    text = text.replace("draws = [0, 1]", "draws = [0]").replace('model = "test_resnet"', weights)
    tiny.write_text(text, "utf-8")
    first = cli("run", tiny)
    assert first.status == 0, first.err
    assert "its encoder was trained on" not in first.out
    tiny.with_name("untold.toml").write_text(text, "utf-8")
    told = 'model = "test_resnet"\ntrained_on = ["Clinic A", "ImageNet-1k"]'
    tiny.write_text(text.replace('model = "test_resnet"', told), "utf-8")
    assert "warning: " not in cli("validate", tiny.with_name("untold.toml")).out
    warned = f"warning: table: 'supervised', 'frozen': {_SAID}\n"
    assert warned in cli("validate", tiny).out
    planned = cli("plan", tiny).out
    assert warned in planned
    assert " 0 to run" in planned
    lines = [line for line in cli("leaderboard", tiny).out.replace("\n", " ").split(" results of ") if _SAID in line]
    marked = {line.split("'")[1] for line in lines}
    assert marked == {"frozen", "supervised"}, "and not the untrained encoder"
    data = cli("leaderboard", tiny, "--format", "json").out
    assert json.dumps({"trained_on_same_images": _SAID})[1:-1] in data
    assert _SAID in cli("leaderboard", tiny, "--format", "csv").out
    assert cli("report", tiny, "-o", "report").status == 0
    assert _SAID in next(Path("report").rglob("*.html")).read_text("utf-8")
