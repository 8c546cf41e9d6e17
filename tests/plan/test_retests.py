"""Plans in which trained classifiers predict corrupted images, and those of other sets."""

from __future__ import annotations

import pytest
from plan.conftest import PlanOf, changed

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.errors import SuiteError
from medssl_bench.plan.class_map import ClassMap
from medssl_bench.plan.kinds import spec_of
from medssl_bench.plan.retests_told import retests_told
from medssl_bench.plan.stage import Plan
from medssl_bench.plan.trained_before import seen_before

TABLE = 'id = "table"\n'
CORRUPTED = 'corrupted = { ops = ["gaussian_noise", "bubble"], severities = [5, 1] }\n'
PHANTOMS = """datasets = [
  { name = "phantom_cells", train = 120, val = 20, test = 30 },
  { name = "phantom_cells", train = 120, val = 20, test = 30, seed = 1 },
]
test_on = [{ name = "phantom_cells", train = 120, val = 20, test = 30, seed = 1 }]
"""


def retested(plan: Plan) -> list[str]:
    return [stage.title for stage in plan.stages.values() if stage.kind in {"corrupt", "transfer"}]


def test_stages_are_added_and_no_other_key_changes(plan_of: PlanOf) -> None:
    before, after = plan_of(changed()), plan_of(changed((TABLE, TABLE + CORRUPTED)))
    assert list(before.stages) == list(after.stages)[: len(before.stages)]
    new = list(after.stages.values())[len(before.stages) :]
    assert {stage.kind for stage in new} == {"corrupt"}
    with_head = [trial for trial in before.trials if trial.arm != "majority class"]
    assert len(new) == 2 * len({trial.stage for trial in with_head})
    assert set(after.wanted()) - set(before.wanted()) == {stage.key for stage in new}
    assert all(stage.spec.severities == (1, 5) for stage in new)


def test_another_severity_or_corruption_is_another_stage(plan_of: PlanOf) -> None:
    one, other = (plan_of(changed((TABLE, TABLE + CORRUPTED.replace("[5, 1]", text)))) for text in ("[1]", "[2]"))
    assert not {s.key for s in one.stages.values() if s.kind == "corrupt"} & other.stages.keys()


def test_a_spec_comes_back_from_a_record(plan_of: PlanOf) -> None:
    for plan in (
        plan_of(changed((TABLE, TABLE + CORRUPTED))),
        plan_of(changed(('datasets = ["bloodmnist"]\n', PHANTOMS))),
    ):
        for stage in plan.stages.values():
            assert spec_of(stage.kind, stage.spec.to_data()) == stage.spec


def test_corruptions_come_one_after_the_other_and_of_each_the_probes_of_an_encoder(plan_of: PlanOf) -> None:
    plan = plan_of(changed((TABLE, f"{TABLE}draws = [0, 1]\n{CORRUPTED}")))
    found = [stage for stage in plan.stages.values() if stage.kind == "corrupt"]
    names = [stage.identity["corruption"] for stage in found]
    assert names == sorted(names, key=["gaussian_noise", "bubble"].index)
    work = {title: stage.work for title, stage in ((s.title, s) for s in found) if stage.work}
    forward = [title for title, units in work.items() if any(unit.startswith("forward") for unit in units)]
    # trained ones have an encoder each (2 arms x (2 draws + all)); of the probes, the first of each encoder
    assert len(forward) == 2 * (6 + 2)
    assert all("tuned" in title or "scratch" in title or "draw 0" in title for title in forward)


def test_the_usual_corruptions_are_those_of_the_images(plan_of: PlanOf) -> None:
    text = changed((TABLE, f"{TABLE}corrupted = {{}}\n"))
    colour = retested(plan_of(text))
    grey = retested(plan_of(text.replace("bloodmnist", "pneumoniamnist")))
    assert any("· saturate ·" in title for title in colour)
    assert not any("· saturate ·" in title for title in grey)
    assert not any("bubble" in title for title in colour)


def test_a_set_cannot_be_the_only_one_that_it_is_tested_on(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match=r"test_on\[0\]: .* is the data set that is trained on"):
        plan_of(changed((TABLE, TABLE + 'test_on = "bloodmnist"\n')))


def test_a_set_is_not_tested_on_itself(plan_of: PlanOf) -> None:
    titles = retested(plan_of(changed(('datasets = ["bloodmnist"]\n', PHANTOMS))))
    assert titles
    assert all("· phantom_cells train=120 val=20 test=30 ·" in title for title in titles)


def test_what_is_predicted_is_told(plan_of: PlanOf) -> None:
    (line,) = retests_told(plan_of(changed((TABLE, TABLE + CORRUPTED))))
    assert line == (
        "table: 2 corruptions of bloodmnist at severities 1, 5 (gaussian_noise, bubble), predicted by 8 trained "
        "classifiers; no training"
    )
    (line,) = retests_told(plan_of(changed(('datasets = ["bloodmnist"]\n', PHANTOMS))))
    assert "(8 shared classes: basophil, " in line


def test_an_encoder_that_has_seen_the_images_of_a_set_is_told_of(plan_of: PlanOf) -> None:
    """By the arms that start from it, of the set that is trained on and of the others that are tested on."""
    public = 'name = "timm", model = "resnet18", weights = "pretrained", trained_on = ["PBC", "phantom_cells"]'
    seen = ('encoder = "resnet18"\n', f"encoder = {{ {public} }}\n")
    assert seen_before(plan_of(changed((TABLE, f'{TABLE}test_on = "phantom_cells"\n')))) == []
    text = changed(seen, ('["bloodmnist"]\n', '["bloodmnist", "pathmnist"]\ntest_on = ["phantom_cells"]\n'))
    found = seen_before(plan_of(text))
    assert [(each.comparison, each.on, each.arms) for each in found] == [
        ("table", "bloodmnist", ["probed", "tuned"]),
        ("table", "phantom_cells", ["probed", "tuned"]),
    ]
    assert str(found[0]) == (
        "'probed', 'tuned': its encoder was trained on PBC, where images of bloodmnist come from; it may have seen "
        "test images"
    )


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ('corrupted = { ops = ["saturate"] }', "corrupted.ops[0]: 'saturate' changes colours, and the images of"),
        (
            'corrupted = { ops = ["gausian_noise"] }',
            "there is no corruption 'gausian_noise' (did you mean 'gaussian_noise'",
        ),
        ("corrupted = { severities = [1, 1] }", "corrupted.severities[1]: '1' is there already"),
        ("corrupted = {}\nshuffle_labels = true", "the labels of this control are shuffled"),
        ('test_on = "bloodmnist"', "test_on[0]: PneumoniaMNIST and BloodMNIST share no class, of the same name"),
        (
            'test_on = { dataset = "bloodmnist", classes = { norml = "basophil" } }',
            "has no class 'norml' (did you mean",
        ),
        ('test_on = { dataset = "chestmnist" }', "their labels mean different things"),
        ('test_on = { dataset = "nowhere" }', "there is no dataset 'nowhere'"),
    ],
)
def test_what_cannot_be_is_refused(plan_of: PlanOf, new: str, said: str) -> None:
    text = changed((TABLE, f"{TABLE}{new}\n")).replace('datasets = ["bloodmnist"]', 'datasets = ["pneumoniamnist"]')
    with pytest.raises(SuiteError) as caught:
        plan_of(text)
    assert said in str(caught.value)


def test_of_several_sets_those_that_fit_are_tested_again(plan_of: PlanOf) -> None:
    new = 'test_on = { dataset = "dermamnist", classes = { normal = "melanoma", pneumonia = "vascular lesions" } }'
    sets = 'datasets = ["bloodmnist", "pneumoniamnist"]'
    text = changed((TABLE, f'{TABLE}{new}\ncorrupted.ops = ["saturate"]\n'), ('datasets = ["bloodmnist"]', sets))
    titles = retested(plan_of(text))
    assert {title.split(" · ")[3] for title in titles if title.startswith("transfer")} == {"pneumoniamnist"}
    assert {title.split(" · ")[3] for title in titles if title.startswith("corrupt")} == {"bloodmnist"}


def info(*classes: str, task: Task = Task.MULTI_CLASS, size: int = 28) -> DatasetInfo:
    return DatasetInfo("/".join(classes), task, classes, 3, size, {"train": 9, "val": 9, "test": 9})


def test_classes_are_shared_by_name_unless_they_are_named() -> None:
    own, other = info("a", "b", "c"), info("c", "x", "a", "y")
    assert ClassMap.of(own, other, {}) == ClassMap(names=("a", "c"), own=(0, 2), other=(1, -1, 0, -1))
    named = ClassMap.of(own, other, {"b": ("x", "y"), "a": ("c",)})
    assert named == ClassMap(names=("a", "b"), own=(0, 1), other=(0, 1, -1, 1))


@pytest.mark.parametrize(
    ("other", "wanted", "said"),
    [
        (info("a", "x"), {}, "share one class, 'a', of the same name"),
        (info("a", "b"), {"a": ("a",), "b": ("a",)}, "'a' of a/b would be 'a' and 'b'"),
        (info("a", "b", size=64), {}, "have 64 pixels, those that were trained on 28"),
        (info("a", "b", task=Task.MULTI_LABEL), {}, "their labels mean different things"),
        (info("a", "b"), {"a": ("q",)}, "a/b has no class 'q'"),
    ],
)
def test_classes_that_do_not_fit(other: DatasetInfo, wanted: dict[str, tuple[str, ...]], said: str) -> None:
    found = ClassMap.of(info("a", "b"), other, wanted)
    assert isinstance(found, str)
    assert said in found
    assert "\n" not in found
