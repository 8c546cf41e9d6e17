"""`predict` on the results of real runs: the scores that stages kept, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli.conftest import Result
from numpy.typing import NDArray
from PIL import Image

from medssl_bench import run
from medssl_bench.store.store import Store

TASKS = ("multi-class", "binary", "multi-label", "ordinal")
CELLS = [(task, arm) for task in TASKS for arm in ("frozen", "tuned")] + [("multi-class", "tuned in bfloat16")]
TOLERANCE = {"frozen": 1e-6}
"""Of a probe the stage multiplies all test images at once, which rounds in another way than a batch does. A fine-tuned
model predicts in the batches that `predict` has, to the same bits."""

_SETS = "\n".join(
    f"""
[dataset.{task}]
name = "npz"
path = "{task}.npz"
task = "{task}"
classes = {json.dumps(["one", "two"] if task == "binary" else ["one", "two", "three"])}
"""
    for task in TASKS
)
_SUITE = """\
schema = 1
name = "tasks"
seeds = [0]
draws = [0]
{sets}
[encoder.small]
name = "timm"
model = "test_resnet"

[pretraining.nat]
encoder = "small"
augmentation = ["resized_crop"]
epochs = 1
batch_size = 16

[[comparison]]
id = "table"
datasets = {datasets}
labels = ["all"]
encoder = "small"

  [[comparison.arm]]
  name = "tuned"
  evaluator = {{ name = "finetune", epochs = 2 }}

  [[comparison.arm]]
  name = "frozen"
  pretraining = ["nat"]
  evaluator = {{ name = "linear_probe", epochs = 10 }}
"""
_MORE = """
[[comparison]]
id = "more"
datasets = ["multi-class"]
labels = ["all"]
encoder = "small"

  [[comparison.arm]]
  name = "tuned in bfloat16"
  evaluator = { name = "finetune", epochs = 1, precision = "bfloat16" }

  [[comparison.arm]]
  name = "neighbours"
  pretraining = ["nat"]
  evaluator = "knn"
"""


def _squares(labels: NDArray[np.int64], seed: int) -> NDArray[np.uint8]:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 60, (len(labels), 28, 28))
    images[:, 8:20, 8:20] += (60 * (1 + labels))[:, None, None]
    return images.clip(0, 255).astype(np.uint8)


def _arrays(task: str) -> dict[str, NDArray[np.uint8]]:
    arrays = {}
    for seed, (split, count) in enumerate({"train": 40, "val": 12, "test": 30}.items()):
        numbers = np.arange(count) % (2 if task == "binary" else 3)
        arrays[f"{split}_images"] = _squares(numbers, seed)
        several = np.stack([numbers == 0, numbers != 1, np.arange(count) % 2 == 0], axis=1)
        arrays[f"{split}_labels"] = (several if task == "multi-label" else numbers[:, None]).astype(np.uint8)
    return arrays


@pytest.fixture(scope="session")
def _of_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    for task in TASKS:
        np.savez(folder / f"{task}.npz", **_arrays(task))
    (folder / "tasks.toml").write_text(_SUITE.format(sets=_SETS, datasets=list(TASKS)) + _MORE, "utf-8")
    assert not run(folder / "tasks.toml", store=folder / "store").failed
    return folder


@pytest.fixture
def of_tasks(_of_tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the suite with an npz of each task, and the store of its run, into the working directory."""
    shutil.copytree(_of_tasks, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("tasks.toml")


def _read(file: str | Path) -> tuple[list[str], list[str], NDArray[np.float32]]:
    """Return the heads, the paths and the probabilities of a table."""
    with Path(file).open(encoding="utf-8", newline="") as content:
        heads, *rows = csv.reader(content)
    return heads, [row[0] for row in rows], np.array([row[1:] for row in rows], np.float64).astype(np.float32)


def _kept(dataset: str, arm: str) -> NDArray[np.float32]:
    """Return the scores that a stage kept of its test images."""
    named = f" · {dataset} · {arm} · "
    (record,) = [record for record in Store(Path("store")).records() if named in record.title]
    with np.load(Store(Path("store")).folder(record.key) / "predictions.npz") as kept:
        return kept["y_score"]


def _write_pngs(folder: str, images: NDArray[np.uint8]) -> None:
    Path(folder).mkdir(parents=True)
    for place, image in enumerate(images):
        Image.fromarray(image).save(Path(folder) / f"{place:03}.png")


@pytest.mark.parametrize(("task", "arm"), CELLS)
def test_test_images_get_the_scores_that_the_stage_kept(
    cli: Callable[..., Result], of_tasks: Path, task: str, arm: str
) -> None:
    """From the store, and from the exported model alone; of an array and of files."""
    with np.load(f"{task}.npz") as data:
        _write_pngs("new/ward a", data["test_images"])
    chosen = ("--table", "more" if arm == "tuned in bfloat16" else "table", "--dataset", task, "--arm", arm)
    result = cli("predict", of_tasks, f"{task}.npz", "--array", "test_images", *chosen, "-o", "array.csv")
    assert result.status == 0, result.err
    assert cli("export", of_tasks, *chosen, "-o", "model").status == 0
    assert "medssl-bench predict . /path/to/images --output predictions.csv" in Path("model/README.md").read_text(
        "utf-8"
    )
    shutil.move("store", "elsewhere")
    of_tasks.unlink()
    assert cli("predict", "model", "new", "-o", "files.csv").status == 0
    shutil.move("elsewhere", "store")
    classes = ["one", "two"] if task == "binary" else ["one", "two", "three"]
    wanted = _kept(task, arm)
    for file, paths in (
        ("array.csv", [f"{task}.npz:test_images[{place}]" for place in range(30)]),
        ("files.csv", [f"new/ward a/{place:03}.png" for place in range(30)]),
    ):
        heads, named, found = _read(file)
        assert heads == ["path", *classes]
        assert named == paths
        np.testing.assert_allclose(found, wanted, rtol=0, atol=TOLERANCE.get(arm, 0))
    sums = found.sum(axis=1)
    assert np.allclose(sums, 1, atol=1e-5) == (task != "multi-label"), "labels of one image have no sum"


_DEEP = """
[dataset.scans]
name = "{kind}"
path = "{path}"
size = 28
fit = "pad"
range = [100, 4000]
test = 0.3
"""


def _write_scans(task_of: str) -> list[str]:
    """Write 16-bit files of 40 x 30 pixels into class folders; return their paths."""
    names = []
    for place, label in enumerate(np.arange(60) % 2):
        name = f"{'dark' if label == 0 else 'light'}/{place:02}.png"
        Path(task_of, name).parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(place).integers(0, 1500, (30, 40)).astype(np.uint16)
        values[5:20, 5:30] += np.uint16(1200 * (label + 1))
        Image.fromarray(values).save(Path(task_of, name))
        names.append(name)
    return names


@pytest.mark.parametrize("kind", ["folder", "table"])
def test_files_are_read_as_in_training(cli: Callable[..., Result], tmp_path: Path, monkeypatch, kind: str) -> None:
    """A range and a fit of the training are those of the predictions, of files whose shape and values are others."""
    monkeypatch.chdir(tmp_path)
    names = _write_scans("scans")
    text = _DEEP.format(kind=kind, path="scans" if kind == "folder" else "scans.csv")
    if kind == "table":
        # places in the order of the split "test" are the table's own: predict takes the table of its rows
        rows = [
            f"{name},{name.split('/')[0]},{['train', 'val', 'test'][place // 2 % 3]}"
            for place, name in enumerate(names)
        ]
        Path("scans.csv").write_text("\n".join(["file,kind,part", *rows]) + "\n", "utf-8")
        text = text.replace("test = 0.3", 'image = "file"\nlabel = "kind"\nsplit = "part"\nroot = "scans"')
        tests = [name for place, name in enumerate(names) if place // 2 % 3 == 2]
        Path("new.csv").write_text("\n".join(["file", *tests]) + "\n", "utf-8")
        given = ("new.csv", "--image", "file", "--root", "scans")
    else:
        tests = []
        given = ("scans",)
    suite = _SUITE.format(sets=text, datasets=["scans"])
    Path("scans.toml").write_text(suite[: suite.index('  [[comparison.arm]]\n  name = "frozen"')], "utf-8")
    ran = cli("run", "scans.toml")
    assert ran.status == 0, ran.err
    result = cli("predict", "scans.toml", *given, "--arm", "tuned", "-o", "found.csv")
    assert result.status == 0, result.err
    _, paths, found = _read("found.csv")
    if kind == "folder":
        from medssl_bench.datasets.folder.factory import folder
        from medssl_bench.datasets.locations import dataset_context

        data = folder(dataset_context(None), path=Path("scans"), test=0.3, range=[100.0, 4000.0], fit="pad")
        assert paths == [f"scans/{name}" for name in sorted(names)]
        found = found[[sorted(names).index(name) for name in data.image_names()["test"]]]
    else:
        assert paths == tests, "as the table says them"
    np.testing.assert_allclose(found, _kept("scans", "tuned"), rtol=0, atol=1e-6)  # other images in its batches
    shutil.move("scans", "moved")  # the store remembers how the files were read
    Path("scans.csv").unlink(missing_ok=True)
    moved = ("moved",) if kind == "folder" else ("new.csv", "--image", "file", "--root", "moved")
    away = cli("predict", "scans.toml", *moved, "--arm", "tuned", "-o", "away.csv")
    assert away.status == 0, away.err
    assert np.array_equal(_read("away.csv")[2], _read("found.csv")[2])
    shallow = np.random.default_rng(0).integers(0, 255, (30, 40), dtype=np.uint8)
    _write_pngs("shallow", shallow[None])
    refused = cli("predict", "scans.toml", "shallow", "--arm", "tuned", "-o", "no.csv")
    assert (
        "1 of 1 images cannot be used: shallow/000.png (it has 8 bits a value, and the model was trained on images of "
        "more than 8; convert it as the training images were)" in refused.err
    )
    other = cli("predict", "scans.toml", "moved", "--arm", "tuned", "--fit", "crop", "-o", "no.csv")
    assert "error: --fit: the model was trained on files read with fit = pad; leave it out" in other.err
    assert not Path("no.csv").exists()


def _refused(result: Result) -> str:
    """Return the one line that says why nothing is written."""
    assert result.status == 2, result.out
    assert not Path("no.csv").exists()
    assert not list(Path().glob(".no.csv*"))
    (line,) = [line for line in result.err.splitlines() if line.startswith("error: ")]
    return line.removeprefix("error: ")


@pytest.fixture
def model(cli: Callable[..., Result], of_tasks: Path) -> Path:
    """Export a model of grey images of 28 pixels that were an array."""
    assert (
        cli("export", of_tasks, "--table", "table", "--dataset", "binary", "--arm", "tuned", "-o", "model").status == 0
    )
    return Path("model")


def test_images_of_another_kind_are_refused(cli: Callable[..., Result], model: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 255, (5, 28, 28), dtype=np.uint8)
    _write_pngs("new", grey)

    def refused(*arguments: str) -> str:
        return _refused(cli("predict", model, *arguments, "-o", "no.csv"))

    Image.fromarray(grey[0].astype(np.uint16) * 257).save("deep.png")
    assert refused("new", "deep.png") == (
        "1 of 6 images cannot be used: deep.png (it has 16 bits a value, and the model was trained on images of 8; say "
        "--range LOW,HIGH (all alike) or --range percentile (each by its own values)); repair them, or go without them"
    )
    Image.fromarray(np.repeat(grey[0][..., None], 3, 2)).save("colour.png")
    assert "colour.png (it is in colour, and the model takes grey images)" in refused("new", "colour.png")
    Image.fromarray(grey[0]).resize((40, 30)).save("wide.png")
    assert refused("wide.png").startswith(
        "1 of 1 images cannot be used: wide.png (it has 40 x 30 pixels, and the model was trained on images of 28 x 28 "
        "as they are; say --fit crop, --fit pad or --fit stretch)"
    )
    for place in range(4):
        Path(f"new/{place}.png").write_bytes(b"\x89PNG broken")
    assert refused("new").startswith("4 of 9 images cannot be used (new/0.png, say): cannot identify image file")
    Path("new/scan.nii").touch()
    assert ".nii file (scan.nii, say) beside 9 images; this kind is not read" in refused("new")
    np.save("wide.npy", np.zeros((3, 32, 32), np.uint8))
    assert "its images are 32 pixels wide, and the model takes images of 28" in refused("wide.npy")
    np.save("colour.npy", np.zeros((3, 28, 28, 3), np.uint8))
    assert "colour.npy: its images are in colour, and the model takes grey images" in refused("colour.npy")
    Path("empty").mkdir()
    assert "empty: holds no images" in refused("empty")


def test_files_are_made_to_fit_a_model_of_an_array_where_that_is_chosen(
    cli: Callable[..., Result], model: Path
) -> None:
    small = np.random.default_rng(0).integers(0, 4096, (40, 30)).astype(np.uint16)
    Image.fromarray(small).save("scan.png")
    chosen = ("--fit", "pad", "--range", "0,4095")
    assert cli("predict", model, "scan.png", *chosen, "-o", "files.csv").status == 0
    eight = np.floor(np.clip(small / 4095, 0, 1) * 255 + 0.5).astype(np.uint8)  # by hand
    whole = Image.new("L", (28, 28))
    whole.paste(Image.fromarray(eight).resize((21, 28), Image.Resampling.BICUBIC), (4, 0))  # Pillow's middle of 7
    np.save("scan.npy", np.asarray(whole)[None])
    assert cli("predict", model, "scan.npy", "-o", "array.csv").status == 0
    np.testing.assert_allclose(_read("files.csv")[2], _read("array.csv")[2], rtol=0, atol=1e-6)


def test_rows_are_in_the_order_that_is_given(cli: Callable[..., Result], model: Path) -> None:
    images = _arrays("binary")["test_images"][:5]
    _write_pngs("new/b", images[:2])
    _write_pngs("new/a", images[2:4])
    Image.fromarray(images[4]).save("single.png")
    Path("list.csv").write_text("patient;file\nP2;b/001.png\nP1;a/000.png\nP1;a/000.png\n", "utf-8")
    np.save("array.npy", images)
    given = ("single.png", "new", "array.npy", "list.csv", "--image", "file", "--root", "new")
    result = cli("predict", model, *given, "-o", "found.csv")
    assert result.status == 0, result.err
    _, paths, found = _read("found.csv")
    folder = ["new/a/000.png", "new/a/001.png", "new/b/000.png", "new/b/001.png"]
    assert paths == [
        "single.png", *folder, *(f"array.npy[{place}]" for place in range(5)), "b/001.png", "a/000.png", "a/000.png",
    ]  # fmt: skip
    by_array = found[5:10]
    same = [4, 2, 3, 0, 1, 0, 1, 2, 3, 4, 1, 2, 2]
    np.testing.assert_allclose(found, by_array[same], rtol=0, atol=1e-6)
    first = Path("found.csv").read_bytes()
    again = cli("predict", model, *given, "-o", "found.csv")
    assert "-o found.csv: this is there already; give the name of a new file, or --overwrite" in again.err
    assert cli("predict", model, *given, "-o", "found.csv", "--overwrite").status == 0
    assert Path("found.csv").read_bytes() == first


def test_what_is_given_wrongly_is_one_line(cli: Callable[..., Result], model: Path, of_tasks: Path) -> None:
    _write_pngs("new", _arrays("binary")["test_images"][:2])
    Path("list.csv").write_text("file\n000.png\n002.png\n", "utf-8")
    np.savez("two.npz", a=np.zeros((1, 28, 28), np.uint8), b=np.zeros((1, 28, 28), np.uint8))
    shutil.copytree(model, "headless")
    Path("headless/head.safetensors").unlink()
    for arguments, message in (
        ((model, "nothing"), "nothing: there is no such file or folder"),
        ((model, "list.csv"), "list.csv: a table; say which column has the paths of the images: --image COLUMN"),
        ((model, "new", "--image", "file"), "--image: this is for tables, and none is given; leave it out"),
        ((model, "list.csv", "--image", "path"), "list.csv: has no column 'path' ('--image'); it has file"),
        ((model, "list.csv", "--image", "file", "--root", "new"), "there is no new/002.png; 1 of 2 images are missing"),
        ((model, "tasks.toml", "new"), "1 of 3 files are no images that are read (tasks.toml, say): bmp, gif"),
        ((model, "two.npz"), "two.npz: holds 'a', 'b'; say which with array ="),
        ((model, "new", "new/000.png"), "new/000.png: this image is given twice"),
        ((model, "new", "--arm", "tuned"), "--arm: model is one model; this is for a suite, leave it out"),
        ((model, "new", "--range", "5,3"), "'5,3' has nothing in it; give the lower value first"),
        (("headless", "new"), "headless: holds an encoder alone, without a head, so it predicts no classes"),
        (("new", "new"), "new: not a model that 'export' wrote: it has no model.json"),
        ((of_tasks, "new", "--table", "table", "--arm", "tuned"), "give --dataset, one of: "),
        (
            (of_tasks, "new", "--table", "more", "--arm", "neighbours"),
            "evaluator 'knn' leaves no linear layer on top of an encoder, so it predicts no new images",
        ),
        (
            (of_tasks, "new", "--table", "table", "--dataset", "binary", "--arm", "tuned", "--store", "other"),
            "'table · binary · tuned · all labels · seed 0' is not in other yet; run tasks.toml first",
        ),
    ):
        assert message in _refused(cli("predict", *arguments, "-o", "no.csv"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.pop("classifier"), "an older version wrote it, and it does not say how images are read"),
        (lambda card: card.update(changes=["conv1 = __import__('os').system('x')"]), "this is not what was written"),
        (lambda card: card.update(options={"checkpoint_path": "x.pth"}), "this is not what was written"),
        (lambda card: card.update(model="resnet18"), "these are not the weights of resnet18"),
        (lambda card: card["classifier"].update(classes=["a"]), "is no linear layer from 96 features to 1 classes"),
        (lambda card: card["classifier"]["images"].update(size="28"), "images of size '28'"),
        (lambda card: card["classifier"].update(task="none"), "this is not what was written"),
    ],
)
def test_a_model_that_is_not_as_it_was_written_is_refused(
    cli: Callable[..., Result], model: Path, change: Callable[[dict], object], message: str
) -> None:
    _write_pngs("new", _arrays("binary")["test_images"][:1])
    card = json.loads((model / "model.json").read_text("utf-8"))
    change(card)
    (model / "model.json").write_text(json.dumps(card), "utf-8")
    assert message in _refused(cli("predict", model, "new", "-o", "no.csv"))


def test_what_a_dicom_file_says_of_its_patient_is_not_written(cli: Callable[..., Result], model: Path) -> None:
    from datasets.dicom_files import NAME, write

    write(Path("new/one"), np.random.default_rng(0).integers(0, 4095, (28, 28)).astype(np.uint16), bits=12)
    refused = _refused(cli("predict", model, "new", "-o", "no.csv"))
    assert "new/one (it has 12 bits a value, and the model was trained on images of 8" in refused
    result = cli("predict", model, "new", "--range", "percentile", "-o", "found.csv")
    assert result.status == 0, result.err
    text = Path("found.csv").read_text("utf-8") + result.out + result.err
    assert text.startswith("path,one,two\nnew/one,")
    for word in (*NAME.split("^"), "4711"):
        assert word not in text
