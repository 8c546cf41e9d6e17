"""Adapters: those of peft, nothing else of the encoder is trained, and what is kept is the plain encoder."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from evaluators.test_finetune import all_images
from evaluators.test_finetune_options import small_vit
from torch import nn

from medssl_bench.errors import StageError
from medssl_bench.evaluators import adapters
from medssl_bench.evaluators.adapters import add_adapters, merged_state
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting
from medssl_bench.testing.tape import Tape
from medssl_bench.training.recording import recorded_by
from medssl_bench.training.steps import NotRecorded

peft = pytest.importorskip("peft", reason="an extra: pip install 'medssl-bench[lora]'")

SETTINGS = {"epochs": 4, "batch_size": 16, "lr": 0.01, "validate_every": 1, "lora": 2}


def test_only_adapters_are_trained_and_the_kept_encoder_is_a_plain_one(make_trial, make_evaluator):
    trial = make_trial(noise=1.0, encoder=small_vit)

    found = make_evaluator("finetune", **SETTINGS).evaluate(trial)

    before, after = small_vit().state_dict(), found.weights["encoder"]
    assert after.keys() == before.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    linear = {f"{name}.weight" for name, module in small_vit().named_modules() if isinstance(module, nn.Linear)}
    assert changed == linear
    changes = [after[name] - before[name] for name in linear]  # with the rounding of float32
    assert all(torch.linalg.matrix_rank(change, rtol=1e-5) <= 2 for change in changes)


def test_the_kept_weights_give_the_scores(make_trial, make_evaluator):
    trial = make_trial(noise=1.0, encoder=small_vit)

    found = make_evaluator("finetune", **SETTINGS, lora_alpha=8.0).evaluate(trial)

    encoder, head = small_vit(), nn.Linear(found.weights["head"]["weight"].shape[1], 3)
    encoder.load_state_dict(found.weights["encoder"])
    head.load_state_dict(found.weights["head"])
    with torch.no_grad():
        scores = head(encoder.eval()(all_images(trial, "test"))).softmax(dim=1).numpy()
    np.testing.assert_allclose(found.scores, scores, atol=1e-5)


def test_merged_weights_are_those_of_peft():
    encoder, theirs = small_vit(), small_vit()
    add_adapters(encoder, 2, 8.0, ["qkv"], seed=0)
    config = peft.LoraConfig(r=2, lora_alpha=8.0, target_modules=["qkv"])
    wrapped = peft.get_peft_model(theirs, config)
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if "lora_B" in name:
                parameter.normal_(generator=torch.Generator().manual_seed(1))
        for name, parameter in wrapped.base_model.model.named_parameters():
            parameter.copy_(encoder.get_parameter(name))

    wanted = wrapped.merge_and_unload().state_dict()

    found = merged_state(encoder)
    assert found.keys() == wanted.keys()
    assert all(torch.allclose(found[name], wanted[name]) for name in wanted)
    assert not torch.equal(found["backbone.blocks.0.attn.qkv.weight"], small_vit().backbone.blocks[0].attn.qkv.weight)


def test_an_encoder_without_linear_layers_has_adapters_in_its_convolutions(make_trial, make_evaluator):
    trial = make_trial(noise=0.3)

    found = make_evaluator("finetune", **SETTINGS).evaluate(trial)

    before, after = trial.encoder().state_dict(), found.weights["encoder"]
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"layers.0.weight"}


def test_one_that_is_interrupted_ends_to_the_bit_as_one_that_is_not(make_trial, make_evaluator):
    trial = make_trial(noise=1.0, encoder=small_vit, train=range(40))
    evaluator = make_evaluator("finetune", **SETTINGS)
    whole, interrupting = evaluator.evaluate(trial), Interrupting(5)

    with pytest.raises(Stopped):
        evaluator.evaluate(replace(trial, checkpoints=interrupting))
    found = evaluator.evaluate(replace(trial, checkpoints=interrupting))

    assert np.array_equal(found.scores, whole.scores)
    for part, weights in whole.weights.items():
        assert all(torch.equal(found.weights[part][name], tensor) for name, tensor in weights.items())


def test_layers_that_are_not_there_are_one_line(make_trial, make_evaluator):
    with pytest.raises(StageError, match=r"^lora: these layers can have no adapters: .*nowhere") as error:
        make_evaluator("finetune", **SETTINGS, lora_targets=["nowhere"]).evaluate(make_trial(encoder=small_vit))
    assert "\n" not in str(error.value)


def test_without_the_package_there_is_one_line(make_trial, make_evaluator, monkeypatch):
    monkeypatch.setattr(adapters, "find_spec", lambda _: None)

    with pytest.raises(StageError, match=r"^lora needs the package peft.*pip install 'medssl-bench\[lora\]'$"):
        make_evaluator("finetune", **SETTINGS).evaluate(make_trial())


def test_recorded_steps_end_to_the_bit_as_those_by_hand(make_trial, make_evaluator):
    evaluator = make_evaluator("finetune", **{**SETTINGS, "lr": 2**-7, "epochs": 6})
    by_hand = evaluator.evaluate(make_trial(noise=1.0, encoder=small_vit))

    with recorded_by(lambda _: Tape()), warnings.catch_warnings():
        warnings.simplefilter("error", NotRecorded)
        found = evaluator.evaluate(make_trial(noise=1.0, encoder=small_vit))

    assert found.history == by_hand.history
    np.testing.assert_array_equal(found.scores, by_hand.scores)
