"""A training whose augmentation draws once for a batch ends before its first step; one that is sound is not touched."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch

import medssl_bench
from medssl_bench.errors import StageError
from medssl_bench.methods import View
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting
from medssl_bench.training.view_maker import ViewMaker

PLUGIN = '''
from medssl_bench import hookimpl

@hookimpl
def medssl_augmentations(register):
    register("once", once)

def once(size: int):
    """A batch has one crop."""
    from torchvision.transforms import v2
    return v2.RandomResizedCrop(size)
'''
SUITE = """
schema = 1
name = "once"
plugins = ["once.py"]
floors = []

[dataset.few]
name = "phantom_layers"
train = 40
val = 10
test = 20

[pretraining.recipe]
encoder = { name = "timm", model = "test_resnet" }
augmentation = "once"
epochs = 2
batch_size = 20

[[comparison]]
id = "table"
datasets = ["few"]
labels = [20]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "pretrained"
  pretraining = ["recipe"]
  evaluator = "knn"

  [[comparison.arm]]
  name = "fine-tuned"
  evaluator = { name = "finetune", epochs = 1, augmentation = "once" }
"""


def test_a_run_tells_it_in_one_line_of_a_pretraining_and_of_a_fine_tuning(tmp_path: Path) -> None:
    (tmp_path / "once.py").write_text(PLUGIN, "utf-8")
    (tmp_path / "suite.toml").write_text(SUITE, "utf-8")

    result = medssl_bench.run(tmp_path / "suite.toml", store=tmp_path / "store", device="cpu")

    reasons = {outcome.stage.kind: outcome.reason for outcome in result.failed}
    assert reasons.keys() == {"pretrain", "evaluate"}
    assert reasons["pretrain"].startswith("augmentation 'once': it draws once for a whole batch")
    assert reasons["evaluate"].startswith("the augmentation of the fine-tuning: it draws once for a whole batch")
    assert all("\n" not in reason for reason in reasons.values())


def test_it_is_refused_before_the_first_step_and_not_asked_again_by_what_goes_on(pretrain, monkeypatch) -> None:
    asked = []

    def refuse(_self: ViewMaker, size: int) -> None:
        asked.append(size)
        raise StageError("no")

    interrupting = Interrupting(1)
    begun = pretrain()
    begun._checkpoints = interrupting
    with pytest.raises(Stopped):
        begun.run()
    monkeypatch.setattr(ViewMaker, "require_own_draws", refuse)
    fresh, going_on = pretrain(), pretrain()
    going_on._checkpoints = interrupting
    with pytest.raises(StageError):
        fresh.run()
    going_on.run()

    assert asked == [12]
    assert fresh.method.calls == []


def test_asking_changes_no_bit_of_a_training(pretrain, monkeypatch) -> None:
    asked = pretrain()
    asked.run()
    monkeypatch.setattr(ViewMaker, "require_own_draws", lambda *_: None)
    unasked = pretrain()
    unasked.run()

    for one, other in zip(asked.method.state_dict().values(), unasked.method.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_every_view_is_asked_for(registry, monkeypatch) -> None:
    """The second view's augmentation is the one that is at fault."""

    class Shared(torch.nn.Module):
        def forward(self, images):
            return images.flip(-1) if torch.rand(()) < 0.5 else images

    whole = registry.build
    monkeypatch.setattr(
        registry, "build", lambda which, **given: Shared() if which.name == "simclr" else whole(which, **given)
    )
    plain = registry.resolve_or_raise("augmentation", "plain")
    own = partial(registry.build, registry.resolve_or_raise("augmentation", "simclr"))
    maker = ViewMaker((View(), View(augmentation=own)), plain, 12, registry, torch.device("cpu"), 0)

    with pytest.raises(StageError, match="the method's augmentation: it draws once for a whole batch"):
        maker.require_own_draws(12)
