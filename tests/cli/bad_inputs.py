"""All that can be bad from outside, beside suites (`bad_suites`): how to make it, and the command that meets it."""

from __future__ import annotations

import gzip
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cli.bad_suites import CASES, EPOCHS, GOOD, PLUGIN, SEEDS, Case
from cli.bad_tables import TABLES
from PIL import Image

from medssl_bench.errors import printable

Make = Callable[[], object]
"""Makes something bad, in the working directory."""

VALIDATE = ("validate", "suite.toml")
_PREDICT = ("predict", "-o", "new.csv")


@dataclass(frozen=True, eq=False)
class BadInput:
    """Something bad, met by a command.

    Attributes:
        what: what is bad, in few words.
        make: makes it, in a folder with a good suite and its data.
        arguments: of the command.
        environment: variables that are set.
        leaves: a folder that the command may make before it can know; nothing else is written.
    """

    what: str
    make: Make
    arguments: tuple[str, ...] = VALIDATE
    environment: Mapping[str, str] = field(default_factory=dict)
    leaves: str = ""


def write_good(folder: Path) -> None:
    """Write a good suite and its data."""
    (folder / "suite.toml").write_text(GOOD, "utf-8")
    _squares(folder / "squares.npz")


def _nothing() -> None:
    pass


def _squares(path: Path, **changes: Any) -> None:
    """Write small images in three classes; `changes` replaces arrays, None leaves one out."""
    generator = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for split, count in (("train", 60), ("val", 12), ("test", 12)):
        arrays[f"{split}_images"] = generator.integers(0, 255, (count, 28, 28), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(count) % 3).astype(np.uint8)[:, None]
    np.savez(path, **{key: array for key, array in {**arrays, **changes}.items() if array is not None})


def _suite(what: str, case: Case) -> BadInput:
    def make() -> None:
        text = GOOD.replace(case.old, case.new) if case.old else case.new
        Path("suite.toml").write_text(text, "utf-8")
        for name, content in case.files.items():
            Path(name).write_text(content, "utf-8")

    return BadInput(what, make)


def _suites() -> list[BadInput]:
    odd = [
        BadInput(
            "not UTF-8", lambda: Path("suite.toml").write_bytes(GOOD.replace("good", "caf\xe9").encode("latin-1"))
        ),
        BadInput("UTF-16", lambda: Path("suite.toml").write_bytes(GOOD.encode("utf-16"))),
        BadInput("two megabytes", lambda: Path("suite.toml").write_text(GOOD + "# more\n" * 300_000)),
        BadInput("no such file", _nothing, ("validate", "no.toml")),
        BadInput("a folder", _nothing, ("validate", ".")),
        BadInput("a device that never ends", _nothing, ("validate", "/dev/zero")),
        BadInput("a name with a line break", _nothing, ("validate", "a\nb.toml")),
        BadInput("an npz file", _nothing, ("validate", "squares.npz")),
    ]
    return odd + [_suite(what, case) for what, case in CASES.items()]


# npz files

IMAGES = np.zeros((60, 28, 28), np.uint8)
LABELS = (np.arange(60) % 3).astype(np.int64)[:, None]


def _counting(images: int, values: int) -> Any:
    """Return images whose pixels go through the first values, again and again."""
    pixels = np.arange(images * 28 * 28).reshape(images, 28, 28) % values
    return pixels.astype(np.uint8) if values <= 256 else pixels


def _every_split(make: Callable[[int], Any]) -> dict[str, Any]:
    """Return labels for each split, from its number of images."""
    return {f"{split}_labels": make(count) for split, count in (("train", 60), ("val", 12), ("test", 12))}


def _npz(what: str, **changes: Any) -> BadInput:
    return BadInput(what, lambda: _squares(Path("squares.npz"), **changes))


def _file(what: str, content: bytes) -> BadInput:
    return BadInput(what, lambda: Path("squares.npz").write_bytes(content))


def _rewritten(change: Callable[[dict[str, bytes]], Mapping[str, bytes]]) -> Make:
    """Return what writes the entries of the zip again."""

    def make() -> None:
        with zipfile.ZipFile("squares.npz") as file:
            entries = {name: file.read(name) for name in file.namelist()}
        with zipfile.ZipFile("squares.npz", "w") as file:
            for name, content in change(entries).items():
                file.writestr(name, content)

    return make


def _header(text: str, version: tuple[int, int] = (1, 0), length: int | None = None) -> Make:
    """Return what gives the training labels another header."""
    size = (len(text) if length is None else length).to_bytes(2 if version == (1, 0) else 4, "little")
    entry = b"\x93NUMPY" + bytes(version) + size + text.encode() + bytes(60)
    return _rewritten(lambda entries: {**entries, "train_labels.npy": entry})


def _twice() -> None:
    """Give an entry the name of another; both have the same length."""
    content = Path("squares.npz").read_bytes()
    Path("squares.npz").write_bytes(content.replace(b"test_labels.npy", b"test_images.npy"))


def _truncated() -> None:
    content = Path("squares.npz").read_bytes()
    Path("squares.npz").write_bytes(content[: len(content) // 2])


def _replaced(make: Callable[[Path], object]) -> Make:
    """Return what puts something else in the place of the npz file."""

    def act() -> None:
        Path("squares.npz").unlink()
        make(Path("squares.npz"))

    return act


def _other_pixels() -> None:
    content = bytearray(Path("squares.npz").read_bytes())
    place = content.index(b"test_labels.npy") - 5000
    content[place : place + 9] = bytes(9)
    Path("squares.npz").write_bytes(content)


def _array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, IMAGES)


def _with_dataset(table: str) -> None:
    text = GOOD.replace('name = "npz"\npath = "squares.npz"\n', table)
    assert text != GOOD
    Path("suite.toml").write_text(text, "utf-8")


def _one_hot(count: int) -> np.ndarray[Any, Any]:
    return np.eye(3, dtype=np.uint8)[np.arange(count) % 3]


GROUPS = {"train_groups": np.arange(60), "val_groups": np.arange(60, 72), "test_groups": np.arange(72, 84)}
NPZ = 'name = "npz"\npath = "squares.npz"\n'

_U1 = "{'descr': '|u1', 'fortran_order': False, 'shape': (%s,)}"

_NPZ = [
    _npz("an array is missing", val_labels=None),
    _npz("images as floats", train_images=IMAGES / 255),
    _npz("images as 16-bit integers", train_images=IMAGES.astype(np.uint16)),
    _npz("images of 12 bits", train_images=_counting(60, 2048).astype(np.uint16) + 1500),
    _npz("images of 0 and 1", train_images=_counting(60, 2), val_images=_counting(12, 2), test_images=_counting(12, 2)),
    _npz("images with not-a-number", train_images=np.full(IMAGES.shape, np.nan)),
    _npz("one image without its axis", train_images=IMAGES[0]),
    _npz("images with four channels", train_images=IMAGES[..., None].repeat(4, -1)),
    _npz("images that are not square", train_images=IMAGES[:, :, :20]),
    _npz("images without pixels", train_images=IMAGES[:, :0, :0]),
    _npz("no images in a split", val_images=IMAGES[:0], val_labels=LABELS[:0]),
    _npz("splits of different size", val_images=np.zeros((12, 20, 20), np.uint8)),
    _npz("splits of different channels", val_images=np.zeros((12, 28, 28, 3), np.uint8)),
    _npz("fewer labels than images", train_labels=LABELS[:50]),
    _npz("labels as floats", train_labels=LABELS / 1),
    _npz("labels with not-a-number", train_labels=np.where(LABELS == 1, np.nan, LABELS)),
    _npz("labels as text", train_labels=LABELS.astype(str)),
    _npz("labels as Python objects", train_labels=LABELS.astype(object)),
    _npz("images as Python objects", train_images=IMAGES.astype(object)),
    _npz("labels as records", train_labels=np.zeros(60, [("a", "i4"), ("b", "i4")])),
    _npz("a single number as labels", train_labels=np.array(3)),
    _npz("negative labels", train_labels=LABELS.astype(np.int8) - 1),
    _npz("labels beyond 64 bits", train_labels=LABELS.astype(np.uint64) + np.uint64(2**63)),
    _npz("a class without images", train_labels=LABELS * 2),
    _npz("training images of one class", train_labels=LABELS * 0),
    _npz("validation images of one class", val_labels=LABELS[:12] * 0),
    _npz("test images of one class", test_labels=LABELS[:12] * 0),
    _npz("one-hot labels", **_every_split(_one_hot)),
    _npz("columns that are not 0 and 1", **_every_split(lambda count: np.full((count, 2), 7))),
    _npz("another number of columns in a split", train_labels=np.hstack([LABELS, LABELS])),
    _npz("too many columns", train_labels=np.zeros((60, 20_000), np.uint8)),
    _file("no bytes", b""),
    _file("text", b"no zip"),
    _file("a pickle", pickle.dumps({"train_images": 1})),
    BadInput("a single array (npy)", _replaced(_array)),
    BadInput("truncated", _truncated),
    BadInput("damaged pixels", _other_pixels),
    BadInput("an array twice", _twice),
    BadInput("an absolute name in the zip", _rewritten(lambda e: {f"/{name}": content for name, content in e.items()})),
    BadInput("a truncated array", _rewritten(lambda e: {**e, "train_labels.npy": e["train_labels.npy"][:-9]})),
    BadInput("an array without a header", _rewritten(lambda e: {**e, "train_labels.npy": b""})),
    BadInput("a header that is no header", _header("(" * 5000)),
    BadInput("a header of an unknown version", _header("{}", (9, 0))),
    BadInput("a header of 4 GB", _header("{}", (2, 0), 2**32 - 1)),
    BadInput("a header of negative length", _header(_U1 % "-60")),
    BadInput("a header that declares more than there is", _header(_U1 % "10000000000000")),
    BadInput("a folder", _replaced(lambda path: path.mkdir())),
    BadInput("a pipe", _replaced(os.mkfifo)),
    BadInput("a device that never ends", _replaced(lambda path: path.symlink_to("/dev/zero"))),
    BadInput("a broken link", _replaced(lambda path: path.symlink_to("nowhere"))),
    BadInput("task 'binary' of three classes", lambda: _with_dataset(f'{NPZ}task = "binary"\n')),
    BadInput("task 'multi-label' of class numbers", lambda: _with_dataset(f'{NPZ}task = "multi-label"\n')),
    BadInput("fewer names of classes than labels", lambda: _with_dataset(f'{NPZ}classes = ["a", "b"]\n')),
    BadInput("a name of classes twice", lambda: _with_dataset(f'{NPZ}classes = ["a", "b", "a"]\n')),
    _npz("groups of one split alone", train_groups=np.arange(60)),
    _npz("groups as floats", **GROUPS | {"val_groups": np.ones(12)}),
    _npz("a group in two splits", **GROUPS | {"test_groups": np.arange(12) + 55}),
    BadInput("a line break in a class's name", lambda: _with_dataset(f'{NPZ}classes = ["a", "b", "c\\nd"]\n')),
]  # fmt: skip


# folders of images

_GENERATOR = np.random.default_rng(0)
GREY = Image.fromarray(_GENERATOR.integers(0, 255, (12, 10), dtype=np.uint8))
RGB = Image.fromarray(_GENERATOR.integers(0, 255, (12, 10, 3), dtype=np.uint8))


def _folder(what: str, spoil: Callable[[Path], object], table: str = "") -> BadInput:
    def make() -> None:
        _with_dataset(f'name = "folder"\npath = "scans"\nsize = 8\n{table}')
        for name in ("benign", "malignant"):
            folder = Path("scans", name)
            folder.mkdir(parents=True)
            for index in range(30):
                GREY.save(folder / f"{index:02}.png")
        spoil(Path("scans"))

    return BadInput(what, make)


def _cut(path: Path) -> None:
    RGB.resize((99, 99)).convert("L").save(path)
    path.write_bytes(path.read_bytes()[:500])


def _given_splits(root: Path, *, test: str) -> None:
    (root / "train").mkdir()
    for name in ("benign", "malignant"):
        (root / name).rename(root / "train" / name)
    (root / "test" / test).mkdir(parents=True)
    GREY.save(root / "test" / test / "x.png")


def _shared_split(root: Path) -> None:
    _given_splits(root, test="benign")
    shutil.rmtree(root / "test")
    (root / "test").symlink_to("train")


def _nothing_of(_root: Path) -> None:
    pass


def _image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    GREY.save(path)


def _renamed(root: Path, *names: str) -> None:
    for old, new in zip(("benign", "malignant"), names, strict=True):
        (root / old).rename(root / new)


def _splits(root: Path, *names: str) -> None:
    """Put copies of the class folders into each of some folders."""
    for name in names:
        for kind in ("benign", "malignant"):
            shutil.copytree(root / kind, root / name / kind)
    for kind in ("benign", "malignant"):
        shutil.rmtree(root / kind)


def _flat(root: Path) -> None:
    for kind in ("benign", "malignant"):
        shutil.rmtree(root / kind)
    _image(root / "1.png")
    (root / "metadata.csv").write_text("image,class\n")


def _with_ending(root: Path, ending: str, *, rename: bool = False) -> None:
    """Write all images under another ending too, or rename them."""
    for path in sorted(root.rglob("*.png")):
        path.rename(path.with_suffix(ending)) if rename else GREY.save(path.with_suffix(ending))


def _again(root: Path, change: Callable[[Any], Any]) -> None:
    """Write all images again."""
    for path in sorted(root.rglob("*.png")):
        Image.fromarray(change(np.asarray(Image.open(path)))).save(path)


_FLOATS = Image.fromarray(_GENERATOR.random((8, 8), dtype=np.float32))
_SEVERAL: Any = {"save_all": True, "append_images": [GREY.rotate(90)]}
_INTEGERS = Image.fromarray(np.full((8, 8), 2**20, np.int32))

_FOLDERS = [
    _folder("no bytes", lambda root: (root / "benign/x.png").write_bytes(b"")),
    _folder("text with the name of an image", lambda root: (root / "benign/x.png").write_text("text")),
    _folder("the first image cannot be read", lambda root: (root / "benign/00.png").write_text("text")),
    _folder("a truncated PNG", lambda root: _cut(root / "benign/x.png")),
    _folder("a truncated JPEG", lambda root: _cut(root / "benign/x.jpg")),
    _folder("a truncated TIFF", lambda root: _cut(root / "benign/x.tif")),
    _folder("many that cannot be read", lambda root: [(root / f"benign/x{i}.png").write_text("") for i in range(9)]),
    _folder("a program (EPS) with the name of an image", lambda root: RGB.save(root / "benign/x.png", format="EPS")),
    _folder("colour among grey", lambda root: RGB.save(root / "benign/x.png")),
    _folder("CMYK among grey", lambda root: RGB.convert("CMYK").save(root / "benign/x.jpg")),
    _folder("a palette among grey", lambda root: RGB.quantize(8).save(root / "benign/x.png")),
    _folder("an animated GIF", lambda root: GREY.save(root / "benign/x.gif", **_SEVERAL)),
    _folder("a TIFF of several pages", lambda root: GREY.save(root / "benign/x.tif", **_SEVERAL)),
    _folder("floating-point pixels", lambda root: _FLOATS.save(root / "benign/x.tif")),
    _folder("32-bit pixels", lambda root: _INTEGERS.save(root / "benign/x.tif")),
    _folder("a hundred million pixels", lambda root: Image.new("1", (10_000, 10_000)).save(root / "benign/x.png")),
    _folder("a thousand million pixels", lambda root: Image.new("1", (40_000, 25_000)).save(root / "benign/x.png")),
    _folder("a pipe", lambda root: os.mkfifo(root / "benign/x.png")),
    _folder("a device that never ends", lambda root: (root / "benign/x.png").symlink_to("/dev/zero")),
    _folder("a broken link", lambda root: (root / "benign/x.png").symlink_to("nowhere")),
    _folder("a link to itself", lambda root: (root / "benign/x.png").symlink_to("x.png")),
    _folder("a link to a folder", lambda root: (root / "benign/more").symlink_to("../malignant")),
    _folder("a link to the folder above", lambda root: (root / "benign/more").symlink_to("..")),
    _folder("a class that is a link to another", lambda root: (root / "unclear").symlink_to("benign")),
    _folder("a class that is a link to all", lambda root: (root / "unclear").symlink_to(".")),
    _folder("a test split that is a link to train", _shared_split),
    _folder("a class without images", lambda root: (root / "unclear").mkdir()),
    _folder("one class", lambda root: shutil.rmtree(root / "benign")),
    _folder("no classes", lambda root: [shutil.rmtree(root / name) for name in ("benign", "malignant")]),
    _folder("a class in test that train lacks", lambda root: _given_splits(root, test="unclear")),
    _folder("a test split of one class", lambda root: _given_splits(root, test="benign")),
    _folder("test without train", lambda root: (root / "test").mkdir()),
    _folder("a name that is not UTF-8", lambda root: GREY.save(str(root / "benign" / os.fsdecode(b"\xff.png")))),
    _folder("a class with a line break", lambda root: (root / "benign").rename(root / "be\nnign")),
    _folder("a file in its place", lambda root: (shutil.rmtree(root), root.write_text(""))),
    _folder("folds in place of classes", lambda root: _renamed(root, "fold_0", "fold_1")),
    _folder("parts of an archive in place of classes", lambda root: _renamed(root, "images_part_1", "images_part_2")),
    _folder("patients in place of classes", lambda root: _renamed(root, "patient001", "patient002")),
    _folder("years in place of classes", lambda root: _renamed(root, "2019", "2020")),
    _folder("left and right", lambda root: _renamed(root, "left", "right")),
    _folder("splits of unclear names", lambda root: _renamed(root, "train_A", "holdout")),
    _folder("two validation splits", lambda root: _splits(root, "train", "val", "valid")),
    _folder("a folder beside the splits", lambda root: _splits(root, "train", "test", "external")),
    _folder("a test split without classes", lambda root: (_splits(root, "train"), _image(root / "test/1.png"))),
    _folder("images beside the classes", lambda root: _image(root / "loose.png")),
    _folder("images without class folders", _flat),
    _folder("classes of each hospital", lambda root: _splits(root, "Paris", "London")),
    _folder("masks beside images", lambda root: _image(root / "benign/00_mask.png")),
    _folder("DICOM files that are damaged", lambda root: _with_ending(root, ".dcm", rename=True)),
    _folder("DICOM files among the images", lambda root: (root / "benign/x.dcm").write_bytes(bytes(128) + b"DICM")),
    _folder("images of one name with two endings", lambda root: _with_ending(root, ".jpg")),
    _folder("augmented images in a class", lambda root: _image(root / "benign/augmented/1.png")),
    _folder("masks as a class", lambda root: _image(root / "benign_mask/1.png")),
    _folder("classes that differ in case", lambda root: _image(root / "Benign/1.png")),
    _folder("a split that is not there", _nothing_of, 'splits = { train = "trian" }\n'),
    _folder("a pattern of groups without brackets", _nothing_of, "groups = '[a-z]+'\n"),
    _folder("a pattern of groups that finds none", _nothing_of, "groups = '(p[0-9]+)_'\n"),
    _folder("fewer groups than splits", _nothing_of, "groups = '(benign|malignant)'\n"),
    _folder("a group in two splits", lambda root: _splits(root, "train", "test"), "groups = '([0-9]+).png'\n"),
    _folder("a class that is not there", _nothing_of, 'classes = ["benign", "maligant"]\n'),
    _folder("12 bits in 16-bit images", lambda root: _again(root, lambda a: a.astype(np.uint16) * 16)),
    _folder("values of 0 and 1", lambda root: _again(root, lambda a: a // 128)),
    _folder("black images of a class", lambda root: _again(root / "benign", lambda a: a * 0)),
    _folder("transparent all over", lambda root: Image.new("LA", (8, 8), (200, 0)).save(root / "benign/x.png")),
    _folder("fractions that leave nothing", lambda _root: None, "validation = 0.5\ntest = 0.5\n"),
    _folder("no validation images", lambda _root: None, "validation = 0.0\n"),
]  # fmt: skip


# tables of images


def _table(what: str, text: str | None, says: str) -> BadInput:
    def make() -> None:
        _folder("", _nothing_of).make()
        _with_dataset(f'name = "table"\npath = "scans/table.csv"\nsize = 8\n{says}')
        if text is not None:
            Path("scans/table.csv").write_text(text, "latin-1")

    return BadInput(what, make)


# plugins

_HOOK = """
from medssl_bench import hookimpl
from medssl_bench.datasets import Dataset, DatasetInfo, Task
from medssl_bench.evaluators import Evaluator

@hookimpl
def medssl_{kind}s(register):
    register("mine", make)

"""
_DATASET = """
class Mine(Dataset):
    def info(self):
        {info}
    def fingerprint(self):
        return {print}
    def load(self):
        raise LookupError("nothing here")

def make(context):
    return Mine()
"""
_REGISTER = 'register("mine", mine)'
_INFO = "return DatasetInfo('Mine', Task.BINARY, ('a', 'b'), {channels}, 28, {{'train': 50, 'val': {val}, 'test': 20}})"


def _plugin(what: str, code: str, old: str = "", new: str = "", *, more: str = "x.py") -> BadInput:
    def make() -> None:
        text = GOOD.replace(SEEDS, f'{SEEDS}plugins = ["{more}"]\n')
        assert not old or old in text
        Path("suite.toml").write_text(text.replace(old, new) if old else text, "utf-8")
        Path("x.py").write_text(code, "utf-8")

    return BadInput(what, make)


def _own_set(what: str, info: str, print_: str = "'x'") -> BadInput:
    code = _HOOK.format(kind="dataset") + _DATASET.format(info=info, print=print_)
    return _plugin(what, code, '["squares"]', '["mine"]')


def _own_evaluator(what: str, body: str) -> BadInput:
    return _plugin(what, _HOOK.format(kind="evaluator") + body, '"linear_probe"', '"mine"')


_PLUGINS = [
    _plugin("exits when imported", "raise SystemExit(0)"),
    _plugin("raises when imported", "1 / 0"),
    _plugin("has a null byte", f"{PLUGIN}\0"),
    _plugin("an unknown hook", PLUGIN.replace("medssl_augmentations", "medssl_augmentation")),
    _plugin("a hook with other arguments", PLUGIN.replace("(register)", "(register, more)")),
    _plugin("a hook that raises", PLUGIN.replace(_REGISTER, "raise LookupError('no idea')")),
    _plugin("registers the same name twice", PLUGIN.replace(_REGISTER, f"{_REGISTER}; {_REGISTER}")),
    _plugin("registers what cannot be called", PLUGIN.replace(_REGISTER, 'register("mine", 3)')),
    _plugin("registers a name with a space", PLUGIN.replace(_REGISTER, 'register("my own", mine)')),
    _plugin("a parameter without a type", PLUGIN.replace("strength: float", "strength")),
    _plugin("a parameter of a type that TOML lacks", PLUGIN.replace("float = 1.0", "type = int")),
    _plugin("a default of the wrong type", PLUGIN.replace("= 1.0", "= 'strong'")),
    _plugin("a factory that lacks its argument", PLUGIN.replace("size: int, ", "")),
    _own_set("a data set of another type", "return 'some text'"),
    _own_set("a data set that raises", "raise LookupError('no idea')"),
    _own_set("a data set without validation images", _INFO.format(channels=3, val=-1)),
    _own_set("a data set of two channels", _INFO.format(channels=2, val=10)),
    _own_set("a fingerprint that is no text", _INFO.format(channels=3, val=10), "3"),
    _own_evaluator("an evaluator of another type", "def make():\n    return None\n"),
    _own_evaluator("an evaluator that raises", "def make():\n    raise ValueError('not today')\n"),
    _own_evaluator("an evaluator that is a class of its own", "class E:\n    pass\ndef make():\n    return E()\n"),
    BadInput("a plugin that is not there", _nothing, ("check-plugin", "nowhere")),
]  # fmt: skip


# stores


def _store(what: str, make: Callable[[Path], object], verb: str = "plan") -> BadInput:
    return BadInput(what, lambda: make(Path("store")), (verb, "suite.toml"))


def _marker(text: str) -> Callable[[Path], object]:
    def make(store: Path) -> None:
        store.mkdir()
        (store / "store.json").write_text(text, "utf-8")

    return make


_STORES = [
    _store("a file", lambda store: store.write_text("")),
    _store("a folder of something else", lambda store: (store.mkdir(), (store / "photo.png").write_text(""))),
    _store("layout 99", _marker('{"layout": 99}'), "run"),
    _store("a marker that is not JSON", _marker("layout 1"), "run"),
    _store("a marker of another kind", _marker("[1]"), "leaderboard"),
    BadInput("no results to report", _nothing, ("report", "suite.toml", "-o", "report")),
    BadInput("no trained model to export", _nothing, ("export", "suite.toml", "--arm", "frozen", "-o", "model")),
    BadInput("no trained model to predict with", _nothing, (*_PREDICT, "suite.toml", "squares.npz", "--arm", "frozen")),
    BadInput("a model that is none", lambda: Path("model").mkdir(), (*_PREDICT, "model", "squares.npz")),
    BadInput("a table of predictions that is there", lambda: Path("new.csv").touch(), (*_PREDICT, "model", "new")),
]


# checkpoints and weights


def _weights(what: str, content: bytes) -> BadInput:
    def make() -> None:
        encoder = 'encoder = { name = "resnet18", weights_file = "w.safetensors" }\n'
        Path("suite.toml").write_text(GOOD.replace(EPOCHS, EPOCHS + encoder), "utf-8")
        Path("w.safetensors").write_bytes(content)

    return BadInput(what, make)


def _safetensors(header: str, body: int) -> bytes:
    return len(header).to_bytes(8, "little") + header.encode() + bytes(body)


_ONE = '"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}'
_TWO = '"b": {"dtype": "F32", "shape": [4], "data_offsets": [8, 24]}'

_NO_CHECKPOINTS: dict[str, Callable[[Path], object]] = {
    "a checkpoint that is a pipe": os.mkfifo,
    "a checkpoint that is a device without end": lambda path: path.symlink_to("/dev/zero"),
    "a checkpoint without bytes": lambda path: path.write_bytes(b""),
    "a web page in its place": lambda path: path.write_text("<!DOCTYPE html><title>404</title>"),
    "a pointer of Git LFS": lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"),
    "a checkpoint that is compressed": lambda path: path.write_bytes(gzip.compress(b"x")),
    "a model of Keras": lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99)),
    "an index of several files": lambda path: path.write_text('{"weight_map": {}}'),
}

_CHECKPOINTS = [
    _weights("weights as a pickle", pickle.dumps({"a": 1})),
    _weights("weights as torch.save writes them", b"PK\x03\x04\x00\x00\x08\x08" + bytes(99)),
    _weights("weights without bytes", b""),
    _weights("a header longer than the file", (2**63).to_bytes(8, "little") + bytes(99)),
    _weights("a header that is not JSON", _safetensors("{]}", 0)),
    _weights("tensors that overlap", _safetensors(f"{{{_ONE}, {_TWO}}}", 24)),
    _weights("a tensor larger than its bytes", _safetensors(f"{{{_ONE}}}".replace("[4]", "[1099511627776]"), 16)),
    _weights("truncated weights", _safetensors(f"{{{_ONE}}}", 9)),
    *(
        BadInput(what, partial(make, Path("weights.ckpt")), ("import", "weights.ckpt", "-o", "imported"))
        for what, make in _NO_CHECKPOINTS.items()
    ),
    BadInput("a checkpoint that is not there", _nothing, ("import", "no.ckpt", "-o", "imported")),
    BadInput("a checkpoint that is a folder", _nothing, ("import", ".", "-o", "imported")),
    BadInput(
        "a checkpoint that is a pickle of code",
        lambda: Path("evil.ckpt").write_bytes(pickle.dumps(print)),
        ("import", "evil.ckpt", "-o", "imported"),
    ),
    BadInput("a public encoder that there is not", _nothing, ("encoders", "fetch", "resnet999")),
    BadInput("weights that there are not", _nothing, ("encoders", "fetch", "test_vit.in1k")),
    BadInput("a part of no name", _nothing, ("encoders", "list", "no-such-model")),
]  # fmt: skip


# the command line and the environment


def _command(what: str, *arguments: str, leaves: str = "") -> BadInput:
    return BadInput(what, _nothing, arguments, leaves=leaves)


_COMMANDS = [
    _command("an unknown command", "rum"),
    _command("no suite", "run"),
    _command("an unknown option", "run", "suite.toml", "--epoch", "3"),
    _command("seeds that are no numbers", "run", "suite.toml", "--seeds", "x"),
    _command("a range the wrong way round", "plan", "suite.toml", "--seeds", "5-1"),
    _command("a range without an end", "plan", "suite.toml", "--draws", "0-99999999999"),
    _command("a seed of thirty digits", "plan", "suite.toml", "--seeds", "9" * 30),
    _command("a scale of nothing", "run", "suite.toml", "--epochs-scale", "0"),
    _command("a scale that is no number", "plan", "suite.toml", "--epochs-scale", "nan"),
    _command("an arm that is not there", "run", "suite.toml", "--only", "supervized"),
    _command("an executor that is not there", "run", "suite.toml", "--executor", "cloud", leaves="store"),
    _command("a parameter that the executor lacks", "run", "suite.toml", "--executor-set", "workers=2", leaves="store"),
    _command("a parameter without a value", "run", "suite.toml", "--executor-set", "workers"),
    _command("a watcher that is not there", "run", "suite.toml", "--watch", "tensorbord"),
    _command("a parameter of no watcher", "run", "suite.toml", "--watch-set", "tensorboard.folder=logs"),
    _command("a form that is not there", "leaderboard", "suite.toml", "--format", "word"),
    _command("an output in no folder", "leaderboard", "suite.toml", "--format", "csv", "-o", "no/board.csv"),
    _command("a kind that is not there", "list", "models"),
    _command("a component that is not there", "show", "augmentation", "tau_nog"),
    _command("a data set that is not there", "data", "fetch", "bloodmist"),
    _command("a name that is none for a plugin", "new-plugin", "../x"),
    _command("a plugin left out that is needed", "-p", "no:datasets", "validate", "suite.toml"),
    _command("a wrong way to leave one out", "-p", "evaluators", "validate", "suite.toml"),
    _command("data in a file", "plan", "suite.toml", "--data-dir", "suite.toml"),
]

_FETCH = ("data", "fetch", "bloodmnist", "--data-dir", "data")


def _variable(what: str, name: str, value: str, *arguments: str) -> BadInput:
    return BadInput(what, _nothing, arguments, {name: value}, leaves="data" if arguments == _FETCH else "")


_ENVIRONMENT = [
    _variable("MEDSSL_BENCH_STORE is a file", "MEDSSL_BENCH_STORE", "suite.toml", "plan", "suite.toml"),
    _variable("MEDSSL_BENCH_DATA is a file", "MEDSSL_BENCH_DATA", "suite.toml", "plan", "suite.toml"),
    _variable("MEDSSL_BENCH_DATA names an unknown user", "MEDSSL_BENCH_DATA", "~nobodyhere/x", "plan", "suite.toml"),
    _variable("MEDSSL_BENCH_MIRROR is no address", "MEDSSL_BENCH_MIRROR", "nonsense", *_FETCH),
    _variable("MEDSSL_BENCH_MIRROR is a file", "MEDSSL_BENCH_MIRROR", "file:///etc", *_FETCH),
    _variable("MEDSSL_BENCH_MIRROR does not answer", "MEDSSL_BENCH_MIRROR", "http://127.0.0.1:1", *_FETCH),
    _variable("MEDSSL_BENCH_BLOCK names what is needed", "MEDSSL_BENCH_BLOCK", "datasets", *VALIDATE),
]

KINDS: dict[str, list[BadInput]] = {
    "Suites": _suites(),
    "npz files": _NPZ,
    "Folders of images": _FOLDERS,
    "Tables of images": [_table(*case) for case in TABLES],
    "Plugins": _PLUGINS,
    "Stores": _STORES,
    "Checkpoints and weights": _CHECKPOINTS,
    "The command line": _COMMANDS,
    "The environment": _ENVIRONMENT,
}
"""Bad input by what it is of."""


def shown_command(case: BadInput) -> str:
    """Return the command as a shell shows it, without what is usual."""
    words = [printable(word) if len(word) < 40 else f"{word[:10]}..." for word in case.arguments]
    return " ".join(["medssl-bench", *words])
