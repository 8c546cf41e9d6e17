"""Names that mean something and names that mean nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from suite.conftest import changed

from medssl_bench import hookimpl
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.plugin.registry import Plugin, Register
from medssl_bench.suite.suite import Suite

Load = Callable[..., Suite]
Problems = Callable[..., list[str]]

AUGMENTATION = 'augmentation = "simclr"\n'
DATASETS = 'datasets = ["bloodmnist"]\n'
BASELINE = 'baseline = "supervised"\n'


def _arm(number: int, **values: str) -> tuple[str, str]:
    """Return a change of the evaluator of one arm."""
    name = ("finetune", "linear_probe")[number]
    return (f'evaluator = "{name}"', "\n  ".join(f"{key} = {value}" for key, value in values.items()))


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            _arm(0, evaluator='"finetun"'),
            "16: comparison[0].arm[0].evaluator: there is no evaluator 'finetun' (did you mean 'finetune'?)",
        ),
        (
            _arm(0, evaluator='{ name = "finetun" }'),
            "16: comparison[0].arm[0].evaluator.name: there is no evaluator 'fine",
        ),
        (
            _arm(0, evaluator='"zzz"'),
            "16: comparison[0].arm[0].evaluator: there is no evaluator 'zzz'; there are: finetune",
        ),
        (_arm(0, evaluator="3"), "16: comparison[0].arm[0].evaluator: expected a name or a table for evaluator, not 3"),
        (
            _arm(0, evaluator='["a"]'),
            "16: comparison[0].arm[0].evaluator: expected a name or a table for evaluator, not [",
        ),
        (
            _arm(0, evaluator="{ epochs = 3 }"),
            "16: comparison[0].arm[0].evaluator: a table for evaluator needs a name, as ",
        ),
        (
            _arm(0, evaluator='{ name = "finetune", epoch = 3 }'),
            "16: comparison[0].arm[0].evaluator.epoch: evaluator 'finetune': unknown parameter (did you mean 'ep",
        ),
        (
            _arm(0, evaluator='{ name = "majority", epochs = 3 }'),
            "16: comparison[0].arm[0].evaluator.epochs: evaluator 'majority': unknown parameter; it takes no para",
        ),
        (
            _arm(0, evaluator='{ name = "finetune", epochs = "3" }'),
            "16: comparison[0].arm[0].evaluator.epochs: evaluator 'finetune': input should be a valid integer, not '3'",
        ),
        (
            _arm(0, evaluator='{ name = "finetune", epochs = 0 }'),
            "16: comparison[0].arm[0].evaluator.epochs: evaluator 'finetune': input should be greater than or equal to",
        ),
        (
            _arm(0, evaluator='{ name = "finetune", augmentation = { name = "simclr", p = 1 } }'),
            "16: comparison[0].arm[0].evaluator.augmentation.p: augmentation 'simclr': unknown parameter",
        ),
        (
            _arm(0, evaluator='"silhouette"'),
            "16: comparison[0].arm[0].evaluator: 'silhouette' describes an encoder and ",
        ),
        (
            _arm(1, evaluator='"knn"', encoder='"resnet18"'),
            "22: comparison[0].arm[1].encoder: the encoder of an arm with ",
        ),
        (
            _arm(0, evaluator='"knn"', encoder='"resnet81"'),
            "17: comparison[0].arm[0].encoder: there is no encoder 'resnet81",
        ),
        (
            ('["nat"]', '["nut"]'),
            "20: comparison[0].arm[1].pretraining[0]: there is no [pretraining.nut] (did you mean 'na",
        ),
        (
            ('["nat"]', '["nat",\n"zzz"]'),
            "21: comparison[0].arm[1].pretraining[1]: there is no [pretraining.zzz]; the rec",
        ),
        (
            ('["nat"]', '[{ recipe = "nat", on = "bloodmnis" }]'),
            "20: comparison[0].arm[1].pretraining[0].on: there is no da",
        ),
        (
            ('["nat"]', '[{ recipe = "nat", on = 3 }]'),
            "20: comparison[0].arm[1].pretraining[0].on: expected a name or a t",
        ),
        (
            (AUGMENTATION, 'augmentation = "simclrr"\n'),
            "5: pretraining.nat.augmentation: there is no augmentation 'simclrr' ",
        ),
        (
            (AUGMENTATION, 'augmentation = [\n"horizontal_flip",\n  "resised_crop"]\n'),
            "7: pretraining.nat.augmentation[1]: there is no op 'resised_crop' (did you mean 'resized_crop'?)",
        ),
        (
            (AUGMENTATION, 'augmentation = [\n{ name = "horizontal_flip", q = 1.0 }]\n'),
            "6: pretraining.nat.augmentation[0].q: op 'horizontal_flip': unknown parameter; it takes p",
        ),
        (
            (AUGMENTATION, "augmentation = [3]\n"),
            "5: pretraining.nat.augmentation[0]: expected a name or a table for op",
        ),
        (
            (AUGMENTATION, "augmentation = 3\n"),
            "5: pretraining.nat.augmentation: expected a name, a table or a list of ops",
        ),
        (
            (AUGMENTATION, f'{AUGMENTATION}method = {{ name = "simclr", loss = "x" }}\n'),
            "6: pretraining.nat.method.loss: ",
        ),
        (
            (DATASETS, 'datasets = ["npz"]\n'),
            "10: comparison[0].datasets[0]: dataset 'npz': parameter 'path' is required (p",
        ),
        (
            (DATASETS, 'datasets = [{ name = "bloodmnist", size = 32 }]\n'),
            "10: comparison[0].datasets[0].size: dataset 'blo",
        ),
        (
            (DATASETS, 'datasets = [{ name = "npz", path = "a\\u0000" }]\n'),
            "10: comparison[0].datasets[0].path: dataset 'np",
        ),
        (
            (DATASETS, 'datasets = [{ name = "npz", path = "~nobody_at_all/x" }]\n'),
            "10: comparison[0].datasets[0].path: d",
        ),
        (
            (DATASETS, 'datasets = ["bloodmnist",\n"bloodmnist"]\n'),
            (
                "11: comparison[0].datasets[1]: 'bloodmnist' is there "
                "already, at comparison[0].datasets[0]; each may stand once"
            ),
        ),
        (
            ('labels = [100, "all"]', "labels = [100,\n{ count = 100, short = 'clip' }]"),
            "12: comparison[0].labels[1]: '100' ",
        ),
        (
            ('"frozen"', '"supervised"'),
            "19: comparison[0].arm[1].name: 'supervised' is there already, at comparison[0].arm",
        ),
        (
            ('"frozen"', '"majority class"'),
            "19: comparison[0].arm[1].name: 'majority class' is the name of a floor; call ",
        ),
        (('name = "small"', 'name = "small"\nseeds = [1, 0, 1]'), "3: seeds[2]: '1' is there already, at seeds[0]"),
        ((BASELINE, f"{BASELINE}draws = [1, 1]\n"), "13: comparison[0].draws[1]: '1' is there already"),
        (
            (BASELINE, 'baseline = "supervized"\n'),
            "12: comparison[0].baseline: there is no arm 'supervized' (did you mean ",
        ),
        (
            (BASELINE, 'baseline = "zzz"\n'),
            "12: comparison[0].baseline: there is no arm 'zzz'; the arms are supervised, fr",
        ),
        (
            (BASELINE, 'analyses = ["knn"]\n'),
            "12: comparison[0].analyses[0]: 'knn' gives a classifier; it can be an arm's",
        ),
        (
            (BASELINE, 'analyses = ["silhouete"]\n'),
            "12: comparison[0].analyses[0]: there is no evaluator 'silhouete' (did ",
        ),
        ((BASELINE, 'reference = "nothing:x"\n'), "12: comparison[0].reference: there is no reference 'nothing'"),
        (
            (BASELINE, 'encoder = "resnet81"\n'),
            "12: comparison[0].encoder: there is no encoder 'resnet81' (did you mean ",
        ),
    ],
)
def test_one_problem(change: tuple[str, str], wanted: str, problems: Problems) -> None:
    (found,) = problems(changed(change))
    assert found.startswith(f"suite.toml:{wanted}")


def test_two_comparisons_of_one_id(problems: Problems) -> None:
    text = changed()
    (found,) = problems(text + text[text.index("[[comparison]]") :])
    assert found == "suite.toml:23: comparison[1].id: 'table' is there already, at comparison[0]; each may stand once"


def test_everything_that_means_nothing_is_told_at_once(problems: Problems) -> None:
    found = problems(
        changed(_arm(0, evaluator='"x"'), (AUGMENTATION, 'augmentation = "y"\n'), (DATASETS, 'datasets = ["z"]\n'))
    )
    assert [line.partition(": there")[0] for line in found] == [
        "suite.toml:5: pretraining.nat.augmentation",
        "suite.toml:10: comparison[0].datasets[0]",
        "suite.toml:16: comparison[0].arm[0].evaluator",
    ]


def test_a_table_of_the_suite_stands_for_a_component_and_can_be_varied(load: Load) -> None:
    text = changed(
        (DATASETS, 'datasets = ["big", { name = "big", size = 128 }]\n'),
        _arm(0, evaluator='{ name = "brief", lr = 0.5 }'),
        (AUGMENTATION, 'augmentation = "own"\n'),
    )
    text += '[dataset.big]\nname = "bloodmnist"\nsize = 64\n[evaluator.brief]\nname = "finetune"\nepochs = 3\n'
    text += '[augmentation]\nown = ["horizontal_flip", { name = "resized_crop" }]\n'
    table = load(text).tables[0]
    assert [dataset.label for dataset in table.datasets] == ["big", "big size=128"]
    assert [dataset.component.parameters["size"] for dataset in table.datasets] == [64, 128]
    supervised, frozen = (arm for arm in table.arms if not arm.floor)
    assert {name: supervised.evaluator.parameters[name] for name in ("epochs", "lr")} == {"epochs": 3, "lr": 0.5}
    ops = frozen.chain[0].recipe.augmentation.parameters["ops"]
    assert [op.name for op in ops] == ["horizontal_flip", "resized_crop"]


def test_a_table_of_the_suite_stands_for_a_parameter_too(load: Load, problems: Problems) -> None:
    text = changed(_arm(0, evaluator='{ name = "brief", epochs = 5 }'), (AUGMENTATION, 'augmentation = "own"\n'))
    text += '[evaluator.brief]\nname = "finetune"\naugmentation = { name = "own" }\n'
    ops = '[augmentation]\nown = ["horizontal_flip"]\n'
    supervised, frozen = (arm for arm in load(text + ops).tables[0].arms if not arm.floor)
    assert supervised.evaluator.parameters["augmentation"] == frozen.chain[0].recipe.augmentation
    itself = '[augmentation.own]\nname = "own"\n'
    assert all("there is no augmentation 'own'" in found for found in problems(text + itself))


@pytest.mark.parametrize(
    ("use", "table", "wanted"),
    [
        (
            '"brief"',
            'name = "finetune"\nepoch = 3',
            "24: evaluator.brief.epoch: evaluator 'finetune': unknown parameter",
        ),
        (
            '{ name = "brief", lr = -1.0 }',
            'name = "finetune"',
            "16: comparison[0].arm[0].evaluator.lr: evaluator 'finetu",
        ),
        ('"finetune"', 'name = "finetun"', "23: evaluator.brief.name: there is no evaluator 'finetun'"),
        ('"brief"', 'name = "finetun"', "23: evaluator.brief.name: there is no evaluator 'finetun'"),
        ('"finetune"', "epochs = 3", "22: evaluator.brief: a table for evaluator needs a name"),
        ('"brif"', 'name = "finetune"', "16: comparison[0].arm[0].evaluator: there is no evaluator 'brif'"),
    ],
)
def test_a_table_of_the_suite_that_is_wrong(use: str, table: str, wanted: str, problems: Problems) -> None:
    (found,) = problems(f"{changed(_arm(0, evaluator=use))}[evaluator.brief]\n{table}\n")
    assert found.startswith(f"suite.toml:{wanted}")


def test_a_bad_op_in_a_table_of_the_suite_has_its_own_line(problems: Problems) -> None:
    text = changed((AUGMENTATION, 'augmentation = "own"\n'))
    (found,) = problems(f'{text}[augmentation]\nown = [\n  "horizontal_flip",\n  "zzz",\n]\n')
    assert found.startswith("suite.toml:25: augmentation.own[1]: there is no op 'zzz'")


def test_the_floors(load: Load) -> None:
    table = load(changed((BASELINE, "baseline = 'untrained encoder'\nencoder = 'resnet34'\n"))).tables[0]
    majority, untrained, supervised, frozen = table.arms
    assert [arm.floor for arm in table.arms] == [True, True, False, False]
    assert majority.evaluator.name == "majority"
    assert untrained.chain == ()
    assert untrained.encoder == frozen.encoder, "the encoder that is pretrained, before it is"
    assert untrained.evaluator == frozen.evaluator, "probed as the pretrained one is"
    assert supervised.encoder.name == "resnet34"
    assert [arm.name for arm in load(changed((BASELINE, "floors = []\n"))).tables[0].arms] == ["supervised", "frozen"]


def test_files_that_are_not_there_are_kept_for_who_needs_them(load: Load, tmp_path: Path) -> None:
    text = changed((DATASETS, 'datasets = ["own", { name = "npz", path = "b.npz" }]\n'))
    text += f'[dataset.own]\nname = "npz"\npath = "a.npz"\n[dataset.long]\nname = "npz"\npath = "{"x" * 300}"\n'
    suite = load(text)
    assert [str(problem).partition(": ")[2][:60] for problem in suite.missing] == [
        f"dataset.own.path: there is no file or folder {tmp_path}/a.npz"[:60],
        f"dataset.long.path: there is no file or folder {tmp_path}/xxx"[:60],
        f"comparison[0].datasets[1].path: there is no file or folder {tmp_path}/b.npz"[:60],
    ]
    (tmp_path / "a.npz").touch()
    assert len(load(text).missing) == 2


class _Odd:
    """A plugin whose factories refuse what their types allow."""

    @hookimpl
    def medssl_evaluators(self, register: Register) -> None:
        register("odd", _odd)

    @hookimpl
    def medssl_references(self, register: Register) -> None:
        register("numbers", _numbers)


def _odd(*, k: int = 1) -> None:
    if k % 2 == 0:
        raise ValueError(f"k must be odd,\nnot {k}")
    raise RuntimeError("broken")


def _numbers(table: str) -> object:
    return {"known": 1}[table]


def test_what_a_plugin_raises_is_told_where_the_suite_asks_for_it(problems: Problems, plugins: Plugins) -> None:
    plugins.add(Plugin("odd", "installed"), _Odd)
    try:
        for value, wanted in (
            ('{ name = "odd", k = 2 }', "evaluator 'odd': k must be odd, not 2"),
            ('"odd"', "evaluator 'odd': RuntimeError: broken"),
        ):
            assert problems(changed(_arm(0, evaluator=value))) == [
                f"suite.toml:16: comparison[0].arm[0].evaluator: {wanted}"
            ]
        (found,) = problems(changed((BASELINE, 'reference = "numbers:unknown"\n')))
        assert found == "suite.toml:12: comparison[0].reference: KeyError: 'unknown'"
    finally:
        plugins._withdraw("odd")
        plugins.found.pop()


def test_without_the_plugin_of_the_floors_that_is_said(tmp_path: Path) -> None:
    from medssl_bench.errors import SuiteError

    path = tmp_path / "suite.toml"
    path.write_text(changed())
    with pytest.raises(SuiteError) as caught:
        Suite.load(path, load_plugins(block=["evaluators"]))
    assert all("there is no evaluator" in problem.message for problem in caught.value.problems)
