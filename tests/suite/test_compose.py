from collections.abc import Callable
from pathlib import Path

import pytest
from suite.conftest import SUITE, changed

from medssl_bench.suite.duration import DURATIONS
from medssl_bench.suite.suite import Suite

Load = Callable[..., Suite]
Problems = Callable[..., list[str]]

SWEPT = ("epochs = 10\n", 'epochs = 10\nsweep = { "method.temperature" = [0.1, 0.5], batch_size = [32, 64] }\n')


def _arms(suite: Suite) -> list[str]:
    return [arm.name for arm in suite.tables[0].arms if not arm.floor]


def test_a_suite_extends_another_that_extends_a_third(load: Load) -> None:
    middle = 'extends = "lowest.toml"\nname = "middle"\n[pretraining.nat]\nbatch_size = 64\n'
    top = """
    extends = "middle.toml"
    name = "top"
    seeds = [1]
    [[comparison]]
    id = "table"
    labels = [50]
      [[comparison.arm]]
      name = "frozen"
      evaluator = "knn"
      [[comparison.arm]]
      name = "third"
      evaluator = "finetune"
    [[comparison]]
    id = "another"
    datasets = ["retinamnist"]
    labels = ["all"]
      [[comparison.arm]]
      name = "knn"
      evaluator = "knn"
    """
    suite = load(top, middle=middle, lowest=SUITE)
    assert suite.name == "top"
    assert [table.id for table in suite.tables] == ["table", "another"]
    assert [budget.text for budget in suite.tables[0].labels] == ["50"]
    assert _arms(suite) == ["supervised", "frozen", "third"]
    (frozen,) = (arm for arm in suite.tables[0].arms if arm.name == "frozen")
    assert frozen.evaluator.name == "knn"
    assert frozen.chain[0].recipe.model.batch_size == 64
    assert frozen.chain[0].recipe.model.epochs == {"default": 10}
    assert suite.tables[0].seeds == (1,)


def test_an_extending_suite_leaves_out_comparisons_and_arms(load: Load) -> None:
    second = SUITE[SUITE.index("[[comparison]]") :].replace('"table"', '"second"')
    top = """
    extends = "base.toml"
    without = ["second"]
    [[comparison]]
    id = "table"
    without = ["frozen"]
      [[comparison.arm]]
      name = "knn"
      pretraining = ["nat"]
      evaluator = "knn"
    """
    suite = load(top, base=SUITE + second)
    assert [table.id for table in suite.tables] == ["table"]
    assert _arms(suite) == ["supervised", "knn"]
    again = load('extends = "top.toml"\nname = "again"\n', top=top, base=SUITE + second)
    assert _arms(again) == ["supervised", "knn"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            'extends = "base.toml"\nwithout = ["tabel"]\n',
            "without: the suite that this one extends has no comparison 'tabel' (did you mean 'table'?)",
        ),
        (
            'extends = "base.toml"\n[[comparison]]\nid = "table"\nwithout = ["frosen"]\n',
            "comparison[0].without: the suite that this one extends has no arm 'frosen' (did you mean 'frozen'?)",
        ),
        (
            SUITE.replace("schema = 1", 'schema = 1\nwithout = ["table"]'),
            "without: no suite is extended here, so nothing can be left out",
        ),
        (
            SUITE.replace('id = "table"', 'id = "table"\nwithout = ["frozen"]'),
            "comparison[0].without: no comparison of this id in another suite is extended here",
        ),
    ],
)
def test_what_cannot_be_left_out(text: str, wanted: str, problems: Problems) -> None:
    (found,) = problems(text, base=SUITE)
    assert wanted in found


def test_problems_of_an_inherited_key_name_the_file_that_has_it(problems: Problems) -> None:
    base = changed(("epochs = 10", "epochs = -10"))
    found = problems('extends = "base.toml"\nname = "top"\n', base=base)
    assert found == ["base.toml:6: pretraining.nat.epochs: input should be greater than or equal to 1, not -10"]


@pytest.mark.parametrize(
    ("extends", "wanted"),
    [
        ('"base.toml"', "base.toml:1: extends: suites extend each other in a circle: suite.toml -> base.toml -> suite"),
        ('"suite.toml"', "suite.toml:1: extends: suites extend each other in a circle: suite.toml -> suite.toml"),
        ('"no.toml"', "suite.toml:1: extends: there is no file 'no.toml' beside this one"),
        ('"../base.toml"', "suite.toml:1: extends: '../base.toml' is not the name of a suite file in the same folder"),
        ('"/etc/passwd"', "suite.toml:1: extends: '/etc/passwd' is not the name of a suite file in the same folder"),
        ('".."', "suite.toml:1: extends: there is no file '..'"),
        ('""', "suite.toml:1: extends: there is no file ''"),
        ('"."', "suite.toml:1: extends: '.' is not the name"),
        ("3", "suite.toml:1: extends: 3 is not the name of a suite file"),
        ('["base.toml"]', "suite.toml:1: extends: ['base.toml'] is not the name of a suite file"),
        (f'"{"a" * 300}"', "suite.toml:1: extends: there is no file 'aaaa"),
    ],
)
def test_extends_that_cannot_be(extends: str, wanted: str, problems: Problems) -> None:
    (found,) = problems(f"extends = {extends}\n", base='extends = "suite.toml"\n')
    assert found.startswith(wanted)


def test_a_recipe_extends_another(load: Load) -> None:
    recipes = """
[pretraining.nat]
augmentation = "simclr"
method = { name = "simclr", hidden = 512, temperature = 0.2 }
optimizer = { lr = 0.1 }
epochs = { bloodmnist = 7, default = 3 }

[pretraining.longer]
extends = "nat"
method = { name = "simclr", temperature = 0.5 }
epochs = { bloodmnist = 9 }

[pretraining.counted]
extends = "longer"
method = "simclr"
steps = 100
"""
    text = changed(('[pretraining.nat]\naugmentation = "simclr"\nepochs = 10\n', recipes), ('["nat"]', '["counted"]'))
    suite = load(text)
    models = suite.model.pretraining
    assert models["longer"].method == {"name": "simclr", "hidden": 512, "temperature": 0.5}
    assert models["longer"].epochs == {"bloodmnist": 9, "default": 3}
    assert models["longer"].optimizer["lr"] == 0.1
    counted = suite.tables[0].arms[-1].chain[0].recipe
    assert (counted.model.epochs, counted.model.steps) == (None, {"default": 100})
    assert counted.method.parameters["hidden"] == 1000


def test_recipes_that_cannot_extend(problems: Problems) -> None:
    circle = changed(("epochs = 10\n", 'epochs = 10\nextends = "b"\n[pretraining.b]\nextends = "nat"\n'))
    assert problems(circle) == [
        "suite.toml:9: pretraining.b.extends: recipes extend each other in a circle: nat -> b -> nat"
    ]
    for value, message in (
        ('"nut"', "there is no recipe 'nut' (did you mean 'nat'?)"),
        ("3", "expected the name of a recipe, not 3"),
        ('["nat"]', "expected the name of a recipe, not ['nat']"),
    ):
        found = problems(changed(("epochs = 10\n", f"epochs = 10\nextends = {value}\n")))
        assert found == [f"suite.toml:7: pretraining.nat.extends: {message}"]


def test_a_sweep_writes_out_recipes_and_the_arms_that_use_them(load: Load) -> None:
    suite = load(changed(SWEPT))
    assert _arms(suite) == [
        "supervised",
        "frozen temperature=0.1 batch_size=32",
        "frozen temperature=0.1 batch_size=64",
        "frozen temperature=0.5 batch_size=32",
        "frozen temperature=0.5 batch_size=64",
    ]
    recipe = suite.tables[0].arms[-2].chain[0].recipe
    assert (recipe.method.parameters["temperature"], recipe.model.batch_size) == (0.5, 32)
    assert recipe.name == "nat temperature=0.5 batch_size=32"


def test_a_sweep_in_a_chain_and_of_a_whole_component(load: Load) -> None:
    text = changed(
        (
            "epochs = 10\n",
            (
                'epochs = 10\nsweep = { "augmentation" = ["simclr", "plain"] }\n\n[pretraining.b]\n'
                'extends = "other"\nsweep = { "optimizer.lr" = [0.1] }\n'
                '[pretraining.other]\naugmentation = "plain"\nsteps = 1\n'
            ),
        ),
        ('["nat"]', '["nat", { recipe = "b", on = "pathmnist" }]'),
    )
    suite = load(text)
    assert _arms(suite) == ["supervised", "frozen augmentation=simclr lr=0.1", "frozen augmentation=plain lr=0.1"]
    first, second = suite.tables[0].arms[-1].chain
    assert first.recipe.augmentation.name == "plain"
    assert second.recipe.optimizer.parameters["lr"] == 0.1
    assert [dataset.label for dataset in second.on] == ["pathmnist"]


@pytest.mark.parametrize(
    ("sweep", "key", "message"),
    [
        ("3", "", "a sweep is a table such as"),
        ("{}", "", "a sweep is a table such as"),
        ('{ "method.temperature" = [] }', '."method.temperature"', "give a list of at least one value"),
        ('{ "method.temperature" = 3 }', '."method.temperature"', "give a list of at least one value"),
        ("{ method.temperature = [1.0] }", ".method", 'put the whole key in quotes, as in { "method.temperature" ='),
        ('{ "optimizer.lr" = [1, 1.0] }', "", "two variants of the recipe would be called 'lr=1'"),
        ('{ "extends" = ["a"] }', ".extends", "this key cannot be swept"),
        ('{ "images.count.x" = [1] }', '."images.count.x"', "'x' leads into 5, which is neither a table nor"),
        ('{ "augmentation.p" = [1] }', '."augmentation.p"', "'p' leads into ['plain'], which is neither a table nor"),
    ],
)
def test_sweeps_that_cannot_be(sweep: str, key: str, message: str, problems: Problems) -> None:
    text = changed(('augmentation = "simclr"', f'augmentation = ["plain"]\nimages.count = 5\nsweep = {sweep}'))
    (found,) = problems(text)
    assert found.startswith(f"suite.toml:7: pretraining.nat.sweep{key}: {message}")


def test_what_is_wrong_with_every_variant_is_told_once(problems: Problems) -> None:
    (found,) = problems(changed(("epochs = 10\n", 'epochs = 10\nsweep = { "method.temp" = [0.1, 0.2, 0.3] }\n')))
    assert found.startswith(
        "suite.toml:7: pretraining.\"nat temp=0.1\".method.temp: method 'simclr': unknown parameter"
    )
    (found,) = problems(changed(("epochs = 10\n", 'epochs = 10\nsweep = { "batchsize" = [1, 2] }\n')))
    assert "unknown key (did you mean 'batch_size'?)" in found


def test_a_swept_arm_goes_by_its_new_names(problems: Problems) -> None:
    (found,) = problems(changed(SWEPT, ('baseline = "supervised"', 'baseline = "frozen"')))
    assert found.startswith(
        "suite.toml:13: comparison[0].baseline: there is no arm 'frozen'; the arms are 'supervised', "
    )


def test_arms_of_a_wrong_type_are_left_to_the_schema(problems: Problems) -> None:
    found = problems(changed(SWEPT, ('["nat"]', '["nat", ["nat"], 3]'), ('"frozen"', "3")))
    assert {line.partition(": ")[2] for line in found} == {
        "comparison[0].arm[1].name: expected text in quotes, not 3",
        "comparison[0].arm[1].pretraining[1]: expected a table, not ['nat']",
        "comparison[0].arm[1].pretraining[2]: expected a table, not 3",
    }


def test_a_sweep_over_lists_of_ops_and_over_paths_gives_names(load: Load, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    many = ", ".join(['{ name = "gaussian_blur", p = 0.5 }'] * 4)
    sweep = f"""sweep = {{ augmentation = [
        ["resized_crop", "horizontal_flip"], [{{ name = "gaussian_blur", p = 0.5 }}], [{many}], [{many}, "grayscale"],
    ] }}"""
    names = _arms(load(changed(("epochs = 10\n", f"epochs = 10\n{sweep}\n"))))
    assert names[1:3] == [
        "frozen augmentation=resized_crop+horizontal_flip", "frozen augmentation=gaussian_blur(p=0.5)",
    ]  # fmt: skip
    assert len(set(names)) == 5
    assert all(len(name) <= 80 for name in names)
    assert names[3].startswith("frozen augmentation=gaussian_blur(p=0.5)+")
    paths = 'sweep = { "encoder.weights_file" = ["./a.safetensors", "./b.safetensors"] }'
    names = _arms(load(changed(("epochs = 10\n", f"epochs = 10\n{paths}\n"))))
    assert names[1:] == ["frozen weights_file=._a.safetensors", "frozen weights_file=._b.safetensors"]


def test_names_of_swept_arms_fit_however_long_the_arms_own_name_is(load: Load) -> None:
    long = "a name that says all there is to say of an arm, as long as a suite lets it be, k"
    assert len(long) == 80
    names = _arms(load(changed(SWEPT, ('name = "frozen"', f'name = "{long}"'))))
    assert len(set(names)) == 5
    assert [name[:73] for name in names[1:]] == [long[:73]] * 4
    assert all(len(name) == 80 for name in names[1:])


@pytest.mark.parametrize("duration", ["steps = 50", "images_seen = 5000", "epochs = 3", "compute_images = 7"])
def test_a_suite_that_extends_another_can_change_the_unit_of_a_duration(
    duration: str, load: Load, tmp_path: Path
) -> None:
    (tmp_path / "base.toml").write_text(changed())
    suite = load(f'extends = "base.toml"\nname = "heir"\n[pretraining.nat]\n{duration}\n')
    (recipe,) = {arm.chain[0].recipe.name: arm.chain[0].recipe for arm in suite.tables[0].arms if arm.chain}.values()
    given = {unit: getattr(recipe.model, unit) for unit in DURATIONS}
    unit, _, number = duration.partition(" = ")
    assert {name: value for name, value in given.items() if value} == {unit: {"default": int(number)}}
