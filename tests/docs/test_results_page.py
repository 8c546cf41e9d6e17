"""The page on results names every field that is written, and no other."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from docs.pages import DOCS, ROOT, first_column, section

from medssl_bench.metrics.builtin import RECORDED
from medssl_bench.plan.kinds import kinds
from medssl_bench.results.judged import Judged
from medssl_bench.results.label_efficiency import LabelEfficiency
from medssl_bench.results.price import Price
from medssl_bench.store.record import Record

PAGE = DOCS / "reference" / "results.md"
TEXT = PAGE.read_text("utf-8")


def documented(heading):
    return set(first_column(section(TEXT, heading)))


def test_every_field_of_a_record():
    assert documented("## The record") == {field.name for field in fields(Record)}


def test_every_environment_variable():
    source = "".join(file.read_text("utf-8") for file in (ROOT / "medssl_bench").rglob("*.py"))
    others = {"HOME", "HF_HOME", "HF_HUB_OFFLINE"}  # of the system and of the hub's client
    assert documented("## Environment variables") - others == set(re.findall(r"MEDSSL_BENCH_[A-Z]+", source))


def test_the_page_and_every_field_that_its_run_leaves(reader, capsys):
    """Read the page, and then compare its tables with the store that this has filled."""
    reader(PAGE).read()
    records = [json.loads(file.read_text("utf-8")) for file in Path("store/done").rglob("record.json")]
    by_kind = {kind: [r for r in records if r["kind"] == kind] for kind in kinds()}
    assert all(by_kind.values()), "the page's suite has every kind of stage"
    for record in records:
        assert record["cost"].keys() == documented("### Cost")
        assert record["provenance"].keys() == documented("### Provenance")
    _check_metrics(by_kind)
    _check_files(by_kind)
    _check_leaderboard(reader, capsys)


def _check_metrics(by_kind):
    evaluate, pretrain, transfer = re.findall(r"\n\n(?:\|.*\n)+", section(TEXT, "### Metrics") + "\n")
    measured = set().union(*(r["metrics"] for r in by_kind["evaluate"]))
    assert measured | {"choices"} == set(first_column(evaluate)), "nothing of this suite is tuned"
    (record,) = by_kind["pretrain"]
    (row,) = [json.loads(f.read_text())[-1] for f in Path("store/done").rglob(f"{record['key']}/history.json")]
    assert record["metrics"].keys() - row.keys() == set(first_column(pretrain))
    (embed,) = {tuple(r["metrics"]) for r in by_kind["embed"]}
    assert embed == ("dim",)
    for record in by_kind["transfer"]:
        assert record["metrics"].keys() == set(first_column(transfer)) | set(RECORDED)
    for record in by_kind["corrupt"]:
        assert record["metrics"].keys() == {"severities", *RECORDED}
    for record in by_kind["analyse"]:
        assert all(f"`{name}`" in section(TEXT, "### Metrics") for name in record["metrics"])


def _check_files(by_kind):
    rows = {row.split("|")[1].strip(" `"): row for row in section(TEXT, "## The store").splitlines() if "|" in row}
    histories = {
        row.split("|")[1].strip(" `"): row for row in section(TEXT, "## history.json").splitlines() if "|" in row
    }
    for kind, records in by_kind.items():
        for record in records:
            assert all(f"`{name}`" in rows[kind] for name in record["files"]), record["files"]
            if "history.json" in record["files"]:
                (file,) = Path("store/done").rglob(f"{record['key']}/history.json")
                for name in json.loads(file.read_text())[-1]:
                    assert re.search(rf"`{name.removeprefix('val_') if kind == 'pretrain' else name}`", histories[kind])
    arrays: set[str] = set()
    evaluations = {record["key"] for record in by_kind["evaluate"]}
    for file in (file for key in evaluations for file in Path("store/done").rglob(f"{key}/predictions.npz")):
        with np.load(file) as loaded:
            arrays.update(loaded.files)
    assert arrays | {"group"} == documented("## predictions.npz"), "these images have no groups"


def _check_leaderboard(reader, capsys):
    here = reader(PAGE)
    here.command("medssl-bench leaderboard small.toml --format json > board.json", "the test")
    here.command("medssl-bench leaderboard small.toml --format csv > board.csv", "the test")
    here.command("medssl-bench plan small.toml --json > plan.json", "the test")
    assert {name for cell in json.loads(Path("board.json").read_text()) for name in cell} == documented(
        "## Leaderboard as JSON"
    )
    here.command("medssl-bench leaderboard small.toml --format answer > answer.json", "the test")
    answer = json.loads(Path("answer.json").read_text())
    (ranking,) = answer["rankings"]
    tables = re.findall(r"\n\n(?:\|.*\n)+", section(TEXT, "## What tables answer, as JSON") + "\n")
    of_rankings, of_prices, of_labels = tables
    assert set(ranking) == set(first_column(of_rankings))
    assert {field.name for field in fields(Price)} == set(first_column(of_prices))
    others, of_arms = map(first_column, re.findall(r"\n\n(?:\|.*\n)+", section(TEXT, "## Other images as JSON") + "\n"))
    assert {name for which in ("robustness", "transfers") for found in answer[which] for name in found} == set(others)
    (robust,) = answer["robustness"]
    for arm in robust["arms"]:
        judged = Judged().to_data(higher_is_better=True)
        told = {"arm", "labels", "n", "clean", "corrupted", "drop", "difference", *judged}
        assert arm.keys() - told == set(of_arms)
    assert {field.name for field in fields(LabelEfficiency)} == set(first_column(of_labels))
    with Path("board.csv").open(encoding="utf-8") as file:
        assert set(next(csv.reader(file))) == documented("## Leaderboard as CSV")
    plan = json.loads(Path("plan.json").read_text())
    assert plan.keys() == {"suite", "epochs_scale", "selected_by", "seen_before", "stages"}
    assert {name for stage in plan["stages"] for name in stage} == documented("## The plan as JSON")


@pytest.mark.parametrize("status", [0, 1, 2, 130])
def test_exit_statuses(status):
    assert f"| {status} |" in section(TEXT, "## Exit statuses")
