"""`make_plan`: what a run would do, by kind and by arm, before and after it was done."""

from __future__ import annotations

from pathlib import Path

from test_markup import Reader

from medssl_bench import RunPlan, Suite, make_plan, run

SUITE = {
    "schema": 1,
    "name": "planned <suite>",
    "seeds": [0, 1],
    "floors": ["majority"],
    "dataset": {"cells": {"name": "phantom_cells", "train": 32, "val": 16, "test": 16}},
    "encoder": {"small": {"name": "timm", "model": "test_resnet"}},
    "comparison": [
        {
            "id": "table",
            "title": "A & B",
            "datasets": ["cells"],
            "labels": [16],
            "encoder": "small",
            "arm": [
                {"name": "probe", "evaluator": "logistic"},
                {"name": "nearest", "evaluator": {"name": "knn", "k": 3}},
            ],
        }
    ],
}


def _plan(folder: Path, **arguments: object) -> RunPlan:
    suite = Suite.from_dict(SUITE)
    return make_plan(suite, store=folder / "store", data_dir=folder, **arguments)  # type: ignore[arg-type]


def test_it_says_what_a_run_then_does(tmp_path: Path) -> None:
    before = _plan(tmp_path)
    assert not (tmp_path / "store").exists(), "nothing is written"
    assert before.kinds == {"embed": 2, "evaluate": 5}
    assert before.seconds > 0
    assert repr(before).startswith("<RunPlan of 'planned <suite>': 7 of 7 stages to run, about ")
    frame = before.to_frame()
    assert list(frame["status"]) == ["to run"] * 7
    read = Reader(before._repr_html_())
    assert read.texts[1] == ("b", "planned <suite>: 6 trials, 7 stages (2 embed, 5 evaluate)")
    assert read.of("th")[:6] == ["arm", "results", "to do", "done", "shared", "images"]
    assert read.of("td")[:3] == ["1", "1", "0"]

    result = run(Suite.from_dict(SUITE), store=tmp_path / "store", data_dir=tmp_path, device="cpu", progress=False)
    assert [outcome.stage.key for outcome in result.done] == list(frame["key"]), "these stages, in this order"
    after = _plan(tmp_path)
    assert (after.kinds, after.seconds, after.basis) == ({}, 0.0, "")
    assert repr(after) == "<RunPlan of 'planned <suite>': 0 of 7 stages to run, about 0.0 s>"
    assert list(after.to_frame()["status"]) == ["done"] * 7
    more = _plan(tmp_path, draws=[0, 5], only=["probe"])
    assert more.kinds == {"evaluate": 2}, "the features are there"
    assert [(arm.arm, len(arm.runs), arm.count("done")) for arm in more.arms] == [("probe", 2, 4)]
