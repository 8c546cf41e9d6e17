"""Steps that are recorded and played back are those that are done by hand.

What records them here is a tape of every operation: like a CUDA graph it has fixed memory and no Python. The last tests
are the same with CUDA graphs, where there is a GPU.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from training.conftest import settings, split

from medssl_bench.checkpoints import Checkpoints
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.methods.simclr import SimCLR
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting
from medssl_bench.testing.tape import Tape
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.optimizer import make_optimizer
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.recording import recorded_by, recorder_for
from medssl_bench.training.steps import NotRecorded, Steps
from medssl_bench.training.view_maker import ViewMaker

REGISTRY = load_plugins().registry
SEQUENCES = sorted(name for name in REGISTRY.entries["augmentation"] if name.startswith("tau_"))
LR = 2**-9
"""The same number in float32, as learning rates of recorded steps are, and in float64."""

STEPS = 8
"""Three by hand, one that is recorded, and four that are played back; every third ends an epoch."""

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


class Small(nn.Module):
    """The kinds of layers that an encoder has, once each: what differs between cases below is not in them."""

    dim = 16
    recordable = True

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 16, 3, stride=3), nn.BatchNorm2d(16), nn.ReLU(), nn.Dropout(0.1))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).mean(dim=(2, 3))


def pretrained(
    record: Any,
    *,
    encoder: Callable[[], nn.Module] = Small,
    steps: int = STEPS,
    augmentation: Any = "simclr",
    optimizer: str = "adamw",
    options: dict[str, Any] | None = None,
    grey: bool = False,
    checkpoints: Checkpoints | None = None,
    device: str = "cpu",
    **changes: Any,
) -> tuple[Pretraining, dict[str, Tensor]]:
    """Return a pretraining that has run, and what it has made; a rate that changes with every step."""
    torch.manual_seed(0)
    place = torch.device(device)
    method = SimCLR(encoder(), hidden=16, projection=8, temperature=0.5, loss="nt_xent").to(place)
    method.to(memory_format=torch.channels_last)
    recipe = settings(duration={"steps": steps}, **changes)
    recipe["optimizer"] = {"name": optimizer, "lr": LR, "weight_decay": 0.1, "momentum": 0.9, **(options or {})}
    recipe["schedule"] = {"name": "constant", "minimum": 0.0, "period": None, "warmup": 7}
    views = ViewMaker(method.views(), REGISTRY.resolve_or_raise("augmentation", augmentation), 28, REGISTRY, place, 0)
    images = [DeviceImages(split(count, 28, seed=count, grey=grey), place) for count in (24, 8)]
    with recorded_by(lambda _: record):
        training = Pretraining(method, *images, views, recipe, lambda *_: None, checkpoints)
        training.run()
    return training, method.state_dict()


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("augmentation", ["plain", "simclr", *SEQUENCES])
def test_a_recorded_pretraining_ends_to_the_bit_as_one_by_hand(augmentation):
    recorded, found = pretrained(Tape(), augmentation=augmentation)
    by_hand, wanted = pretrained(None, augmentation=augmentation)

    assert recorded.steps.recorded == 1
    assert by_hand.steps.recorded == 0
    assert same(found, wanted)
    assert recorded._result == by_hand._result


def test_with_an_encoder_of_timm():
    def encoder() -> nn.Module:
        return TimmEncoder("test_resnet", 28)

    recorded, found = pretrained(Tape(), encoder=encoder)

    assert recorded.steps.recorded == 1
    assert same(found, pretrained(None, encoder=encoder)[1])


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("grey", [False, True])
def test_with_other_optimisers_precisions_and_images(optimizer, precision, grey):
    how = {"optimizer": optimizer, "precision": precision, "grey": grey}

    recorded, found = pretrained(Tape(), **how)

    assert recorded.steps.recorded == 1
    assert same(found, pretrained(None, **how)[1])


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", "lars"])
def test_with_clipping_and_a_weight_decay_that_follows_the_training(optimizer):
    """The decay is 0.1 to begin with: were it fixed in the recording, the weights would differ."""
    how = {"optimizer": optimizer, "options": {"clip": 0.5, "weight_decay_end": 0.9}}

    recorded, found = pretrained(Tape(), **how)

    assert recorded.steps.recorded == 1
    assert same(found, pretrained(None, **how)[1])
    assert not same(found, pretrained(None, optimizer=optimizer, options={"clip": 0.5})[1])


def test_one_that_is_interrupted_goes_on_to_the_same_bits():
    """It had recorded a step before, and records one again."""
    _, whole = pretrained(Tape(), steps=11)
    interrupting = Interrupting(5)
    with suppress(Stopped):
        pretrained(Tape(), steps=11, checkpoints=interrupting)

    training, found = pretrained(Tape(), steps=11, checkpoints=interrupting)

    assert training.steps.recorded == 1
    assert same(found, whole)


def test_what_cannot_be_recorded_is_done_by_hand_without_being_asked():
    augmentation = REGISTRY.resolve_or_raise("augmentation", "gentle")
    assert not ViewMaker(
        [*SimCLR.views(None)],
        augmentation,
        28,
        REGISTRY,
        torch.device("cpu"),
        0,  # type: ignore[arg-type]
    ).recordable

    training, _ = pretrained(Tape(), augmentation="gentle")

    assert training.steps.recorded == 0


class Shifting(nn.Module):
    """Layers and their optimiser; a step may read a value back."""

    def __init__(self, *, reads: bool = False, throws: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.optimizer = make_optimizer(
            [{"params": list(self.parameters()), "weight_decay": 0.1}],
            {"name": "adamw", "lr": LR, "weight_decay": 0.1},
            recorded=True,
        )
        self.reads, self.throws, self.sign = reads, throws, 1
        self.register_buffer("mask", torch.tensor([0.0, float("-inf")]))
        self.calls = 0

    def step(self, images: Tensor, factor: int | Tensor) -> dict[str, Tensor]:
        self.calls += 1
        self.optimizer.zero_grad(set_to_none=True)
        loss = (self.layer(images) - self.sign * (1 + factor)).square().mean()
        if self.throws:
            loss = loss * random.random()
        if self.reads:
            loss = loss * (1 + float(loss.detach()))
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.detach()}


def batches(sizes: list[int]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(size, 4, generator=generator) for size in sizes]


def run(module: Shifting, recorder: Any, sizes: list[int]) -> tuple[list[float], Steps]:
    steps = Steps(module, module.optimizer, recorder)
    found = [float(steps.do(module.step, images, place)["loss"]) for place, images in enumerate(batches(sizes))]
    return found, steps


def test_whole_batches_and_the_rest_of_an_epoch_have_a_recording_each():
    sizes = [8, 8, 5] * 7
    module, plain = Shifting(), Shifting()

    found, steps = run(module, Tape(), sizes)
    wanted, _ = run(plain, None, sizes)

    assert steps.recorded == 2
    assert module.calls < plain.calls
    assert found == wanted
    assert same(module.state_dict(), plain.state_dict())


def test_further_shapes_are_done_by_hand():
    sizes = [8, 7, 6] * 6

    found, steps = run(Shifting(), Tape(), sizes)

    assert steps.recorded == 2
    assert found == run(Shifting(), None, sizes)[0]


def test_a_step_that_reads_a_value_back_goes_on_by_hand_and_says_so():
    module, plain = Shifting(reads=True), Shifting(reads=True)

    with pytest.warns(NotRecorded, match="read back"):
        found, steps = run(module, Tape(), [8] * 9)

    assert steps.recorded == 0
    assert found == run(plain, None, [8] * 9)[0]
    assert same(module.state_dict(), plain.state_dict())


def test_what_is_drawn_on_the_host_is_found(recwarn):
    """It would be the same number for ever."""
    module, plain = Shifting(throws=True), Shifting(throws=True)

    random.seed(0)
    found, steps = run(module, Tape(), [8] * 9)
    random.seed(0)

    (warning,) = [each for each in recwarn if each.category is NotRecorded]
    assert "ends as another" in str(warning.message)
    assert steps.recorded == 0
    assert found == run(plain, None, [8] * 9)[0]


def test_a_further_shape_that_cannot_be_recorded_leaves_the_first_one_recorded():
    module, plain = Shifting(), Shifting()
    both = [(Steps(each, each.optimizer, recorder), each) for each, recorder in ((module, Tape()), (plain, None))]

    def losses(images: list[Tensor]) -> list[list[float]]:
        return [[float(steps.do(each.step, batch, 0)["loss"]) for batch in images] for steps, each in both]

    found, wanted = losses(batches([8] * 6))
    assert found == wanted
    module.reads = plain.reads = True
    with pytest.warns(NotRecorded):
        found, wanted = losses(batches([5] * 6))
    assert found == wanted
    plain.reads = False
    found, wanted = losses(batches([8] * 2))
    assert found == wanted
    assert both[0][0].recorded == 1


def test_what_is_forgotten_is_done_by_hand():
    module = Shifting()
    _, steps = run(module, Tape(), [8] * 6)
    before = module.calls

    steps.forget()
    steps.do(module.step, batches([8])[0], 0)

    assert steps.recorded == 0
    assert module.calls == before + 1


class Spoiled(Tape):
    """A tape that has changed what the step does, as a graph that reads memory of others would."""

    def __init__(self, module: Shifting) -> None:
        self._module = module

    def record(self, work: Callable[[], object]) -> Callable[[], object]:
        self._module.sign = -1
        try:
            return super().record(work)
        finally:
            self._module.sign = 1


def test_a_recording_that_does_something_else_is_found_and_not_used():
    module, plain = Shifting(), Shifting()

    with pytest.warns(NotRecorded, match="ends as another"):
        found, steps = run(module, Spoiled(module), [8] * 9)

    assert steps.recorded == 0
    assert found == run(plain, None, [8] * 9)[0]
    assert same(module.state_dict(), plain.state_dict())


def test_on_the_processor_nothing_is_recorded():
    assert recorder_for(torch.device("cpu")) is None


def test_another_recorder_holds_inside_its_block_alone():
    tape = Tape()
    with recorded_by(lambda _: tape):
        assert recorder_for(torch.device("cpu")) is tape
    assert recorder_for(torch.device("cpu")) is None


@CUDA
@pytest.mark.parametrize("augmentation", ["simclr", "tau_nov"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_cuda_graph_follows_steps_by_hand(augmentation, precision):
    how = {"augmentation": augmentation, "precision": precision, "device": "cuda"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotRecorded)
        recorded, _ = pretrained(recorder_for(torch.device("cuda")), **how)
    by_hand, _ = pretrained(None, **how)

    assert recorded.steps.recorded == 1
    for row, wanted in zip(recorded._result.history, by_hand._result.history, strict=True):
        assert row["loss"] == pytest.approx(wanted["loss"], rel=1e-2)


class Dropping(Shifting):
    """Layers that draw on the device."""

    def __init__(self, *, reads: bool = False) -> None:
        super().__init__(reads=reads)
        self.layer.append(nn.Dropout(0.5))


@CUDA
def test_a_step_on_cuda_that_waits_leaves_nothing_in_disorder():
    device = torch.device("cuda")
    for reads in (True, False):
        module = Dropping(reads=reads).to(device)
        module.optimizer = make_optimizer(
            [{"params": list(module.parameters())}], {"name": "adamw", "lr": LR, "weight_decay": 0.1}, recorded=True
        )
        steps = Steps(module, module.optimizer, recorder_for(device))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if reads else "error", NotRecorded)
            losses = [float(steps.do(module.step, images.to(device), 0)["loss"]) for images in batches([8, 8, 5] * 7)]
        assert steps.recorded == (0 if reads else 2)
        assert len(set(losses)) == len(losses)
        torch.cuda.empty_cache()
