"""A suite's own tables of components, its floors and files, and what plugins say at odd values."""

from collections.abc import Callable
from pathlib import Path

import pytest
from suite.conftest import changed, evaluated_by

from medssl_bench.suite.suite import Suite

Load = Callable[..., Suite]
Problems = Callable[..., list[str]]

AUGMENTATION = 'augmentation = "simclr"\n'
DATASETS = 'datasets = ["bloodmnist"]\n'
BASELINE = 'baseline = "supervised"\n'


def test_a_table_of_the_suite_stands_for_a_component_and_can_be_varied(load: Load) -> None:
    text = changed(
        (DATASETS, 'datasets = ["big", { name = "big", size = 128 }]\n'),
        evaluated_by(0, evaluator='{ name = "brief", lr = 0.5 }'),
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


def test_a_table_of_the_suite_stands_for_a_value_to_tune_too(load: Load, problems: Problems) -> None:
    tune = '{ augmentation = ["own", "simclr"] }'
    text = changed(evaluated_by(0, evaluator=f'{{ name = "brief", lr = 0.5, tune = {tune} }}'))
    text += '[evaluator.brief]\nname = "finetune"\nepochs = 3\n'
    arm = next(
        arm for arm in load(text + '[augmentation]\nown = ["horizontal_flip"]\n').tables[0].arms if not arm.floor
    )
    assert (arm.evaluator.parameters["epochs"], arm.evaluator.parameters["lr"]) == (3, 0.5)
    assert [each.name for each in arm.evaluator.tune["augmentation"]] == ["sequence", "simclr"]
    (problem,) = problems(text)
    assert "16: comparison[0].arm[0].evaluator.tune.augmentation[0]: there is no augmentation 'own'" in problem


def test_a_table_of_the_suite_stands_for_a_parameter_too(load: Load, problems: Problems) -> None:
    text = changed(
        evaluated_by(0, evaluator='{ name = "brief", epochs = 5 }'), (AUGMENTATION, 'augmentation = "own"\n')
    )
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
    (found,) = problems(f"{changed(evaluated_by(0, evaluator=use))}[evaluator.brief]\n{table}\n")
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


@pytest.mark.parametrize("probe", ["linear_probe", "logistic"])
def test_the_untrained_encoder_is_judged_by_the_first_probe(load: Load, probe: str) -> None:
    table = load(changed(evaluated_by(1, evaluator=f'{{ name = "{probe}", balance = "class_weights" }}'))).tables[0]
    untrained, frozen = table.arms[1], table.arms[3]
    assert (untrained.evaluator.name, untrained.evaluator) == (probe, frozen.evaluator)


def test_the_untrained_encoder_has_no_trained_weights(load: Load, tmp_path: Path) -> None:
    (tmp_path / "some.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    trained = (
        'encoder = { name = "resnet18", stem = "small", weights_file = "some.safetensors", weights = "pretrained" }'
    )
    table = load(changed((AUGMENTATION, f"{AUGMENTATION}{trained}\n"))).tables[0]
    untrained, frozen = table.arms[1], table.arms[3]
    assert frozen.encoder.parameters["weights"] == "pretrained"
    assert untrained.encoder.parameters == {**frozen.encoder.parameters, "weights": "scratch", "weights_file": None}
    assert untrained.encoder.identity() != frozen.encoder.identity()
    scratch = 'encoder = { name = "resnet18", stem = "small" }'
    plain = load(changed((AUGMENTATION, f"{AUGMENTATION}{scratch}\n"))).tables[0].arms[1]
    assert untrained.encoder.identity() == plain.encoder.identity(), "a file that it does not read decides nothing"


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
