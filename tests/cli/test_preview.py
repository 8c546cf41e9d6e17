"""``preview`` draws what the augmentation does."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Pictures are written by name: never into the repository."""
    monkeypatch.chdir(tmp_path)


def _columns(path, images, views):
    """Return the cells of a sheet, by row and column, without the captions above."""
    sheet = np.asarray(Image.open(path).convert("RGB")).astype(int)
    step = (sheet.shape[1] + 2) // (views + 1)
    top = sheet.shape[0] + 2 - images * step
    return [
        [sheet[top + y * step :, x * step :][: step - 2, : step - 2] for x in range(views + 1)] for y in range(images)
    ]


def test_views_of_nothing_are_the_images(cli, tiny):
    result = cli(
        "preview", "plain", "--suite", tiny, "--dataset", "squares", "--images", 3, "--views", 2, "-o", "a.png"
    )
    assert result.status == 0, result.err
    for original, *views in _columns("a.png", 3, 2):
        for view in views:
            np.testing.assert_array_equal(view, original)


def test_rows_show_every_class_and_seeds_repeat(cli, tiny):
    options = ("--suite", tiny, "--dataset", "squares", "--images", 3, "--views", 2)
    for name, seed in (("a.png", 1), ("b.png", 1), ("c.png", 2)):
        assert cli("preview", "nat", *options, "--seed", seed, "-o", name).status == 0
    brightness = sorted(row[0][40:70, 40:70].mean() for row in _columns("a.png", 3, 2))
    assert brightness[0] + 30 < brightness[1] < brightness[2] - 30, "one image of each class"
    pictures = [np.asarray(Image.open(name)) for name in ("a.png", "b.png", "c.png")]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any()


def test_parameters_can_be_set(cli, tiny):
    options = ("--suite", tiny, "--dataset", "squares", "--images", 2, "--views", 1)
    assert cli("preview", "simclr", *options, "--set", "strength=0.0", "--set", "flip_p=0", "-o", "a.png").status == 0
    wrong = cli("preview", "simclr", *options, "--set", "strenght=0.0", "-o", "b.png")
    assert wrong.status == 2
    assert "did you mean 'strength'" in wrong.err


def test_in_the_terminal(cli, tiny, monkeypatch):
    arguments = ("preview", "plain", "--suite", tiny, "--dataset", "squares", "--images", 1, "--views", 1)
    piped = cli(*arguments)
    assert (piped.status, piped.out) == (2, "")
    assert piped.err == "error: the standard output is no terminal, which shows colours; name a PNG with --output\n"
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, as rich takes it
    result = cli(*arguments)
    assert result.status == 0
    assert "▀" in result.out


def test_an_augmentation_of_a_suite_needs_the_suite(cli, tiny):
    result = cli("preview", "nat", "-o", "a.png")
    assert result.status == 2
    assert result.err.startswith("error: there is no augmentation 'nat'")
    assert "--suite SUITE knows those of a suite" in result.err


@pytest.mark.parametrize(("word", "meant"), [("simclrr", "simclr"), ("plian", "plain")])
def test_unknown_augmentation(cli, tiny, word, meant):
    result = cli("preview", word, "--suite", tiny, "--dataset", "squares", "-o", "a.png")
    assert result.status == 2
    assert re.search(rf"no augmentation '{word}' \(did you mean '{meant}'\?\)", result.err)


def test_the_suites_own_tables_are_meant_also_inside_others(cli, tiny):
    tiny.write_text(
        tiny.read_text()
        + """
[augmentation.soft]
name = "simclr"
strength = 0.0
flip_p = 0.0

"""
    )
    options = ("--suite", tiny, "--images", 2, "--views", 1)
    tiny.write_text(
        tiny.read_text().replace('augmentation = ["resized_crop", "horizontal_flip"]', "augmentation = {OWN}")
    )
    text = tiny.read_text()
    for own in ('"soft"', '{ name = "soft", blur_p = 0.0 }'):
        tiny.write_text(text.replace("{OWN}", own))
        for name in ("soft", "nat"):
            for settings in ((), ("--set", "strength=0.5")):
                result = cli("preview", name, "--dataset", "squares", *options, *settings, "-o", "a.png")
                assert result.status == 0, result.err
                assert f"2 images of squares, 1 views by {name}" in result.out
    wrong = cli("preview", "nat", "--dataset", "squares", *options, "--set", "strenght=0.0", "-o", "a.png")
    assert wrong.status == 2
    assert "did you mean 'strength'" in wrong.err


def test_a_list_of_ops_has_no_parameters_to_set(cli, tiny):
    result = cli("preview", "nat", "--suite", tiny, "--set", "p=0.5", "-o", "a.png")
    assert result.status == 2
    assert result.err == (
        "error: the augmentation is a list of ops, which has no parameters of its own; change the ops in the suite\n"
    )


def test_an_augmentation_that_raises_is_told_in_one_line(cli, tiny):
    tiny.with_name("mine.py").write_text(
        "from medssl_bench import hookimpl\n\n@hookimpl\ndef medssl_augmentations(register):\n"
        '    register("mine", make)\n\ndef make(size: int):\n    raise KeyError("no")\n'
    )
    tiny.write_text(tiny.read_text().replace("seeds = [0]", 'seeds = [0]\nplugins = ["mine.py"]'))
    result = cli("preview", "mine", "--suite", tiny, "-o", "a.png")
    assert result.status == 2
    assert result.err.splitlines() == [
        f"note: {tiny} runs the code of mine.py, named there as a plugin",
        "error: augmentation 'mine': KeyError: 'no'",
    ]


def test_an_augmentation_that_draws_once_for_a_batch_is_shown_and_told(cli, tmp_path):
    (tmp_path / "once.py").write_text(
        "from medssl_bench import hookimpl\n\n\n"
        "@hookimpl\ndef medssl_augmentations(register):\n    register('once', once)\n\n\n"
        "def once(size: int):\n    'A batch has one crop.'\n    from torchvision.transforms import v2\n\n"
        "    return v2.RandomResizedCrop(size)\n"
    )
    (tmp_path / "once.toml").write_text(
        'schema = 1\nname = "once"\nplugins = ["once.py"]\n[[comparison]]\nid = "table"\ndatasets = ["phantom_cells"]\n'
        'labels = [100]\n[[comparison.arm]]\nname = "probe"\nevaluator = "linear_probe"\n'
    )

    result = cli("preview", "once", "--suite", tmp_path / "once.toml", "--images", 2, "--views", 1, "-o", "a.png")

    assert result.status == 0, result.err
    assert "warning: a pretraining would refuse augmentation 'once': it draws once for a whole batch" in result.err
    assert len(_columns("a.png", 2, 1)) == 2
