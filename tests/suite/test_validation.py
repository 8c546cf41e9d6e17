"""Documents that do not fit the schema; every problem at its line and key, in words of TOML."""

from collections.abc import Callable

import pytest
from suite.conftest import changed

from medssl_bench.suite.suite import Suite

Problems = Callable[..., list[str]]

EPOCHS = "epochs = 10\n"
LABELS = 'labels = [100, "all"]\n'


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("schema = 1", "schema = 2"), "1: schema: expected 1, not 2"),
        (("schema = 1", 'schema = "1"'), "1: schema: expected 1, not '1'"),
        (("schema = 1\n", ""), "1: schema: this key is required"),
        (('name = "small"', "name = 3"), "2: name: expected text in quotes, not 3"),
        (('name = "small"', 'name = ""'), "2: name: this must not be empty"),
        (('name = "small"', f'name = "{"x" * 81}"'), "2: name: string should have at most 80 characters, not 'xxxx"),
        (('name = "small"', 'name = "a/b"'), "2: name: this must not have a slash, a backslash or a control character"),
        (('id = "table"', 'id = "a\\u0007"'), "9: comparison[0].id: this must not have a slash, a backslash or"),
        (('id = "table"', 'id = "t"\ntitle = "a\\nb"'), "10: comparison[0].title: this must be one line"),
        (('name = "small"', 'name = "x"\nseed = [0]'), "3: seed: unknown key (did you mean 'seeds'?)"),
        (
            ('name = "small"', 'name = "x"\nzzz = [0]'),
            "3: zzz: unknown key; known here: schema, name, description, ext",
        ),
        (
            ('name = "small"', 'name = "x"\nseeds = [-1]'),
            "3: seeds[0]: input should be greater than or equal to 0, not",
        ),
        (('name = "small"', 'name = "x"\nseeds = [true]'), "3: seeds[0]: expected a whole number, not True"),
        (('name = "small"', 'name = "x"\nseeds = [1.0]'), "3: seeds[0]: expected a whole number, not 1.0"),
        (('name = "small"', 'name = "x"\nseeds = 1'), "3: seeds: expected a list, not 1"),
        (('name = "small"', 'name = "x"\nseeds = []'), "3: seeds: this must not be empty"),
        (
            ('name = "small"', 'name = "x"\nepochs_scale = 1.5'),
            "3: epochs_scale: input should be less than or equal to",
        ),
        (('name = "small"', 'name = "x"\nepochs_scale = "1"'), "3: epochs_scale: expected a number, not '1'"),
        (
            ('name = "small"', 'name = "x"\nfloors = ["majoriti"]'),
            "3: floors[0]: expected 'majority' or 'untrained', not 'majoriti' (did you mean 'majority'?)",
        ),
        (('name = "small"', 'name = "x"\ndataset = 3'), "3: dataset: expected a table, not 3"),
        (
            ("[pretraining.nat]", "[pretraining.nat]\noptimizer.lrr = 1.0"),
            "5: pretraining.nat.optimizer.lrr: optimizer 'adamw': unknown parameter (did you mean 'lr'?)",
        ),
        (
            ("[pretraining.nat]", "[pretraining.nat]\noptimizer = 3"),
            "5: pretraining.nat.optimizer: expected a name or a table for optimizer, not 3",
        ),
        (
            ("[pretraining.nat]", "[pretraining.nat]\noptimizer.lr = -1"),
            "5: pretraining.nat.optimizer.lr: optimizer 'adamw': input should be greater than 0, not -1",
        ),
        (
            ("[pretraining.nat]", "[pretraining.nat]\nschedule.name = 'cosin'"),
            "5: pretraining.nat.schedule.name: there is no schedule 'cosin' (did you mean 'cosine'?)",
        ),
        (
            ("[pretraining.nat]", "[pretraining.optimizer]\nzzz = 1"),
            "5: pretraining.optimizer.zzz: unknown key; known here: extends, method, ",
        ),
        (('augmentation = "simclr"\n', ""), "4: pretraining.nat.augmentation: this key is required"),
        ((EPOCHS, "epochs = 0\n"), "6: pretraining.nat.epochs: input should be greater than or equal to 1, not 0"),
        ((EPOCHS, "epochs = 1.5\n"), "6: pretraining.nat.epochs: expected a whole number, not 1.5"),
        ((EPOCHS, "epochs = true\n"), "6: pretraining.nat.epochs: expected a whole number, not True"),
        (
            (EPOCHS, "[pretraining.nat.epochs]\ndefault = 1\nx = 'a'\n"),
            "8: pretraining.nat.epochs.x: expected a whole number, not 'a'",
        ),
        (
            (EPOCHS, ""),
            "4: pretraining.nat: give exactly one of epochs, steps, images_seen and compute_images, not none",
        ),
        (
            (EPOCHS, "epochs = 1\nsteps = 2\n"),
            "4: pretraining.nat: give exactly one of epochs, steps, images_seen and compute_images, not",
        ),
        (
            (EPOCHS, "epochs = 1\nimages = 0\n"),
            "7: pretraining.nat.images: at least one image is needed; give N from 1",
        ),
        (
            (EPOCHS, "epochs = 1\nimages.per_class = 3\n"),
            "7: pretraining.nat.images: a pretraining sees no labels; give N",
        ),
        (
            (EPOCHS, "epochs = 1\nimages = { count = 3, stratified = true }\n"),
            "7: pretraining.nat.images: a pretraining ",
        ),
        (
            (EPOCHS, 'epochs = 1\nimages = { count = 3, short = "skip" }\n'),
            '7: pretraining.nat.images: short = "skip" ',
        ),
        (
            (EPOCHS, 'epochs = 1\nteacher = { arm = "x", labels = { count = 3, short = "skip" } }\n'),
            '7: pretraining.nat.teacher.labels: short = "skip" leaves out cells of a table, so it is for `labels`',
        ),
        ((EPOCHS, "epochs = 1\nteacher = {}\n"), "7: pretraining.nat.teacher.arm: this key is required"),
        ((EPOCHS, 'epochs = 1\nteacher = "x"\n'), "7: pretraining.nat.teacher: expected a table, not 'x'"),
        ((LABELS, ""), "8: comparison[0].labels: this key is required"),
        ((LABELS, "labels = []\n"), "11: comparison[0].labels: this must not be empty"),
        ((LABELS, "labels = 100\n"), "11: comparison[0].labels: expected a list, not 100"),
        ((LABELS, "labels = [\n  100,\n  0,\n]\n"), "13: comparison[0].labels[1]: at least one image is needed"),
        ((LABELS, 'labels = [1, "some"]\n'), "11: comparison[0].labels[1]: 'some' is not a budget; give N"),
        (
            (LABELS, "labels = [{ per_clas = 3 }]\n"),
            "11: comparison[0].labels[0].per_clas: unknown key (did you mean 'per_class'?)",
        ),
        (
            (LABELS, 'labels = [1]\nvalidation_labels.count = 3\nvalidation_labels.short = "no"\n'),
            "13: comparison[0].validation_labels.short: expected 'error', 'clip' or 'skip', not 'no'",
        ),
        (
            (LABELS, 'labels = [1]\nvalidation_labels = { count = 3, short = "skip" }\n'),
            '12: comparison[0].validation_labels: short = "skip" leaves out cells',
        ),
        (
            (LABELS, 'labels = [1]\nmetrics = ["acuracy"]\n'),
            "12: comparison[0].metrics[0]: there is no metric 'acuracy' (did you mean 'accuracy'?)",
        ),
        ((LABELS, "labels = [1]\nmetrics = []\n"), "12: comparison[0].metrics: this must not be empty"),
        (
            (LABELS, 'labels = [1]\nselection = "best"\n'),
            "12: comparison[0].selection: expected 'validation', 'last' or",
        ),
        (
            (LABELS, "labels = [1]\nshuffle_labels = 1\n"),
            "12: comparison[0].shuffle_labels: expected true or false, not 1",
        ),
        (
            ('datasets = ["bloodmnist"]', 'datasets = "bloodmnist"'),
            "10: comparison[0].datasets: expected a list, not 'bl",
        ),
        (
            ('evaluator = "finetune"', 'evaluater = "finetune"'),
            "16: comparison[0].arm[0].evaluater: unknown key (did you mean 'evaluator'?)",
        ),
        (('  evaluator = "finetune"\n', ""), "14: comparison[0].arm[0].evaluator: this key is required"),
        (('["nat"]', "[3]"), "20: comparison[0].arm[1].pretraining[0]: expected a table, not 3"),
        (('["nat"]', '"nat"'), "20: comparison[0].arm[1].pretraining: expected a list, not 'nat'"),
        (
            ('["nat"]', '[{ recip = "nat" }]'),
            "20: comparison[0].arm[1].pretraining[0].recip: unknown key (did you mean 'recipe'?)",
        ),
        (
            ('["nat"]', "[{ recipe = 3 }]"),
            "20: comparison[0].arm[1].pretraining[0].recipe: expected text in quotes, not 3",
        ),
        (
            ("[[comparison]]", "[comparison]"),
            (
                "8: comparison: expected a list, not {'id': 'table', 'datasets': ['bloodmnist'],"
                " 'labels': [10...; write its header with two brackets, [[comparison]]"
            ),
        ),
        # what no key takes, wherever it stands
        ((EPOCHS, "epochs = nan\n"), "6: pretraining.nat.epochs: nan is not a finite number"),
        ((EPOCHS, "epochs = 1\noptimizer.lr = -inf\n"), "7: pretraining.nat.optimizer.lr: -inf is not a finite number"),
        (
            (EPOCHS, 'epochs = 1\nencoder = { name = "timm", model = "x", options = { a = [nan] } }\n'),
            "7: pretraining.nat.encoder.options.a[0]: nan is not a finite number",
        ),
        (
            (EPOCHS, f"epochs = 1{'0' * 30}\n"),
            "6: pretraining.nat.epochs: this whole number is too large: TOML has 64 bits",
        ),
        ((EPOCHS, "epochs = 2024-01-31\n"), "6: pretraining.nat.epochs: 2024-01-31 is a date or a time, which no key"),
        (
            (EPOCHS, "epochs = 1\nencoder = { name = 'timm', model = 07:30:00 }\n"),
            "7: pretraining.nat.encoder.model: 07:30:00 is a date or a time",
        ),
        (
            (EPOCHS, 'epochs = 1\n[dataset."a\\nb"]\nname = "bloodmnist"\n'),
            '7: dataset."a\\nb": this key has a control character in it',
        ),
    ],
)
def test_one_problem(change: tuple[str, str], wanted: str, problems: Problems) -> None:
    (found,) = problems(changed(change))
    assert found.startswith(f"suite.toml:{wanted}")


def test_everything_that_is_wrong_is_told_at_once(problems: Problems) -> None:
    found = problems(changed((EPOCHS, "epochs = 0\nkeep = 3\n"), (LABELS, "label = [1]\n"), ('"frozen"', '""')))
    assert found == [
        "suite.toml:6: pretraining.nat.epochs: input should be greater than or equal to 1, not 0",
        "suite.toml:7: pretraining.nat.keep: expected 'last' or 'best', not 3",
        "suite.toml:12: comparison[0].label: unknown key (did you mean 'labels'?)",
        "suite.toml:20: comparison[0].arm[1].name: this must not be empty",
    ]


def test_a_key_that_is_misspelt_and_another_that_is_missing(problems: Problems) -> None:
    found = problems(changed(("schema = 1\n", ""), ('name = "small"', 'naem = "small"\nzzz = 1')))
    assert [line.partition(";")[0] for line in found] == [
        "suite.toml:1: schema: this key is required",
        "suite.toml:1: naem: unknown key (did you mean 'name'?)",
        "suite.toml:2: zzz: unknown key",
    ]


@pytest.mark.parametrize("text", ["", "\n", "# to be written\n"])
def test_an_empty_suite(text: str, problems: Problems) -> None:
    assert problems(text) == [
        "suite.toml:1: schema: this suite is empty; it needs a schema, a name and a [[comparison]]"
    ]


def test_arms_without_a_comparison(problems: Problems) -> None:
    text = 'schema = 1\nname = "x"\n[[comparison.arm]]\nname = "a"\nevaluator = "knn"\n'
    (found,) = problems(text)
    assert found.endswith("; write its header with two brackets, [[comparison]]")
    text = text.replace(
        "[[comparison.arm]]", '[[comparison]]\nid = "a"\ndatasets = ["b"]\nlabels = [1]\n[comparison.arm]'
    )
    (found,) = problems(text)
    assert found.startswith("suite.toml:7: comparison[0].arm: expected a list, not {'name': 'a', 'evaluator': 'knn'}")
    assert found.endswith("; write its header with two brackets, [[comparison.arm]]")


def test_requirements(problems: Problems, load: Callable[..., Suite]) -> None:
    def requiring(text: str) -> str:
        return changed(('name = "small"', f'name = "small"\nrequires = ["numpy>=1", {text}]'))

    assert load(requiring('"medssl-bench"')).name == "small"
    assert problems(requiring('"no-such-thing>=1", "not one!"')) == [
        "suite.toml:3: requires[1]: no-such-thing is not installed; pip install 'no-such-thing>=1'",
        "suite.toml:3: requires[2]: 'not one!' is not a requirement; write it as in \"medssl-bench-thesis>=0.1\"",
    ]
    (found,) = problems(requiring('"numpy>=999"'))
    assert found.endswith("is installed; pip install 'numpy>=999'")
    assert problems(requiring("3")) == ["suite.toml:3: requires[1]: expected text in quotes, not 3"]
