"""New files: read a few at a time, and all that cannot be used are told together."""

from __future__ import annotations

import dataclasses
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medssl_bench.datasets.decode import decode
from medssl_bench.datasets.file_reading import FileReading
from medssl_bench.datasets.new_images import files
from medssl_bench.datasets.new_images.files import NewFiles
from medssl_bench.datasets.new_images.kind import ImageKind
from medssl_bench.datasets.pixel_choices import Choices
from medssl_bench.errors import DataError, UserError

OF_FILES = ImageKind(16, 1, FileReading(Choices(), True, (8,)))


def _write(folder: Path, count: int) -> list[Path]:
    rng = np.random.default_rng(0)
    places = [folder / f"{place:02}.png" for place in range(count)]
    for place in places:
        Image.fromarray(rng.integers(0, 255, (20, 24), dtype=np.uint8)).save(place)
    return places


def _new(places: list[Path], folder: Path, kind: ImageKind = OF_FILES) -> NewFiles:
    return NewFiles([place.name for place in places], places, kind, kind.reading(), folder / "cache")


@given(count=st.integers(1, 20), part=st.integers(1, 25))
@settings(deadline=None, max_examples=20)
def test_parts_are_the_images_in_order(tmp_path_factory: pytest.TempPathFactory, count: int, part: int) -> None:
    folder = tmp_path_factory.mktemp("new")
    places = _write(folder, count)
    parts = list(_new(places, folder).parts(part))
    assert [len(images) for images in parts] == [min(part, count - start) for start in range(0, count, part)]
    whole = np.concatenate(parts)
    for place, image in zip(places, whole, strict=True):
        assert np.array_equal(image, decode(place, 16, 1, strict=True).pixels)


def test_files_are_read_only_a_little_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    lock = threading.Lock()
    real = files.try_decode

    def counting(name: str, **options):
        with lock:
            read.append(name)
        return real(name, **options)

    monkeypatch.setattr(files, "try_decode", counting)
    parts = _new(_write(tmp_path, 60), tmp_path).parts(4)
    for number in range(3):
        next(parts)
        assert len(read) <= 4 * (number + 3)
    parts.close()


def test_all_that_cannot_be_used_are_counted_and_listed(tmp_path: Path) -> None:
    places = _write(tmp_path, 12)
    for place in places[5:9]:
        place.write_bytes(b"nothing")
    places[10].unlink()
    parts = _new(places, tmp_path).parts(2)
    assert [len(next(parts)), len(next(parts))] == [2, 2]
    with pytest.raises(DataError) as caught:
        next(parts)  # nothing after the first that cannot be used
    assert str(caught.value).startswith("5 of 12 images cannot be used: 05.png (")
    listed = Path(str(caught.value).partition("all in ")[2].partition(")")[0]).read_text("utf-8")
    assert [line.partition("\t")[0] for line in listed.splitlines()] == [places[n].name for n in (5, 6, 7, 8, 10)]


@pytest.mark.parametrize(
    ("trained", "bits", "refused"),
    [
        (Choices(), (16,), "it has 8 bits a value, and the model was trained on images of 16"),
        (Choices(), (8, 16), ""),
        (Choices((0, 4095)), (16,), "it has 8 bits a value, and the model was trained on images of more than 8"),
        (Choices("percentile"), (16,), ""),
        (Choices("full"), (16,), ""),
        (Choices("window"), (16,), "it has no window, which DICOM files have"),
    ],
)
def test_bits_are_those_of_the_training_unless_a_range_fits_all(
    tmp_path: Path, trained: Choices, bits: tuple[int, ...], refused: str
) -> None:
    new = _new(_write(tmp_path, 2), tmp_path, ImageKind(16, 1, FileReading(trained, True, bits)))
    if not refused:
        assert sum(map(len, new.parts(4))) == 2
        return
    with pytest.raises(DataError, match=refused):
        list(new.parts(4))


def test_twelve_bits_in_sixteen_are_not_read_as_black(tmp_path: Path) -> None:
    place = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 4095, (20, 20)).astype(np.uint16)).save(place)
    new = _new([place], tmp_path, ImageKind(16, 1, FileReading(Choices(), True, (16,))))
    with pytest.raises(DataError, match="a sixteenth of the range of their files or less"):
        list(new.parts(4))


def test_colours_are_refused_or_made_grey_as_in_training(tmp_path: Path) -> None:
    place = tmp_path / "a.png"
    colours = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(colours).save(place)
    with pytest.raises(DataError, match="in colour, and the model takes grey images"):
        list(_new([place], tmp_path).parts(1))
    chosen = ImageKind(16, 1, FileReading(Choices(), False, (8,)))
    (made,) = _new([place], tmp_path, chosen).parts(1)
    assert np.array_equal(made[0], np.asarray(Image.fromarray(colours).convert("L")))


def test_notes_name_images_that_show_nothing(tmp_path: Path) -> None:
    places = _write(tmp_path, 2)
    Image.new("L", (20, 20)).save(places[1])
    new = _new(places, tmp_path)
    list(new.parts(4))
    assert new.notes == ["1 image is of one value in all pixels (01.png, say)"]


_choices = st.builds(
    Choices,
    st.sampled_from([None, "full", "percentile", "window", (0.0, 4095.0), (-1000.0, 400.0)]),
    st.sampled_from(["crop", "pad", "stretch"]),
    st.none() | st.integers(0, 5),
)
_kinds = st.builds(
    ImageKind,
    st.integers(1, 300),
    st.sampled_from([1, 3]),
    st.none() | st.builds(FileReading, _choices, st.booleans(), st.sampled_from([(8,), (8, 16), (12,)])),
)


@given(_kinds)
@settings(deadline=None)
def test_a_kind_is_the_same_after_json(kind: ImageKind) -> None:
    assert ImageKind.from_data(json.loads(json.dumps(dataclasses.asdict(kind)))) == kind


@given(_kinds, st.sampled_from([None, "full", (0.0, 4095.0)]), st.sampled_from([None, "crop", "pad"]))
@settings(deadline=None)
def test_what_the_training_says_cannot_be_chosen_otherwise(kind: ImageKind, chosen, fit) -> None:
    own = kind.files.choices if kind.files else None
    if own and ((chosen and chosen != own.range) or (fit and fit != own.fit)):
        with pytest.raises(UserError, match="the model was trained on files read with"):
            kind.reading(chosen, fit)
        return
    found = kind.reading(chosen, fit)
    assert (found.choices.range, found.choices.fit) == (
        (own.range, own.fit) if own else (chosen, fit or "crop")
    )  # fmt: skip
    assert found.resizes == (own is not None or fit is not None)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"choices": {}, "strict": True, "bits": [8]},
        {"choices": {"range": [5, 3], "fit": "pad", "frame": None}, "strict": True, "bits": [8]},
        {"choices": {"range": None, "fit": "fold", "frame": None}, "strict": True, "bits": [8]},
        {"choices": {"range": None, "fit": "pad", "frame": -1}, "strict": True, "bits": [8]},
        {"choices": {"range": None, "fit": "pad", "frame": None}, "strict": 1, "bits": [8]},
        {"choices": {"range": {}, "fit": "pad", "frame": None}, "strict": True, "bits": [8]},
        {"choices": {"range": None, "fit": [], "frame": None}, "strict": True, "bits": [8]},
    ],
)
def test_what_says_nothing_of_files_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="not how files are read"):
        FileReading.from_data(data)
