"""A suite in a notebook: its recipes, and the arms of its comparisons."""

from __future__ import annotations

from collections.abc import Callable

from suite.conftest import changed, evaluated_by
from test_markup import Reader

from medssl_bench import Suite


def test_it_shows_recipes_arms_and_what_is_repeated(load: Callable[..., Suite]) -> None:
    own = evaluated_by(0, evaluator='{ name = "finetune", epochs = 3 }', encoder='"resnet34"')
    suite = load(changed(('name = "small"', 'name = "a <small> suite"\nseeds = [0, 1]'), own))
    read = Reader(suite._repr_html_())
    assert read.texts[1] == ("b", "a <small> suite")
    rows = read.of("td")
    assert rows[:5] == ["nat", "simclr", "resnet18", "simclr", "10 epochs"]
    arms = [tuple(rows[place : place + 4]) for place in range(5, len(rows), 4)]
    assert arms[0] == ("majority class (floor)", "none", "resnet18", "majority")
    assert arms[-2:] == [
        ("supervised (baseline)", "none", "resnet34", "finetune epochs=3"),
        ("frozen", "nat", "resnet18", "linear_probe"),
    ]
    assert read.of("p")[-3:] == [
        "Data sets: bloodmnist.",
        "Repeated over: labels 100, all; training seeds 0, 1; label draws 0.",
        "Metrics: accuracy, auroc.",
    ]
    assert repr(suite) == "<Suite 'a <small> suite': 1 comparison, 4 arms>"


def test_a_control_and_other_data_sets_are_told(load: Callable[..., Suite]) -> None:
    control = ('baseline = "supervised"', "shuffle_labels = true")
    chain = ('pretraining = ["nat"]', 'pretraining = ["nat", { recipe = "nat", on = "pathmnist" }]')
    suite = load(changed(control, chain))
    read = Reader(suite._repr_html_())
    assert read.of("td")[-3] == "nat, then nat on pathmnist"
    assert "shuffled" in read.of("p")[-1]
