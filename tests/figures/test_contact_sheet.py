import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from medssl_bench.figures.contact_sheet import HalfBlocks, contact_sheet, varied_images

ORIGINALS = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
VIEWS = [torch.rand(3, 3, 8, 8) for _ in range(2)]


def test_originals_stand_left_and_views_to_their_right_enlarged_pixel_by_pixel() -> None:
    sheet = np.asarray(contact_sheet(ORIGINALS, VIEWS, scale=5, gap=3))
    assert sheet.shape == (3 * 43 - 3, 3 * 43 - 3, 3)
    for row in range(3):
        cells = sheet[row * 43 : row * 43 + 40]
        assert np.array_equal(cells[2::5, 2:40:5], ORIGINALS[row])
        for place, views in enumerate(VIEWS, start=1):
            view = (views[row] * 255).round().byte().permute(1, 2, 0).numpy()
            assert np.array_equal(cells[2::5, place * 43 + 2 : place * 43 + 40 : 5], view)
    assert (sheet[40:43] == 255).all()
    assert (sheet[:, 40:43] == 255).all()


def test_grey_images_and_originals_of_another_size_are_shown_too() -> None:
    grey = np.full((2, 32, 32), 90, dtype=np.uint8)
    sheet = np.asarray(contact_sheet(grey, [torch.full((2, 1, 8, 8), 0.5)], scale=2, gap=0))
    assert sheet.shape == (32, 32, 3)
    assert (sheet[:, :16] == 90).all()
    assert (sheet[:, 16:] == 128).all()


def test_small_images_are_made_visible_by_default() -> None:
    assert contact_sheet(ORIGINALS, VIEWS, gap=0).size == (3 * 112, 3 * 112)
    assert contact_sheet(np.zeros((1, 224, 224), np.uint8), [torch.rand(1, 3, 224, 224)], gap=0).size == (448, 224)


def test_captions_are_written_above_the_columns() -> None:
    plain = np.asarray(contact_sheet(ORIGINALS, VIEWS))
    captioned = np.asarray(contact_sheet(ORIGINALS, VIEWS, captions=["original", "view 1", "view 2"]))
    head = len(captioned) - len(plain)
    assert np.array_equal(captioned[head:], plain)
    columns = captioned[:head].min(axis=(0, 2)) < 200
    assert all(columns[start : start + 112].any() for start in (0, 114, 228))


@pytest.mark.parametrize(
    ("originals", "captions", "message"),
    [
        (ORIGINALS[:2], [], r"same number of images, at least 1; got \[2, 3, 3\]"),
        (ORIGINALS.astype(np.int64), [], "int64 .* are not images"),
        (ORIGINALS, ["original"], "3 columns need as many captions, not 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(originals: np.ndarray, captions: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        contact_sheet(originals, VIEWS, captions=captions)


def test_a_terminal_shows_two_pixels_to_a_character() -> None:
    picture = Image.fromarray(np.array([[[255, 0, 0], [1, 2, 3]], [[0, 255, 0], [4, 5, 6]]], dtype=np.uint8))
    console = Console(force_terminal=True, color_system="truecolor", width=40)
    with console.capture() as capture:
        console.print(HalfBlocks(picture))
    text = capture.get()
    assert "\x1b[38;2;255;0;0;48;2;0;255;0m▀" in text
    assert "\x1b[38;2;1;2;3;48;2;4;5;6m▀" in text
    assert text.count("▀") == 2


def test_a_wide_picture_is_narrowed_to_the_terminal() -> None:
    console = Console(force_terminal=True, color_system="truecolor", width=30)
    with console.capture() as capture:
        console.print(HalfBlocks(contact_sheet(ORIGINALS, VIEWS)))
    lines = capture.get().splitlines()
    assert {line.count("▀") for line in lines} == {30}
    assert len(lines) == 15


def test_images_of_every_class_are_chosen_in_the_order_of_the_classes() -> None:
    labels = np.array([[0]] * 50 + [[2]] * 3 + [[1]] * 2)
    chosen = varied_images(labels, 5)
    assert labels[chosen[:3], 0].tolist() == [0, 1, 2]
    assert len(set(chosen.tolist())) == 5
    assert varied_images(labels, 5).tolist() == chosen.tolist()
    assert varied_images(labels, 5, seed=1).tolist() != chosen.tolist()
    assert sorted(varied_images(labels, 99).tolist()) == list(range(55))
    assert len(varied_images(np.array([[0, 1], [1, 1], [0, 0]]), 2)) == 2
