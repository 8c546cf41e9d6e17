"""What cannot be built is told before anything runs: by `validate`, and by `run`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from cli.bad_suites import GOOD
from cli.conftest import write_squares

from medssl_bench.datasets.locations import dataset_context
from medssl_bench.encoders.known_shapes import known_features
from medssl_bench.errors import EncoderWarning
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.session.encoder_check import fitting_encoders
from medssl_bench.store.tensors import save_tensors
from medssl_bench.suite.suite import Suite

ENCODER = 'encoder = "mine"\n'
PLUGIN = """
from medssl_bench import hookimpl

@hookimpl
def medssl_encoders(register):
    register("own", own)

def own(size: int):
    import torch

    class Own(torch.nn.Module):
        dim = 3
        def forward(self, images):
            {forward}

    {build}
    return Own()
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a suite whose arms have the encoder of a table, into the working directory."""
    monkeypatch.chdir(tmp_path)
    write_squares(tmp_path / "squares.npz")

    def write(table: str, *, forward: str = "return images.mean((2, 3))", build: str = "pass") -> Path:
        text = GOOD.replace("[pretraining.nat]", f"[encoder.mine]\n{table}\n\n[pretraining.nat]\n{ENCODER}")
        text = text.replace('baseline = "supervised"\n', f'baseline = "supervised"\n{ENCODER}')
        if '"own"' in table:
            (tmp_path / "own.py").write_text(PLUGIN.format(forward=forward, build=build), "utf-8")
            text = text.replace("seeds = [0]\n", 'seeds = [0]\nplugins = ["own.py"]\n')
        (tmp_path / "suite.toml").write_text(text, "utf-8")
        return tmp_path / "suite.toml"

    return write


TIMM = 'name = "timm"\nmodel = "{}"'

_FITS = {
    "resnet": ('name = "resnet50"', "2,048 features from 28 x 28 x 3"),
    "vit": ('name = "vit_tiny"', "192 features from 28 x 28 x 3"),
    "of timm": (TIMM.format("test_resnet"), "96 features from 28 x 28 x 3"),
    "a size that it was made for": (
        TIMM.format("vit_small_patch14_dinov2") + '\ninput_size = 56\npooling = "cls_mean"', "768 features from 28"
    ),
    "a size of its own": (
        TIMM.format("vit_tiny_patch16_224") + "\noptions = { img_size = 28, patch_size = 7 }", "192 features"
    ),
    "a plugin's": ('name = "own"', "3 features from 28 x 28 x 3"),
}  # fmt: skip


@pytest.mark.parametrize("kind", _FITS)
def test_validate_says_what_an_encoder_gives(kind: str, write: Callable[..., Path], cli: Callable[..., Any]) -> None:
    table, said = _FITS[kind]
    write(table)
    result = cli("validate", "suite.toml")
    assert result.status == 0, result.err
    (line,) = [line for line in result.out.splitlines() if line.startswith("encoder ")]
    assert line.startswith(f"encoder mine: {said}")


_PATCH = "patches of 16 do not divide images of 28 pixels: pixels would be dropped"
_BAD = {
    "DINOv2": (
        TIMM.format("vit_small_patch14_dinov2.lvd142m"),
        "match model (518); it was made for images of 518 pixels: write input_size = 28 or input_size = 518",
    ),
    "a size that its patch does not divide": (
        TIMM.format("vit_tiny_patch16_224"), "(224); it was made for images of 224 pixels: write input_size = 224"
    ),
    "pixels dropped": (TIMM.format("vit_tiny_patch16_224") + "\noptions = { img_size = 28 }", _PATCH),
    "a patch that does not divide": ('name = "vit_tiny"\npatch = 5', "a patch of 5 does not divide images of 28"),
    "an option that it lacks": (TIMM.format("test_resnet") + "\noptions = { depht = 3 }", "it cannot be made with"),
    "channels": (TIMM.format("test_resnet") + "\noptions = { in_chans = 2 }", "takes 2 channels; images have 3, or 1"),
    "no tokens": (TIMM.format("test_resnet") + '\npooling = "cls_mean"', "pooling is for vision transformers"),
    "patches that do not divide input_size": (
        TIMM.format("vit_small_patch14_dinov2") + "\ninput_size = 64",
        "patches of 14 do not divide images of 64 pixels: pixels would be dropped; write input_size = 56 or 70",
    ),
    "images too large to pad": (TIMM.format("test_resnet") + '\ninput_size = 24\nfit = "pad"', "they have 28 pixels"),
    "half a normalisation": (TIMM.format("test_resnet") + "\nmean = [0.5]", "mean and std belong together"),
    "no features": (TIMM.format("test_resnet") + '\noptions = { global_pool = "" }', "(B, D) is needed"),
    "no pretrained weights": (
        TIMM.format("cs3darknet_s") + '\nweights = "pretrained"', "timm has no pretrained weights for it"
    ),
}  # fmt: skip


_ALSO_RUN = ("a patch that does not divide", "no features", "no pretrained weights")
"""One found by its parameters, one by building, one by its weights: `run` asks as `validate` does."""


@pytest.mark.parametrize(
    ("kind", "verb"), [*((kind, "validate") for kind in _BAD), *((kind, "run") for kind in _ALSO_RUN)]
)
def test_an_encoder_that_cannot_be_had_is_refused_before_anything_runs(
    kind: str, verb: str, write: Callable[..., Path], cli: Callable[..., Any]
) -> None:
    table, said = _BAD[kind]
    write(table)
    result = cli(verb, "suite.toml")
    assert result.status == 2, result.out
    (line,) = result.err.splitlines()
    assert line.startswith("error: suite.toml:9: encoder.mine"), line
    assert said in line
    assert not Path("store").exists()


_TRIED = {
    "adapters of no layer": (
        "lora = 4\nlora_targets = ['query']", "lora: these layers can have no adapters: Target modules {'query'} not f"
    ),
    "adapters of a layer that can have none": ("lora = 4\nlora_targets = ['bn1']", "lora: these layers can have no ad"),
    "one of several": (
        "tune = { lora_targets = [['conv2'], ['query']] }\nlora = 4", "Target modules {'query'} not found"
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", ["validate suite.toml", "run suite.toml", "run suite.toml --epochs-scale 0.5"])
@pytest.mark.parametrize("kind", _TRIED)
def test_an_evaluator_that_cannot_judge_with_an_encoder_is_refused_before_anything_runs(
    kind: str, verb: str, write: Callable[..., Path], cli: Callable[..., Any]
) -> None:
    options, said = _TRIED[kind]
    _fine_tuned(write(TIMM.format("test_resnet")), options)
    result = cli(*verb.split(" "))
    assert result.status == 2, result.out
    (line,) = result.err.splitlines()
    assert line.startswith("error: suite.toml:13: evaluator.tuned: 'finetune' with encoder 'timm': "), line
    assert said in line
    assert line.endswith("; those that can are called conv1, conv2, conv3"), line
    assert not Path("store").exists()


def test_of_two_evaluators_that_differ_in_what_is_tuned_the_right_one_is_named(
    write: Callable[..., Path], cli: Callable[..., Any]
) -> None:
    sound = "lora = 4\ntune = { lr = [0.1, 0.2] }\nlora_targets = ['conv2']\n\n[evaluator.other]\nname = \"finetune\"\n"
    _fine_tuned(
        write(TIMM.format("test_resnet")),
        f"{sound}lr = 0.1\nlora = 4\ntune = {{ lora_targets = [['conv2'], ['query']] }}",
    )
    suite = Path("suite.toml")
    suite.write_text(suite.read_text("utf-8").replace('evaluator = "linear_probe"', 'evaluator = "other"'), "utf-8")
    result = cli("validate", "suite.toml")
    (line,) = result.err.splitlines()
    assert ": evaluator.other: 'finetune' with encoder 'timm': " in line


@pytest.mark.parametrize("options", ["lora = 4", "lora = 4\nlora_targets = ['conv2']", "layer_decay = 0.5"])
def test_an_evaluator_that_can_judge_with_an_encoder_is_told_nothing_of(
    options: str, write: Callable[..., Path], cli: Callable[..., Any]
) -> None:
    _fine_tuned(write(TIMM.format("test_resnet")), options)
    result = cli("validate", "suite.toml")
    assert (result.status, result.err) == (0, "")
    assert "encoder mine: 96 features from 28 x 28 x 3" in result.out


def test_rates_of_layers_need_an_encoder_whose_layers_are_known(
    write: Callable[..., Path], cli: Callable[..., Any]
) -> None:
    _fine_tuned(write('name = "own"'), "layer_decay = 0.5")
    result = cli("validate", "suite.toml")
    assert result.status == 2
    assert "evaluator.tuned: 'finetune' with encoder 'own': layer_decay needs an encoder whose layers are" in result.err


def _fine_tuned(suite: Path, options: str) -> None:
    """Let an evaluator with options judge the supervised arm of a suite."""
    text = suite.read_text("utf-8")
    table = f'[evaluator.tuned]\nname = "finetune"\n{options}\n\n[pretraining.nat]'
    text = text.replace("[pretraining.nat]", table).replace('evaluator = "finetune"', 'evaluator = "tuned"')
    suite.write_text(text, "utf-8")


_OWN = {
    "raises when built": ({"build": "raise LookupError('no weights here')"}, "LookupError: no weights here"),
    "exits when built": ({"build": "raise SystemExit(0)"}, "SystemExit: 0"),
    "raises on images": ({"forward": "raise LookupError('too small')"}, "cannot encode images of 28 pixels: LookupErr"),
    "gives maps": (
        {"forward": "return images"},
        "gives torch.float32 of shape (2, 3, 28, 28) for 2 images",
    ),
}


@pytest.mark.parametrize("kind", _OWN)
def test_a_plugins_encoder_that_fails(kind: str, write: Callable[..., Path], cli: Callable[..., Any]) -> None:
    code, said = _OWN[kind]
    write('name = "own"', **code)
    result = cli("run", "suite.toml")
    assert result.status == 2
    (line,) = [line for line in result.err.splitlines() if not line.startswith("note: ")]
    assert line.startswith("error: suite.toml:10: encoder.mine: encoder 'own': ")
    assert said in line
    assert not Path("store").exists()


@pytest.mark.parametrize(
    "forward",
    ["return torch.tensor(images.mean((2, 3)).numpy())", "images.sum().item(); return images.mean((2, 3))"],
)
def test_an_encoder_that_asks_for_numbers_is_built_with_numbers(
    forward: str, write: Callable[..., Path], cli: Callable[..., Any]
) -> None:
    write('name = "own"', forward=forward)
    result = cli("validate", "suite.toml")
    assert "encoder mine: 3 features" in result.out, result.err


def test_validate_draws_from_nobodys_generator(write: Callable[..., Path], cli: Callable[..., Any]) -> None:
    write(TIMM.format("test_resnet"))
    before = torch.random.get_rng_state()
    assert cli("validate", "suite.toml").status == 0
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_classifier_in_a_file_of_weights_is_told(write: Callable[..., Path], cli: Callable[..., Any]) -> None:
    save_tensors(timm.create_model("test_resnet", num_classes=5).state_dict(), Path("hub.safetensors"))
    write(TIMM.format("test_resnet") + '\nweights_file = "hub.safetensors"\nnormalize = "half"')
    said = "encoder mine: fc.bias, fc.weight of weights_file are a classifier's, which an encoder has not: left out"
    assert f"note: {said}" in cli("validate", "suite.toml").out
    from medssl_bench import run

    with pytest.warns(EncoderWarning, match=said):
        assert not run("suite.toml", only=["frozen"], epochs_scale=0.01).failed


def test_weights_of_another_model_are_refused(write: Callable[..., Path], cli: Callable[..., Any]) -> None:
    save_tensors(timm.create_model("test_vit", num_classes=0).state_dict(), Path("other.safetensors"))
    write('name = "resnet18"\nweights_file = "other.safetensors"')
    for verb in ("validate", "run"):
        result = cli(verb, "suite.toml")
        assert result.status == 2
        assert "encoder.mine: encoder 'resnet18': " in result.err
        assert "these are not the weights of resnet18: " in result.err
        assert len(result.err.splitlines()) == 1


def test_a_file_must_say_how_images_were_normalised(write: Callable[..., Path], cli: Callable[..., Any]) -> None:
    save_tensors(timm.create_model("test_resnet", num_classes=0).state_dict(), Path("brought.safetensors"))
    table = TIMM.format("test_resnet") + '\nweights_file = "brought.safetensors"'
    write(table)
    result = cli("validate", "suite.toml")
    assert result.status == 2
    said = "brought.safetensors does not say how images were normalised: write mean and std, or normalize ="
    assert f"error: suite.toml:9: encoder.mine: encoder 'timm': {said}" in result.err
    assert len(result.err.splitlines()) == 1
    write(f"{table}\nmean = [0.2]\nstd = [0.3]")
    assert cli("validate", "suite.toml").status == 0
    Path("model.json").write_text('{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}', "utf-8")
    write(table)
    assert cli("validate", "suite.toml").status == 0, "export wrote how"
    Path("model.json").write_text('{"mean": [0.4, 0.4, 0.4], "std": [0.5, 0.5, 0.5]}', "utf-8")
    assert "write mean = [0.4, 0.4, 0.4] and std = [0.5, 0.5, 0.5]" in cli("validate", "suite.toml").err


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny"])
def test_so_must_the_file_of_an_encoder_that_has_a_name(
    name: str, write: Callable[..., Path], cli: Callable[..., Any]
) -> None:
    backbone = (
        load_plugins().registry.build(load_plugins().registry.resolve_or_raise("encoder", name), size=28).backbone
    )
    save_tensors(backbone.state_dict(), Path("brought.safetensors"))
    table = f'name = "{name}"\nweights_file = "brought.safetensors"'
    write(table)
    for verb in ("validate", "run"):
        result = cli(verb, "suite.toml")
        assert "brought.safetensors does not say how images were normalised: write mean and std" in result.err
        assert result.status == 2
    for more in ('normalize = "half"', "mean = [0.2, 0.3, 0.4]\nstd = [0.3, 0.3, 0.3]"):
        write(f"{table}\n{more}")
        assert cli("validate", "suite.toml").status == 0


_MODELS = ["resnet18", "resnet34", "resnet50", "test_resnet"]


@pytest.mark.parametrize(
    "named",
    [*_MODELS[:3], "vit_tiny", "vit_small", *({"name": "timm", "model": model} for model in _MODELS)],
    ids=str,
)
def test_what_is_known_of_built_in_encoders_is_what_they_give(named: Any) -> None:
    registry = load_plugins().registry
    component = registry.resolve_or_raise("encoder", named)
    with torch.device("meta"):
        built = registry.build(component, size=28)
    assert known_features(component, 28) == built.dim


@pytest.mark.parametrize(
    "more", [{"options": {"output_stride": 8}}, {"weights": "pretrained"}, {"model": "test_vit"}, {"input_size": 64}]
)
def test_nothing_is_known_of_a_model_with_options_or_weights(more: dict[str, Any]) -> None:
    component = load_plugins().registry.resolve_or_raise("encoder", {"name": "timm", "model": "resnet18", **more})
    assert known_features(component, 28) is None


@pytest.mark.slow
def test_a_process_of_its_own_builds_what_this_one_cannot(write: Callable[..., Path]) -> None:
    """The process of the command line loads no torch, the other one no timm; what the plugin prints spoils nothing."""
    write('name = "own"', build="import sys\n    print('hello')\n    assert 'timm' not in sys.modules")
    code = (
        "import sys\nfrom medssl_bench.cli import main\ntry:\n    main()\nfinally:\n    print('torch' in sys.modules)"
    )
    done = _started("-c", code, "validate", "suite.toml")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (lines[1], lines[-1]) == ("encoder mine: 3 features from 28 x 28 x 3", "False")
    write('name = "own"', build="import os; os._exit(7)")
    done = _started("-m", "medssl_bench", "run", "suite.toml")
    assert done.returncode == 2
    assert "encoder.mine: encoder 'own': the process that builds it ended with status 7" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_a_process_that_is_killed_is_tried_once_more(write: Callable[..., Path]) -> None:
    write('name = "own"', build="import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    done = _started("-m", "medssl_bench", "validate", "suite.toml")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert line.endswith("the process that builds it was killed by SIGKILL (too little memory?)")
    once = ["import os", "if not os.path.exists('seen'):", "    os.mkdir('seen')", "    os.kill(os.getpid(), 9)"]
    write('name = "own"', build="\n    ".join(once))
    done = _started("-m", "medssl_bench", "validate", "suite.toml")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_process_whose_thread_does_not_end_is_not_waited_for(
    write: Callable[..., Path],
) -> None:
    write('name = "own"', build="import threading, time; threading.Thread(target=time.sleep, args=[600]).start()")
    done = _started("-m", "medssl_bench", "validate", "suite.toml")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
@pytest.mark.parametrize("seconds", [0, 60], ids=["has just built", "still builds"])
def test_a_run_that_is_killed_takes_the_process_with_it(seconds: int, write: Callable[..., Path]) -> None:
    """And that process says nothing of it."""
    wait = ["import os, time", "from pathlib import Path", "Path('pid').write_text(str(os.getpid()))"]
    wait += [f"time.sleep({seconds})", "while not Path('go').exists():", "    time.sleep(0.01)"]
    write('name = "own"', build="\n    ".join(wait))
    command = [sys.executable, "-m", "medssl_bench", "run", "suite.toml"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
        try:
            end = time.monotonic() + 120
            while not Path("pid").exists() or not Path("pid").read_text():
                assert run.poll() is None
                assert time.monotonic() < end
                time.sleep(0.01)
        finally:
            run.kill()
        run.wait()
        Path("go").touch()  # at once: the answer goes into a pipe that nothing reads
        _, err = run.communicate(timeout=30)  # until the process has closed it, too
    assert "Traceback" not in err
    number = int(Path("pid").read_text())
    end = time.monotonic() + 5
    while Path(f"/proc/{number}").exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def _started(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=200)


def test_what_finished_stages_have_built_is_not_built_again(write: Callable[..., Path]) -> None:
    suite = Suite.load(write(TIMM.format("test_resnet")))
    stages = list(build_plan(suite, dataset_context(None)).stages.values())
    assert [encoder.features for encoder in fitting_encoders(suite, stages, fetch=False)] == [96]
    assert fitting_encoders(suite, stages, fetch=True, done=stages) == []
