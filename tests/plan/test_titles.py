"""Titles of stages: no two of a plan share one, and none calls an encoder with weights untrained."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan.conftest import SUITE, PlanOf, changed, of_kind
from safetensors.torch import save_file

from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.stage import Plan
from medssl_bench.plugin.manager import Plugins
from medssl_bench.suite.suite import Suite

SUITES = sorted((Path(__file__).parents[2] / "suites").glob("*.toml"))


def _shared(plan: Plan) -> list[str]:
    """Return titles that several stages have, or that only a number tells from another's."""
    titles = [stage.title for stage in plan.stages.values()]
    return [title for title in titles if titles.count(title) > 1 or re.search(r" · number \d+$", title)]


@pytest.mark.parametrize("file", SUITES, ids=[file.stem for file in SUITES])
def test_no_two_stages_of_a_shipped_suite_share_a_title(file: Path, plugins: Plugins, tmp_path: Path) -> None:
    plan = build_plan(Suite.load(file, plugins), DatasetContext(tmp_path / "data", tmp_path / "cache"))
    titles = [stage.title for stage in plan.stages.values()]
    assert len(titles) == len(set(titles)) > 0
    assert not [title for title in titles if re.search(r" · number \d+$", title)]


HEAD = """\
schema = 1
name = "alike"
seeds = [0, 1]
draws = [0, 1]

[encoder.small_stem]
name = "resnet18"
stem = "small"

[encoder.one]
name = "timm"
model = "test_resnet"

[encoder.hub]
name = "resnet18"
weights = "pretrained"

[dataset.large]
name = "bloodmnist"
size = 64

[pretraining.a]
augmentation = "simclr"
epochs = 10
encoder = "resnet18"

[pretraining.b]
augmentation = "simclr"
epochs = 20
encoder = "small_stem"

[pretraining.swept]
augmentation = "simclr"
epochs = 3
encoder = "one"
sweep = { batch_size = [64, 128] }
"""
ANALYSES = (
    '"silhouette"',
    '{ name = "silhouette", components = [3] }',
    '"embedding"',
    '{ name = "embedding", perplexities = [7] }',
)
CHAINS = ("[]", '["a"]', '["b"]', '["swept"]', '["a", "b"]', '[{ recipe = "a", on = "pathmnist" }]')
EVALUATORS = ('"linear_probe"', '{ name = "linear_probe", epochs = 7 }', '"knn"', '"finetune"', '"majority"')
ENCODERS = ("", "resnet18", "small_stem", "one", "hub")


@st.composite
def _suites(draw: st.DrawFn) -> str:
    """Return a suite in which much is alike: recipes of one method, evaluators under two settings, encoders."""
    text = HEAD
    for table in range(draw(st.integers(1, 2))):
        analyses = ", ".join(draw(st.lists(st.sampled_from(ANALYSES), unique=True, max_size=4)))
        datasets = draw(st.lists(st.sampled_from(["bloodmnist", "large", "pathmnist"]), unique=True, min_size=1))
        labels = draw(st.lists(st.sampled_from(["100", '"all"', "{ count = 100, stratified = true }"]), unique=True,
                               min_size=1))  # fmt: skip
        text += f'\n[[comparison]]\nid = "t{table}"\ndatasets = {datasets!r}\nlabels = [{", ".join(labels)}]\n'
        text += f"analyses = [{analyses}]\n"
        for arm in range(draw(st.integers(1, 3))):
            chain = draw(st.sampled_from(CHAINS))
            encoder = draw(st.sampled_from(ENCODERS)) if chain == "[]" else ""
            text += f'\n  [[comparison.arm]]\n  name = "arm {arm}"\n  pretraining = {chain}\n'
            text += f"  evaluator = {draw(st.sampled_from(EVALUATORS))}\n"
            text += f'  encoder = "{encoder}"\n' if encoder else ""
    return text


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_suites())
def test_no_two_stages_of_a_suite_share_a_title(text: str, plan_of: PlanOf) -> None:
    assert _shared(plan_of(text)) == []


TEACHER = """
[pretraining.taught]
method = { name = "simclr" }
augmentation = "simclr"
epochs = 5
teacher = { arm = "scratch" }
"""


def test_what_a_teacher_makes_different_is_told_apart(plan_of: PlanOf) -> None:
    """A recipe with a teacher is trained once for each label budget and draw of its teacher."""
    text = changed(("draws = [0]", "draws = [0, 1]"), ('baseline = "tuned"', 'analyses = ["silhouette"]')) + TEACHER
    text += '\n  [[comparison.arm]]\n  name = "pupil"\n  pretraining = ["taught"]\n  evaluator = "knn"\n'
    plan = plan_of(text.replace(TEACHER, "").replace("[[comparison]]", f"{TEACHER}\n[[comparison]]"))
    taught = [stage.title for stage in of_kind(plan, "pretrain") if "taught" in stage.title]
    assert taught == [
        f"pretrain · taught · bloodmnist · seed 0 · taught by table · bloodmnist · scratch · {rest}"
        for rest in ("100 labels · seed 0 · draw 0", "100 labels · seed 0 · draw 1", "all labels · seed 0")
    ]
    assert _shared(plan) == []
    described = {(cell.labels, cell.draw) for cell in plan.analyses if cell.arm == "pupil"}
    assert described == {("100", 0), ("100", 1), ("all", None)}, "labels shaped it, through its teacher"


def test_names_that_are_made_to_clash_do_not(plan_of: PlanOf) -> None:
    second = SUITE[SUITE.index("[[comparison]]") :].replace('"table"', '"t"').replace('["bloodmnist"]', '["b"]')
    text = SUITE.replace('"table"', '"t"').replace('["bloodmnist"]', '["b · scratch"]') + second.replace('"t"', '"u"')
    text += '[dataset."b · scratch"]\nname = "bloodmnist"\n[dataset.b]\nname = "pathmnist"\n'
    text = text.replace('name = "scratch"', 'name = "scratch · scratch"')
    titles = [stage.title for stage in plan_of(text).stages.values()]
    assert len(titles) == len(set(titles))


@pytest.fixture
def hub(tmp_path: Path) -> Callable[[str], Path]:
    """Return a file of weights of this name, one of a folder of its own."""
    import torch

    def hub(folder: str) -> Path:
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / "hub.safetensors"
        save_file({"x": torch.full((2,), float(len(folder)))}, file)
        return file

    return hub


def test_an_encoder_with_weights_is_named_by_them(plan_of: PlanOf, hub: Callable[[str], Path]) -> None:
    text = changed(('baseline = "tuned"', ""))
    given = {
        "file": f'name = "resnet18"\nweights_file = "{hub("a")}"',
        "other": f'name = "resnet18"\nweights_file = "{hub("bb")}"',
        "timms": 'name = "timm"\nmodel = "resnet18.a1_in1k"\nweights = "pretrained"',
        "resnet": 'name = "resnet34"\nweights = "pretrained"',
        "random": 'name = "resnet18"\nstem = "small"',
    }
    tables = ""
    for name, table in given.items():
        tables += f"[encoder.{name}]\n{table}\n"
        text += f'\n  [[comparison.arm]]\n  name = "on {name}"\n  encoder = "{name}"\n  evaluator = "knn"\n'
    plan = plan_of(text.replace("[[comparison]]", f"{tables}\n[[comparison]]"))
    arms = {trial.arm: plan.stages[plan.stages[trial.stage].parents[0]].title for trial in plan.trials
            if plan.stages[trial.stage].parents}  # fmt: skip
    begins = {arm: title.removeprefix("features · bloodmnist · ") for arm, title in arms.items()}
    assert re.fullmatch(
        r"weights of hub.safetensors, no pretraining here \(weights_file [0-9a-f]{8}\)", begins["on file"]
    )
    assert begins["on file"] != begins["on other"]
    assert begins["on timms"] == "pretrained weights of resnet18.a1_in1k, no pretraining here"
    assert begins["on resnet"] == "pretrained weights of resnet34, no pretraining here"
    assert begins["on random"] == "untrained resnet18 (stem small), seed 0"
    assert begins["untrained encoder"] == "untrained resnet18 (stem imagenet), seed 0"
    assert _shared(plan) == []


def test_a_setting_that_all_share_is_in_no_title_so_that_a_change_is_told_as_one(plan_of: PlanOf) -> None:
    text = changed(('baseline = "tuned"', 'analyses = [{ name = "silhouette", components = [3] }]'))
    old = plan_of(text)
    new = plan_of(text.replace("components = [3]", "components = [4]"))
    assert {s.title for s in of_kind(old, "analyse")} == {s.title for s in of_kind(new, "analyse")}
    assert not {s.key for s in of_kind(old, "analyse")} & {s.key for s in of_kind(new, "analyse")}
