"""Options of a fine-tuning as it is practised: rates, patience, a probe to start from, frozen statistics."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from evaluators.conftest import Tiny
from evaluators.test_finetune import ERRATIC, SETTINGS, all_images
from torch import nn

from medssl_bench.datasets import Task
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError
from medssl_bench.evaluators import Passes
from medssl_bench.evaluators.classification import targets
from medssl_bench.evaluators.knn import NearestNeighbours
from medssl_bench.evaluators.minibatches import minibatches
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.parameters import ParameterProblem
from medssl_bench.randomness import forked
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting
from medssl_bench.testing.tape import Tape
from medssl_bench.training.recording import recorded_by
from medssl_bench.training.steps import NotRecorded


def small_vit():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TimmEncoder("test_vit2", 8, options={"img_size": 8, "patch_size": 4})


def by_hand(trial, *, groups, epochs=2, batch_size=16, smoothing=0.0, head=None, frozen=()):
    """Fine-tune by a plain loop of torch; `groups` gives the groups of the optimiser of an encoder and a head."""
    encoder = trial.encoder()
    with forked(trial.stream("classifier weights")):
        linear = nn.Linear(encoder.dim, len(trial.info.classes))
    if head is not None:
        linear.load_state_dict(head)
    optimizer = torch.optim.Adam(groups(encoder, linear))
    images = all_images(trial, "train")[trial.train]
    wanted = targets(trial.info.task, trial.splits["train"].labels[trial.train])
    for epoch in range(epochs):
        encoder.train()
        for module in frozen:
            encoder.get_submodule(module).eval()
        for batch in minibatches(len(images), batch_size, trial.stream("finetune batches", epoch=epoch)):
            optimizer.zero_grad()
            F.cross_entropy(linear(encoder(images[batch])), wanted[batch], label_smoothing=smoothing).backward()
            optimizer.step()
    with torch.no_grad():
        return linear(encoder.eval()(all_images(trial, "test"))).softmax(dim=1).numpy()


def test_a_rate_of_zero_leaves_the_weights_of_the_encoder_and_moves_its_statistics(make_evaluator, make_trial):
    """As the linear probe of MedMNIST+ was run."""
    trial = make_trial(selection="last", train=range(40))
    before = {name: value.clone() for name, value in trial.encoder().state_dict().items()}
    found = make_evaluator("finetune", **{**SETTINGS, "epochs": 2}, encoder_lr=0.0).evaluate(trial)
    after = found.weights["encoder"]
    statistics = {name for name in before if "running_" in name or "num_batches" in name}
    assert statistics
    for name, value in before.items():
        assert torch.equal(value, after[name].cpu()) is (name not in statistics), name


def one_rate(encoder, head):
    return [{"params": [*encoder.parameters(), *head.parameters()], "lr": 0.01}]


def test_the_encoder_may_have_a_lower_rate(make_trial, make_evaluator):
    trial = make_trial(noise=1.0, selection="last", train=range(40))

    found = make_evaluator("finetune", **{**SETTINGS, "epochs": 2}, encoder_lr=0.001).evaluate(trial)

    wanted = by_hand(
        trial,
        groups=lambda encoder, head: [
            {"params": encoder.parameters(), "lr": 0.001},
            {"params": head.parameters(), "lr": 0.01},
        ],
    )
    np.testing.assert_allclose(found.scores, wanted, atol=1e-4)
    assert not np.allclose(found.scores, by_hand(trial, groups=one_rate), atol=1e-3)


def test_deeper_layers_have_lower_rates(make_trial, make_evaluator):
    trial = make_trial(noise=1.0, selection="last", train=range(40), encoder=small_vit)
    found = make_evaluator("finetune", **{**SETTINGS, "epochs": 2, "lr": 0.001}, layer_decay=0.5).evaluate(trial)

    def groups(encoder, head):
        network, blocks = encoder.backbone, len(encoder.backbone.blocks)
        for name, parameter in network.named_parameters():
            place = int(name.split(".")[1]) + 1 if name.startswith("blocks.") else 0
            depth = 0 if name.startswith("fc_norm") else 1 if name.startswith("norm.") else blocks + 1 - place
            yield {"params": [parameter], "lr": 0.001 * 0.5**depth}
        yield {"params": head.parameters(), "lr": 0.001}

    np.testing.assert_allclose(found.scores, by_hand(trial, groups=groups), atol=1e-4)


def test_without_a_schedule_or_rates_of_layers_an_optimizer_keeps_the_rates_that_it_sets(make_trial, make_evaluator):
    class Halving(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            self.param_groups[0]["lr"] /= 2
            rates.append(self.param_groups[0]["lr"])

    rates, evaluator = [], make_evaluator("finetune", **SETTINGS)
    optimizer = replace(evaluator, optimizer=lambda groups, **_: Halving(groups, lr=0.5))

    optimizer.evaluate(make_trial(train=range(20)))

    assert rates == [0.5 ** (2 + step) for step in range(12)], "two steps in each of six epochs"


def test_labels_can_be_smoothed(make_trial, make_evaluator):
    trial = make_trial(noise=1.0, selection="last", train=range(40))

    found = make_evaluator("finetune", **{**SETTINGS, "epochs": 2}, label_smoothing=0.3).evaluate(trial)

    np.testing.assert_allclose(found.scores, by_hand(trial, groups=one_rate, smoothing=0.3), atol=1e-4)
    assert "several labels" in make_evaluator("finetune", label_smoothing=0.1).refuses(
        replace(trial.info, task=Task.MULTI_LABEL)
    )


def test_batch_normalisation_can_keep_its_statistics(make_trial, make_evaluator):
    trial = make_trial(noise=1.0, selection="last", train=range(40))

    found = make_evaluator("finetune", **{**SETTINGS, "epochs": 2}, freeze_batch_norm=True).evaluate(trial)

    before, after = trial.encoder().state_dict(), found.weights["encoder"]
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"layers.0.weight", "layers.1.weight", "layers.1.bias"}
    np.testing.assert_allclose(found.scores, by_hand(trial, groups=one_rate, frozen=["layers.1"]), atol=1e-4)


@pytest.mark.parametrize("probe", ["logistic", {"name": "linear_probe", "epochs": 9, "lr": 0.1}])
def test_the_head_starts_from_the_probe_of_the_same_cell(make_trial, make_evaluator, probe):
    trial = make_trial(noise=1.0, train=range(1, 41), val=range(12))
    with torch.no_grad():
        of = {name: trial.encoder().eval()(all_images(trial, name)) for name in ("train", "val", "test")}
    given = {"name": probe} if isinstance(probe, str) else probe
    probed = make_evaluator(**given).evaluate(replace(trial, features=of))
    last = replace(trial, selection="last")

    found = make_evaluator("finetune", **{**SETTINGS, "epochs": 2}, probe=probe).evaluate(trial)

    assert found.choices["probe"] == {
        **{name: pytest.approx(value, abs=1e-4) for name, value in probed.metrics.items()},
        **({} if probed.selected_epoch is None else {"selected_epoch": probed.selected_epoch}),
    }
    wanted = by_hand(last, groups=one_rate, head=probed.weights["head"])
    np.testing.assert_allclose(found.last_scores, wanted, atol=1e-3)
    assert not np.allclose(wanted, by_hand(last, groups=one_rate), atol=1e-2)


def test_the_probe_may_be_tuned_itself(make_trial, make_evaluator):
    probe = {"name": "linear_probe", "epochs": 9, "tune": {"lr": [1e-4, 0.1]}}
    evaluator = make_evaluator("finetune", **{**SETTINGS, "epochs": 2}, probe=probe)
    trial = make_trial(noise=1.0)

    found = evaluator.evaluate(trial)

    chosen = found.choices["probe"]["tuning"]["values"]
    assert chosen == {"lr": 0.1}
    alone = make_evaluator(
        "finetune", **{**SETTINGS, "epochs": 2}, probe={"name": "linear_probe", "epochs": 9, **chosen}
    )
    assert np.array_equal(alone.evaluate(trial).scores, found.scores)
    assert evaluator.needs_validation == "tune"


def test_at_a_rate_of_nothing_it_predicts_as_the_probe_does(make_trial, make_evaluator):
    trial = make_trial(noise=1.0, selection="last", val=[])
    with torch.no_grad():
        of = {name: trial.encoder().eval()(all_images(trial, name)) for name in ("train", "val", "test")}

    found = make_evaluator(
        "finetune", epochs=1, lr=1e-12, freeze_batch_norm=True, probe={"name": "logistic", "values": 5}
    ).evaluate(trial)

    probed = make_evaluator("logistic", values=5).evaluate(replace(trial, features=of))
    np.testing.assert_allclose(found.scores, probed.scores, atol=1e-4)


def test_a_probe_sees_no_test_image(make_trial, make_evaluator):
    trial = make_trial(noise=1.0, train=range(30), val=range(10))
    other = make_trial(noise=1.0, train=range(30), val=range(10), data_seed=1)
    spoilt = replace(trial, splits={**trial.splits, "test": other.splits["test"]})
    evaluator = make_evaluator("finetune", **SETTINGS, probe="logistic", patience=2)

    first, second = evaluator.evaluate(trial), evaluator.evaluate(spoilt)

    assert (first.choices, first.selected_epoch, first.history) == (
        second.choices,
        second.selected_epoch,
        second.history,
    )
    for part, weights in first.weights.items():
        assert all(torch.equal(second.weights[part][name], tensor) for name, tensor in weights.items())


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("patience", [1, 2, 3])
def test_patience_ends_a_training_where_its_history_says(make_trial, make_evaluator, every, patience):
    trial = make_trial(noise=3.0, val=range(12), train=range(20))
    settings = {**ERRATIC, "epochs": 14, "validate_every": every}
    whole = make_evaluator("finetune", **settings).evaluate(trial)

    found = make_evaluator("finetune", **settings, patience=patience).evaluate(trial)

    best, end = None, len(whole.history)
    for place, row in enumerate(whole.history):
        rank = (row["val_accuracy"], -row["val_loss"])
        best = (rank, row["epoch"]) if best is None or rank > best[0] else best
        if row["epoch"] - best[1] >= patience:
            end = place + 1
            break
    assert found.history == whole.history[:end]
    assert found.selected_epoch == best[1]
    trained = int(found.history[-1]["epoch"]) + 1
    why = "all epochs were trained" if trained == 14 else f"no better epoch in {trained - 1 - found.selected_epoch}"
    assert found.choices == {"stopped": {"epochs": trained, "of": 14, "why": why}}
    assert found.images_seen == 20 * trained
    if every == patience == 1:
        assert trained < 14


def test_patience_needs_validation_images(make_trial, make_evaluator):
    evaluator = make_evaluator("finetune", **SETTINGS, patience=2)

    assert evaluator.needs_validation == "patience"
    assert make_evaluator("finetune").needs_validation == ""
    with pytest.raises(StageError, match="patience needs labelled validation images; leave it out"):
        evaluator.evaluate(make_trial(val=[]))


@pytest.mark.parametrize(
    "settings",
    [
        {"patience": 1, "epochs": 9},
        {"encoder_lr": 0.01, "decays": "weights", "weight_decay": 0.1, "schedule": {"name": "cosine", "warmup": 1}},
        {"probe": "logistic", "freeze_batch_norm": True},
        {"layer_decay": 0.5, "lr": 0.01},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_one_that_is_interrupted_anywhere_ends_to_the_bit_as_one_that_is_not(make_trial, make_evaluator, settings):
    encoder = {"encoder": small_vit} if "layer_decay" in settings else {}
    trial = make_trial(noise=3.0, val=range(12), train=range(20), **encoder)
    evaluator = make_evaluator("finetune", **{**ERRATIC, "epochs": 3, "batch_size": 8, **settings})
    whole = evaluator.evaluate(trial)
    for place in (0, 2, 3, 5):
        interrupting = Interrupting(place)
        with pytest.raises(Stopped):
            evaluator.evaluate(replace(trial, checkpoints=interrupting))
        found = evaluator.evaluate(replace(trial, checkpoints=interrupting))
        assert np.array_equal(found.scores, whole.scores)
        assert np.array_equal(found.last_scores, whole.last_scores)
        assert (found.history, found.selected_epoch, found.choices) == (
            whole.history,
            whole.selected_epoch,
            whole.choices,
        )


def test_what_a_plan_needs_to_know(make_evaluator):
    plain, probed = make_evaluator("finetune", epochs=10), make_evaluator("finetune", epochs=10, probe="logistic")

    assert plain.passes(50) == Passes(10, 128, 10)
    assert probed.passes(50).per_image * 10 == pytest.approx(10 + 1 / 3), "a forward pass is a third of a pass"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"probe": "finetune"}, "probe must be an evaluator that trains a linear layer on features"),
        ({"probe": "knn"}, "probe must be an evaluator that trains a linear layer on features"),
        ({"probe": "silhouette"}, "probe must be an evaluator that trains a linear layer on features"),
        ({"lora_alpha": 4}, "lora_alpha and lora_targets need lora"),
        ({"lora": 4, "encoder_lr": 0}, "encoder_lr = 0 trains no adapters"),
        ({"layer_decay": 1.5}, "less than or equal to 1"),
        ({"label_smoothing": 1.0}, "less than 1"),
        ({"patience": 0}, "greater than or equal to 1"),
    ],
)
def test_what_means_nothing_is_refused(tmp_path, given, message):
    with pytest.raises(ParameterProblem, match=message):
        load_plugins().registry.resolve("evaluator", {"name": "finetune", **given}, tmp_path)


def test_a_probe_that_leaves_no_linear_layer_after_all_is_one_line(make_trial, make_evaluator, monkeypatch):
    monkeypatch.setattr(NearestNeighbours, "keeps_head", True)
    with pytest.raises(StageError, match="leaves no linear layer on the features"):
        make_evaluator("finetune", **SETTINGS, probe="knn").evaluate(make_trial())


@pytest.mark.parametrize(
    "options",
    [
        {"layer_decay": 0.5, "decays": "weights", "weight_decay": 2**-7},
        {"encoder_lr": 2**-9, "schedule": {"name": "cosine", "warmup": 2}},
        {"probe": {"name": "logistic", "values": 5}, "freeze_batch_norm": True, "label_smoothing": 0.1},
        {"patience": 2},
    ],
    ids=lambda options: next(iter(options)),
)
def test_recorded_steps_end_to_the_bit_as_those_by_hand(make_trial, make_evaluator, monkeypatch, options):
    encoder = {"encoder": small_vit} if "layer_decay" in options else {}
    monkeypatch.setattr(Tiny, "recordable", True, raising=False)
    evaluator = make_evaluator("finetune", **{**SETTINGS, "lr": 2**-7, **options})
    by_hand = evaluator.evaluate(make_trial(noise=1.0, **encoder))

    with recorded_by(lambda _: Tape()), warnings.catch_warnings():
        warnings.simplefilter("error", NotRecorded)
        found = evaluator.evaluate(make_trial(noise=1.0, **encoder))

    assert found.history == by_hand.history
    np.testing.assert_array_equal(found.scores, by_hand.scores)
