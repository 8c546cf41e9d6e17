"""Names that mean something and names that mean nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from suite.conftest import changed, evaluated_by

from medssl_bench import hookimpl
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.plugin.registry import Plugin, Register
from medssl_bench.suite.suite import Suite

Load = Callable[..., Suite]
Problems = Callable[..., list[str]]

AUGMENTATION = 'augmentation = "simclr"\n'
DATASETS = 'datasets = ["bloodmnist"]\n'
BASELINE = 'baseline = "supervised"\n'


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            evaluated_by(0, evaluator='"finetun"'),
            "16: comparison[0].arm[0].evaluator: there is no evaluator 'finetun' (did you mean 'finetune'?)",
        ),
        (
            evaluated_by(0, evaluator='{ name = "finetun" }'),
            "16: comparison[0].arm[0].evaluator.name: there is no evaluator 'fine",
        ),
        (
            evaluated_by(0, evaluator='"zzz"'),
            "16: comparison[0].arm[0].evaluator: there is no evaluator 'zzz'; there are: embedding, finetune",
        ),
        (
            evaluated_by(0, evaluator="3"),
            "16: comparison[0].arm[0].evaluator: expected a name or a table for evaluator, not 3",
        ),
        (
            evaluated_by(0, evaluator='["a"]'),
            "16: comparison[0].arm[0].evaluator: expected a name or a table for evaluator, not [",
        ),
        (
            evaluated_by(0, evaluator="{ epochs = 3 }"),
            "16: comparison[0].arm[0].evaluator: a table for evaluator needs a name, as ",
        ),
        (
            evaluated_by(0, evaluator='{ name = "finetune", epoch = 3 }'),
            "16: comparison[0].arm[0].evaluator.epoch: evaluator 'finetune': unknown parameter (did you mean 'ep",
        ),
        (
            evaluated_by(0, evaluator='{ name = "majority", epochs = 3 }'),
            "16: comparison[0].arm[0].evaluator.epochs: evaluator 'majority': unknown parameter; it takes no para",
        ),
        (
            evaluated_by(0, evaluator='{ name = "finetune", epochs = "3" }'),
            "16: comparison[0].arm[0].evaluator.epochs: evaluator 'finetune': input should be a valid integer, not '3'",
        ),
        (
            evaluated_by(0, evaluator='{ name = "finetune", epochs = 0 }'),
            "16: comparison[0].arm[0].evaluator.epochs: evaluator 'finetune': input should be greater than or equal to",
        ),
        (
            evaluated_by(0, evaluator='{ name = "finetune", augmentation = { name = "simclr", p = 1 } }'),
            "16: comparison[0].arm[0].evaluator.augmentation.p: augmentation 'simclr': unknown parameter",
        ),
        (
            evaluated_by(0, evaluator='"silhouette"'),
            "16: comparison[0].arm[0].evaluator: 'silhouette' describes an encoder and ",
        ),
        (
            evaluated_by(1, evaluator='"knn"', encoder='"resnet18"'),
            "22: comparison[0].arm[1].encoder: the encoder of an arm with ",
        ),
        (
            evaluated_by(0, evaluator='"knn"', encoder='"resnet81"'),
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
            "12: comparison[0].baseline: there is no arm 'zzz'; the arms are 'supervised', ",
        ),
        (
            (BASELINE, 'analyses = ["knn"]\n'),
            "12: comparison[0].analyses[0]: 'knn' gives a classifier; it can be an arm's",
        ),
        (
            (BASELINE, 'analyses = ["silhouete"]\n'),
            "12: comparison[0].analyses[0]: there is no evaluator 'silhouete' (did ",
        ),
        (
            (BASELINE, f'{BASELINE}analyses_of = {{ arms = ["supervised", "frosen"] }}\n'),
            "13: comparison[0].analyses_of.arms[1]: there is no arm 'frosen' in the comparison (did you mean 'frozen'",
        ),
        (
            (BASELINE, f'{BASELINE}analyses_of = {{ arms = ["majority class"] }}\n'),
            "13: comparison[0].analyses_of.arms[0]: 'majority class' has no encoder that could be analysed",
        ),
        (
            (BASELINE, f'{BASELINE}analyses_of = {{ labels = ["all", 250] }}\n'),
            "13: comparison[0].analyses_of.labels[1]: there is no label budget 250 in the comparison; there are: 1",
        ),
        (
            (BASELINE, f'{BASELINE}analyses_of = {{ datasets = ["bloodmnits"] }}\n'),
            "13: comparison[0].analyses_of.datasets[0]: there is no data set 'bloodmnits' in the comparison (did you",
        ),
        (
            (BASELINE, f"{BASELINE}analyses_of = {{ seeds = [7] }}\n"),
            "13: comparison[0].analyses_of.seeds[0]: there is no training seed 7 in the comparison; there are: 0",
        ),
        (
            (BASELINE, f"{BASELINE}analyses_of = {{ draws = [3] }}\n"),
            "13: comparison[0].analyses_of.draws[0]: there is no label draw 3 in the comparison; there are: 0",
        ),
        (
            (BASELINE, f"{BASELINE}analyses_of = {{ arms = [] }}\n"),
            "13: comparison[0].analyses_of.arms: this must not be empty",
        ),
        (
            (BASELINE, f'{BASELINE}analyses_of = {{ arm = ["frozen"] }}\n'),
            "13: comparison[0].analyses_of.arm: unknown key (did you mean 'arms'?)",
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
        changed(
            evaluated_by(0, evaluator='"x"'), (AUGMENTATION, 'augmentation = "y"\n'), (DATASETS, 'datasets = ["z"]\n')
        )
    )
    assert [line.partition(": there")[0] for line in found] == [
        "suite.toml:5: pretraining.nat.augmentation",
        "suite.toml:10: comparison[0].datasets[0]",
        "suite.toml:16: comparison[0].arm[0].evaluator",
    ]


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
            assert problems(changed(evaluated_by(0, evaluator=value))) == [
                f"suite.toml:16: comparison[0].arm[0].evaluator: {wanted}"
            ]
        (found,) = problems(changed((BASELINE, 'reference = "numbers:unknown"\n')))
        assert found == "suite.toml:12: comparison[0].reference: reference 'numbers': KeyError: 'unknown'"
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
