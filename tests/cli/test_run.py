"""The verbs that run a suite and show what it gave, for real, on a tiny one."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from cli.conftest import arrays_of, write_squares
from medmnist_metrics import get_acc, get_auc
from watched import checkpoints

from medssl_bench import Leaderboard, load_encoder, load_leaderboard
from medssl_bench.store.store import Store

DEADLY = """
  [[comparison.arm]]
  name = "deadly"
  evaluator = "deadly"
"""

DEADLY_PLUGIN = """\
from pathlib import Path

from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation, Evaluator


@hookimpl
def medssl_evaluators(register):
    register("deadly", Deadly)


class Deadly(Evaluator):
    \"\"\"Fails until a file is there.\"\"\"

    needs = "labels"

    def evaluate(self, trial):
        import numpy as np

        if not Path("fixed").exists():
            raise RuntimeError("not yet")
        shape = (len(trial.splits["test"]), len(trial.info.classes))
        return Evaluation(np.full(shape, 1 / shape[1], np.float32))
"""


def _board(cli, suite, *options):
    result = cli("leaderboard", suite, "--format", "json", *options)
    assert result.status == 0, result.err
    return json.loads(result.out)


def _cell(cells, **wanted):
    (found,) = [cell for cell in cells if all(cell[name] == value for name, value in wanted.items())]
    return found


def test_run_then_run_again(cli, tiny):
    first = cli("run", tiny)
    assert first.status == 0, first.err
    assert "Squares" in first.out
    assert "supervised (baseline)" in first.out
    assert "Ranking by accuracy" in first.out
    assert "[1/" in first.out, "plain lines where the output is no terminal"
    records = {path: path.stat().st_mtime_ns for path in Path("store").rglob("record.json")}

    start = time.perf_counter()
    again = cli("run", tiny)
    assert time.perf_counter() - start < 5
    assert again.status == 0
    assert "everything is done already" in again.out
    assert records == {path: path.stat().st_mtime_ns for path in Path("store").rglob("record.json")}


def test_the_leaderboard_is_what_the_predictions_say(cli, ran):
    """medmnist's own evaluator, on the kept predictions, gives the numbers of the leaderboard."""
    cells = _board(cli, ran)
    plan = json.loads(cli("plan", ran, "--json").out)
    (stage,) = [
        s for s in plan["stages"] if s["title"].startswith("table · squares · supervised · 20 labels · seed 0 · draw 1")
    ]
    kept = arrays_of(Path("store/done") / stage["key"][:2] / stage["key"] / "predictions.npz")
    for metric, measured in (
        ("accuracy", get_acc(kept["y_true"], kept["y_score"], "multi-class")),
        ("auroc", get_auc(kept["y_true"], kept["y_score"], "multi-class")),
    ):
        cell = _cell(cells, arm="supervised", labels="20", metric=metric)
        (value,) = [v["value"] for v in cell["values"] if (v["seed"], v["draw"]) == (0, 1)]
        assert value == pytest.approx(measured, abs=1e-9)
    assert len(kept["train_index"]) == 20
    assert len(kept["val_index"]) == 18


def test_cells_are_complete(cli, ran):
    cells = _board(cli, ran)
    arms = {"majority class", "untrained encoder", "supervised", "frozen"}
    assert {cell["arm"] for cell in cells} == arms
    assert len(cells) == len(arms) * 2 * 2
    few, everything = (_cell(cells, arm="frozen", labels=labels, metric="accuracy") for labels in ("20", "all"))
    assert few["n"] == 2
    assert few["std"] is not None
    assert everything["n"] == 1, "a draw of all labels is the same draw whatever its number"
    assert everything["std"] is None
    assert few["scaled"] is None
    assert _cell(cells, arm="supervised", labels="20", metric="auroc")["difference"] is None


def test_one_pretraining_serves_everything(cli, tiny):
    plan = json.loads(cli("plan", tiny, "--json").out)["stages"]
    assert [stage["kind"] for stage in plan].count("pretrain") == 1
    (pretrain,) = [stage for stage in plan if stage["kind"] == "pretrain"]
    (embed,) = [stage for stage in plan if stage["parents"] == [pretrain["key"]]]
    served = [stage for stage in plan if stage["parents"] == [embed["key"]]]
    assert len(served) == 4, "two draws of 20 labels, all labels, and the analysis"
    assert all(stage["estimate"] is not None for stage in plan)


def test_a_change_recomputes_only_what_builds_on_it(cli, ran):
    ran.write_text(ran.read_text().replace("epochs = 20 }", "epochs = 30 }"))
    plan = json.loads(cli("plan", ran, "--json").out)["stages"]
    waiting = [stage for stage in plan if stage["status"] != "done"]
    assert {stage["kind"] for stage in waiting} == {"evaluate"}
    assert all("epochs: 20 -> 30" in stage["why"] for stage in waiting)
    assert {re.split(" · ", stage["title"])[2] for stage in waiting} == {"frozen", "untrained encoder"}


def test_a_scaled_run_is_never_mistaken_for_a_full_one(cli, tiny):
    nothing = cli("leaderboard", tiny)
    assert nothing.err == f"note: store: there is no such folder; medssl-bench run {tiny} computes them\n"
    assert cli("run", tiny, "--epochs-scale", "0.5").status == 0
    assert not cli("leaderboard", tiny, "--epochs-scale", "0.5").err
    full = cli("export", tiny, "--arm", "frozen", "-o", "model").err
    assert "yet; run tiny.toml first; it has results of scaled-down runs: --epochs-scale 0.5\n" in full
    shown = cli("leaderboard", tiny)
    assert "SCALED" in shown.out
    assert "only results with --epochs-scale 0.5" in shown.err
    assert {cell["scaled"] for cell in _board(cli, tiny)} == {0.5}
    cli("run", tiny)
    cells = _board(cli, tiny)
    assert {cell["scaled"] for cell in cells} == {None}
    assert all(cell["n"] == cell["expected"] for cell in cells)
    assert "SCALED" not in cli("leaderboard", tiny).out


def test_a_failing_arm_takes_no_other_with_it(cli, tiny):
    text = tiny.read_text().replace('name = "tiny"', 'name = "tiny"\nplugins = ["views.py"]')
    tiny.write_text(re.sub("augmentation = .*", 'augmentation = "raises"', text))
    Path("views.py").write_text(
        "from torch import nn\n\nfrom medssl_bench import hookimpl\n\n\nclass Raises(nn.Module):\n"
        "    def forward(self, images):\n        raise LookupError('no views today')\n\n\n"
        "@hookimpl\ndef medssl_augmentations(register):\n    register('raises', lambda size: Raises())\n"
    )
    result = cli("run", tiny)
    assert result.status == 1
    assert "no views today" in result.err
    assert "Traceback" not in result.err + result.out
    cells = _board(cli, tiny)
    frozen = _cell(cells, arm="frozen", labels="20", metric="accuracy")
    assert (frozen["failed"], frozen["blocked"]) == (0, 2), "what it builds on has failed"
    assert _cell(cells, arm="supervised", labels="20", metric="accuracy")["n"] == 2
    assert "blocked" in cli("leaderboard", tiny).out
    assert any("no views today" in path.read_text() for path in Path("store/failed").rglob("traceback.txt"))


def test_only_selects(cli, tiny):
    cli("run", tiny, "--only", "supervised", "--draws", "1")
    cells = [cell for cell in _board(cli, tiny) if cell["n"]]
    assert {cell["arm"] for cell in cells} == {"supervised"}
    alone = cli("leaderboard", tiny, "--only", "supervised", "--draws", "1").out
    assert "supervised" in alone
    assert "Ranking" not in alone, "an arm alone is first of one"
    assert {value["draw"] for cell in cells for value in cell["values"] if cell["labels"] == "20"} == {1}
    wrong = cli("run", tiny, "--only", "supervized")
    assert wrong.status == 2
    assert "did you mean 'supervised'" in wrong.err


@pytest.mark.parametrize("name", ["progress", "medssl-bench run"])
def test_a_plugin_may_be_called_as_the_display_is(name, cli, ran):
    Path(f"{name}.py").write_text(
        "from medssl_bench import hookimpl\n\n@hookimpl\ndef medssl_run_ends(run, outcomes):\n    pass\n"
    )
    ran.write_text(ran.read_text().replace("seeds = [0]", f'seeds = [0]\nplugins = ["{name}.py"]'))
    result = cli("run", ran)
    assert result.status == 0, result.err
    assert "everything is done already" in result.out


def test_nothing_to_run_is_not_called_done(cli, tiny):
    tiny.write_text(tiny.read_text().replace('labels = [20, "all"]', 'labels = [{ count = 1000, short = "skip" }]'))
    result = cli("run", tiny)
    assert result.status == 0, result.err
    assert "nothing to run: every cell is left out, as its data set is too small" in result.out
    assert "done already" not in result.out


def test_only_needs_the_files_of_what_it_selects(cli, tiny):
    other = tiny.read_text().partition("[[comparison]]")[2].replace('"table"', '"other"').replace("squares", "circles")
    text = tiny.read_text() + f'\n[dataset.circles]\nname = "npz"\npath = "circles.npz"\n\n[[comparison]]{other}'
    tiny.write_text(text)
    assert "circles.path: there is no file" in cli("run", tiny).err
    result = cli("run", tiny, "--only", "table", "--only", "frozen", "--draws", "0")
    assert result.status == 0, result.err
    wrong = cli("run", tiny, "--only", "other")
    assert wrong.status == 2
    assert "circles.path: there is no file" in wrong.err


def test_two_sets_of_one_label_are_told_apart_before_anything_runs(cli, tiny):
    write_squares(Path("other.npz"), seed=1)
    text = tiny.read_text().replace('datasets = ["squares"]', 'datasets = [{ name = "npz", path = "squares.npz" }]')
    other = text.partition("[[comparison]]")[2].replace('"table"', '"other"')
    tiny.write_text(f"{text}\n[[comparison]]{other}")
    assert cli("validate", tiny).status == 0, "one set under one name"
    tiny.write_text(f"{text}\n[[comparison]]{other.replace('squares.npz', 'other.npz')}")
    result = cli("validate", tiny)
    assert result.status == 2
    (line,) = result.err.splitlines()
    assert "comparison[1].datasets[0]: 'npz' is another data set at comparison[0].datasets[0]; give each a" in line


def test_every_format(cli, ran):
    rows = list(csv.DictReader(io.StringIO(cli("leaderboard", ran, "--format", "csv").out)))
    assert {row["metric"] for row in rows} == {"accuracy", "auroc"}
    assert "| supervised (baseline) |" in cli("leaderboard", ran, "--format", "markdown").out
    assert r"\toprule" in cli("leaderboard", ran, "--format", "latex").out
    assert cli("leaderboard", ran, "-o", "board.txt").status == 0
    assert "Ranking by accuracy" in Path("board.txt").read_text(encoding="utf-8")
    assert cli("leaderboard", ran, "--format", "svg", "-o", "board.svg").status == 0
    assert Path("board.svg").read_text().startswith("<svg")


def test_export_loads_in_plain_timm(cli, ran):
    """The documented lines, run without this project, give the features that the harness gives."""
    assert cli("export", ran, "--arm", "frozen", "-o", "exported").status == 0
    card = json.loads(Path("exported/model.json").read_text())
    scope: dict = {}
    os.chdir("exported")
    exec(card["load"], scope)
    os.chdir("..")
    images = torch.rand(4, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(card[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    encoder = load_encoder(card["stage"][:10])
    with torch.no_grad():
        torch.testing.assert_close(scope["encoder"].eval()((images - mean) / std), encoder(images))
    again = cli("export", ran, "--arm", "frozen", "-o", "exported")
    assert again.status == 2
    assert "there already" in again.err


def test_embed_writes_the_features_the_probe_used(cli, ran):
    result = cli("embed", ran, "--arm", "supervised", "--labels", "20", "--draw", "1", "-o", "features.npz")
    assert result.status == 0, result.err
    found = arrays_of(Path("features.npz"))
    assert found["test_features"].shape == (30, found["train_features"].shape[1])
    head = _weights_of(cli, ran, "table · squares · supervised · 20 labels · seed 0 · draw 1")
    logits = found["test_features"] @ head["weight"].numpy().T + head["bias"].numpy()
    kept = arrays_of(head["folder"] / "predictions.npz")["y_score"]
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), kept, atol=1e-5)
    assert "yet; run" in cli("embed", ran, "--arm", "frozen", "--epochs-scale", "0.5", "-o", "x.npz").err


def _weights_of(cli, suite, title):
    from medssl_bench.store.tensors import load_tensors

    stages = json.loads(cli("plan", suite, "--json").out)["stages"]
    (key,) = [stage["key"] for stage in stages if stage["title"].startswith(title)]
    folder = Path("store/done") / key[:2] / key
    return {**load_tensors(folder / "head.safetensors"), "folder": folder}


def test_python_interface(tiny):
    from medssl_bench import Suite, run

    result = run(Suite.load(tiny), only=["supervised"])
    assert not result.failed
    assert isinstance(result.leaderboard, Leaderboard)
    assert load_leaderboard(tiny, only=["supervised"]).cells()[0].n
    assert run(tiny, only=["supervised"]).outcomes == []


def test_record_says_where_a_result_comes_from(cli, ran):
    records = [json.loads(path.read_text()) for path in Path("store/done").rglob("record.json")]
    (record,) = [record for record in records if record["kind"] == "pretrain"]
    assert record["provenance"]["versions"].keys() >= {"python", "torch", "timm", "kornia", "medssl-bench"}
    assert record["provenance"]["plugins"].keys() == {"augmentations", "datasets", "encoders", "methods", "training"}
    assert record["cost"]["images_seen"] == 2 * 48
    assert record["cost"]["wall_seconds"] > 0
    assert record["identity"]["seed"] == 0
    for name, about in record["files"].items():
        file = next(Path("store/done").rglob(f"{record['key']}/{name}"))
        assert file.stat().st_size == about["bytes"]


@pytest.mark.slow
def test_interrupt_keeps_what_is_done_and_says_how_to_go_on(cli, tiny):
    """Ctrl-C in the middle of a run, as a terminal would send it, and then the run again."""
    tiny.write_text(tiny.read_text().replace("epochs = 4 ", "epochs = 60 "))  # not over before the signal comes
    command = [sys.executable, "-m", "medssl_bench", "run", str(tiny), "--draws", "0"]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "[4/" in line:
                process.send_signal(signal.SIGINT)
                break
        _, err = process.communicate(timeout=60)
    assert process.returncode == 75
    assert "run the same command again to go on" in err
    assert "Traceback" not in err
    assert len(list(Path("store/done").rglob("record.json"))) >= 3
    assert all(folder.name == "free" for folder in Path("store/work").glob("*/*")), "nobody holds a stage"
    again = cli("run", tiny, "--draws", "0")
    assert again.status == 0, again.err
    assert re.search(r"[3-9] done already", again.out)


@pytest.mark.slow
@pytest.mark.parametrize(("executor", "asked"), [("isolated", signal.SIGTERM), ("local", signal.SIGHUP)])
def test_asked_to_stop_after_the_reader_of_its_output_has_ended(tiny, executor, asked):
    """As in ``run 2>&1 | tee log``: Ctrl-C ends tee, too."""
    tiny.write_text(tiny.read_text().replace("epochs = 2\n", "epochs = 400\n"))
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a job in the background inherits that it is ignored
    read, write = os.pipe()
    command = [sys.executable, "-m", "medssl_bench", "run", str(tiny), "--only", "frozen", "--executor", executor]
    often = ["--executor-set", "checkpoint_seconds=0.1"]
    with subprocess.Popen([*command, *often], stdout=write, stderr=write) as process:
        os.close(write)
        while not checkpoints(Path("store")):
            assert process.poll() is None
            time.sleep(0.01)
        os.close(read)
        process.send_signal(asked)
    assert process.returncode == 75
    assert len(list(Path("store/work").glob("*/free/checkpoint.txt"))) == 1
    assert list(Path("store/failed").iterdir()) == []


@pytest.mark.slow
def test_a_training_that_is_asked_to_stop_saves_a_checkpoint_and_goes_on_to_the_same_bits(cli, tiny):
    tiny.write_text(tiny.read_text().replace("epochs = 2\n", "epochs = 16\n"))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
    arguments = ["run", str(tiny), "--only", "frozen", "--draws", "0"]
    command = [sys.executable, "-m", "medssl_bench", *arguments, "--executor-set", "checkpoint_seconds=0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not checkpoints(Path("store")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 75
    assert "stopping at the next step, to save a checkpoint" in err
    assert "run the same command again to go on" in err
    assert "Traceback" not in err
    assert len(list(Path("store/work").glob("*/free/checkpoint.txt"))) == 1
    assert cli(*arguments).status == 0
    (record,) = [r for r in Store(Path("store")).records() if r.kind == "pretrain"]
    assert record.cost["resumed"] == 1
    assert not list(Path("store/work").iterdir())

    assert cli(*arguments, "--store", "whole").status == 0
    whole = Store(Path("whole")).record(record.key)
    assert whole.cost["resumed"] == 0
    assert (whole.files, whole.metrics) == (record.files, record.metrics)


def test_what_has_failed_is_tried_again_only_when_asked(cli, tiny):
    text = tiny.read_text().replace('name = "tiny"', 'name = "tiny"\nplugins = ["deadly.py"]')
    tiny.write_text(text + DEADLY)
    Path("deadly.py").write_text(DEADLY_PLUGIN)
    first = cli("run", tiny)
    assert first.status == 1
    assert "--retry-failed tries them again" in first.err
    counted = "results: 1 failed (1 stage failed)"
    assert counted in first.err
    for verb, *options in (["leaderboard"], ["report", "--no-figures"]):
        assert counted in cli(verb, tiny, *options).out, f"{verb} counts as run does"
    assert counted in Path("report/report.html").read_text("utf-8")
    plan = cli("plan", tiny)
    assert "failed, 0 blocked by them: run --retry-failed tries them again" in plan.out
    assert " 0 to run" in plan.out

    Path("fixed").touch()
    again = cli("run", tiny)
    assert again.status == 1, "it stays failed"
    assert "failed before" in again.out
    retried = cli("run", tiny, "--retry-failed")
    assert retried.status == 0, retried.err
    assert not list(Path("store/failed").iterdir())


def test_shuffled_labels_teach_nothing(cli, tiny):
    text = tiny.read_text().replace('labels = [20, "all"]', 'labels = ["all"]')
    tiny.write_text(text.replace('title = "Squares"', 'title = "Squares"\nshuffle_labels = true'))
    assert cli("run", tiny).status == 0
    cells = [cell for cell in _board(cli, tiny) if cell["metric"] == "accuracy"]
    assert cells
    assert all(cell["mean"] < 0.6 for cell in cells), "three even classes: chance is a third"
    assert "control: shuffled labels" in " ".join(cli("leaderboard", tiny).out.split())


def test_missing_data_is_told_before_anything_runs(cli, tiny):
    Path("squares.npz").unlink()
    result = cli("run", tiny)
    assert result.status == 2
    assert re.search(r"tiny\.toml:8: dataset\.squares\.path: there is no file", result.err)
    assert not Path("store").exists()
    plan = json.loads(cli("plan", tiny, "--json").out)["stages"]
    assert {stage["status"] for stage in plan} == {"pending"}


_UNCOUNTED = """
import dataclasses
import numpy as np
from medssl_bench import hookimpl
from medssl_bench.datasets import Dataset, DatasetInfo, Split, Task

@hookimpl
def medssl_datasets(register):
    register("uncounted", Uncounted)

class Uncounted(Dataset):
    "Data whose classes are counted only once it has been loaded, as that of MedMNIST."

    loaded = False

    def __init__(self, context):
        self.labels = np.repeat([0, 1], [30, 4])[:, None]

    def info(self):
        counts = (30, 4) if Uncounted.loaded else None
        sizes = dict.fromkeys(("train", "val", "test"), 34)
        return DatasetInfo("Uncounted", Task.BINARY, ("many", "few"), 3, 8, sizes, class_counts=counts)

    def fingerprint(self):
        return "always the same"

    def load(self):
        Uncounted.loaded = True
        return {name: Split(np.zeros((34, 8, 8, 3), np.uint8), self.labels) for name in ("train", "val", "test")}
"""


def test_data_is_counted_by_class_before_anything_is_trained_on_it(cli, tiny):
    Path("uncounted.py").write_text(_UNCOUNTED)
    text = tiny.read_text().replace("seeds = [0]", 'seeds = [0]\nplugins = ["uncounted.py"]')
    text = text.replace('["squares"]', '["uncounted"]').replace('[20, "all"]', "[{ per_class = 10 }]")
    tiny.write_text(text)
    result = cli("run", tiny)
    assert result.status == 2
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith("labels"))
    assert f"tiny.toml:{line}: comparison[0].labels[0]: Uncounted: class 'few' has 4 training images" in result.err
    assert not Path("store/done").exists()


def _without_durations(text: str) -> list[str]:
    """Return lines without times, which the log and the console take one after the other."""
    return re.sub(r"\b\d[\d.]* (s|min|h)\b", "T", text).splitlines()


def test_quiet_verbose_and_a_log(cli, tiny):
    part = ("--only", "frozen", "--draws", "0", "--executor", "local")
    named = tiny.with_name("my [own].toml")
    named.write_text(tiny.read_text("utf-8"), "utf-8")
    verbose = cli("run", named, *part, "--verbose", "--log", "run.log")
    assert verbose.status == 0, verbose.err
    assert "    epoch 1 of 2  loss " in verbose.out
    assert "    epoch 2 of 2  loss " in verbose.out
    report = f"medssl-bench report {shlex.quote(str(named))} --only frozen --draws 0"
    assert verbose.out.splitlines()[-1] == f"figures, statistics and one page to send: {report}"
    lines = Path("run.log").read_text("utf-8").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ ", line) for line in lines)
    logged, printed = _without_durations("\n".join(line[21:] for line in lines)), _without_durations(verbose.out)
    assert logged == printed[: len(logged)]
    again = cli("run", tiny, *part, "-q", "--log", "run.log")
    assert again.status == 0
    quiet = cli("run", tiny, "--draws", "0", "-q", "--executor", "local", "--log", "run.log")
    assert quiet.status == 0
    assert "stages to run" not in quiet.out
    assert "frozen" in quiet.out, "the leaderboard is shown"
    assert "medssl-bench report" not in quiet.out
    assert len(Path("run.log").read_text("utf-8").splitlines()) > len(lines), "it is appended to"
    assert cli("run", tiny, "-q", "-v").err.startswith("error: give --quiet or --verbose, not both")
    refused = cli("run", tiny, "--log", "no/run.log", "--store", "other")
    assert (refused.status, refused.err) == (
        2,
        "error: --log no/run.log: this cannot be written: No such file or directory\n",
    )
    assert not Path("other").exists()
