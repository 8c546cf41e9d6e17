"""The parts of the benchmark: each measures, and returns a heading and a table."""

from __future__ import annotations

from typing import Any

from benchmarks.idle import device_idle
from benchmarks.memory import peak
from benchmarks.overheads import overheads
from benchmarks.race import Entry, Times, race
from benchmarks.tables import race_table, table

BLOOD_IMAGES = 11_959
"""Training images of BloodMNIST."""

THESIS_IMAGES = 2000 * BLOOD_IMAGES
"""What the thesis' pretraining on blood cells sees: 2,000 epochs; it took 12 hours of a GPU."""

_VIT: dict[str, Any] = {
    "encoder": {"name": "timm", "model": "vit_tiny_patch16_224", "input_size": 28, "options": {"patch_size": 4}}
}

METHODS: dict[str, dict[str, Any]] = {
    "simclr": {}, "simclr2": {}, "moco": {}, "nnclr": {}, "instdisc": {}, "relic": {}, "byol": {}, "simsiam": {},
    "barlow_twins": {}, "vicreg": {}, "swav": {}, "online_clustering": {}, "deepcluster": {}, "dino": {}, "ibot": _VIT,
    "mae": _VIT, "masked": {}, "context_restoration": {}, "genesis": {}, "rotation": {},
}  # fmt: skip
"""Methods that pretrain from images alone, with what else they need."""

AUGMENTATIONS = ("plain", "simclr", "tau_nat", "tau_nat_weak", "tau_short", "tau_short_literal", "tau_nov", "tau_grey")


def pretraining(device: str, rounds: int, steps: int) -> str:
    """Compare SimCLR pretraining with what a user would otherwise run, and with the step alone."""
    low: dict[str, Any] = {"device": device}
    if device == "cuda":
        low["images"] = BLOOD_IMAGES  # a GPU is done with ten steps before it has begun: epochs as long as the thesis'
    full = {**low, "precision": "float32"}
    entries = [
        Entry("this project, bfloat16", "harness", low, steps),
        Entry("this project, bfloat16, tau_nov", "harness", {**low, "augmentation": "tau_nov"}, steps),
        Entry("the step on ready views, bfloat16 (the limit)", "ready", low, steps),
        Entry("this project, float32", "harness", full, steps),
        Entry("the step on ready views, float32 (the limit)", "ready", full, steps),
        Entry("a loop by hand: Kornia, timm, lightly's loss, float32", "kornia_loop", full, steps),
        Entry("lightly's documented recipe, float32", "lightly_recipe", full, steps),
    ]
    times = race(entries, rounds)
    references = {"x lightly": times[6], "x bfloat16 limit": times[2], "x float32 limit": times[4]}
    hours = THESIS_IMAGES / times[0].speed / 3600
    return "\n\n".join(
        [
            "## Pretraining: SimCLR, ResNet-18, 28 pixels, batch 256, tau_nat",
            race_table(times, references),
            f"The thesis' pretraining on blood cells (2,000 epochs) would take {_duration(hours)} at the first speed.",
            *([f"Meanwhile the GPU is idle for {device_idle():.1%} of the time."] if device == "cuda" else []),
        ]
    )


def augmentations(device: str, rounds: int, steps: int) -> str:
    """Compare the augmentation sequences, each in a whole pretraining."""
    entries = [Entry(name, "harness", {"device": device, "augmentation": name}, steps) for name in AUGMENTATIONS]
    times = race([*entries, Entry("ready views", "ready", {"device": device}, steps)], rounds)
    return "\n\n".join(
        [
            "## Augmentations: the same pretraining, bfloat16",
            race_table(times, {"x ready views": times[-1]}),
        ]
    )


def fine_tuning(device: str, rounds: int, steps: int) -> str:
    """Compare fine-tuning with its bare step."""
    entries = []
    for precision in ("bfloat16", "float32"):
        settings = {"device": device, "precision": precision, "batch": 64}
        entries += [
            Entry(f"this project, {precision}", "fine_tuning", settings, 4 * steps),
            Entry(f"the step on a ready batch, {precision} (the limit)", "fine_tuning_ready", settings, 4 * steps),
        ]
    times = race(entries, rounds)
    return "\n\n".join(
        [
            "## Fine-tuning: ResNet-18, 28 pixels, batch 64",
            race_table(times, {"x bfloat16 limit": times[1], "x float32 limit": times[3]}),
        ]
    )


def scaling(device: str, rounds: int, steps: int) -> str:
    """Show how the speed depends on batch, image size, set size and encoder."""
    varied = [
        ("batch 64", {"batch": 64, "images": 1280}),
        ("batch 128", {"batch": 128, "images": 1280}),
        ("batch 256", {}),
        ("batch 512", {"batch": 512, "images": 5120}),
        ("batch 1,024", {"batch": 1024, "images": 5120}),
        ("165,376 images", {"images": 165_376, "channels": 1}),
        ("28 pixels, grey", {"channels": 1}),
        ("64 pixels, batch 64", {"size": 64, "batch": 64, "images": 320}),
        ("128 pixels, batch 16", {"size": 128, "batch": 16, "images": 80}),
        ("resnet34", {"encoder": "resnet34"}),
        ("resnet50", {"encoder": "resnet50", "images": 1280}),
    ]
    sections = ["## Scaling: the whole pretraining, bfloat16, tau_nat, one setting changed at a time"]
    found: list[tuple[Times, Times]] = []
    for label, changed in varied:
        settings = {"device": device, **changed}
        few = max(2, steps // 4) if label in {"batch 1,024", "resnet50", "resnet34", "batch 512"} else steps
        entries = [Entry(label, "harness", settings, few), Entry(label, "ready", settings, few)]
        found.append(tuple(race(entries, rounds)))  # type: ignore[arg-type] # two entries, two times
    rows = [
        [own.entry.label, f"{own.speed:,.0f}", f"{own.milliseconds:,.0f}", f"{own.times_as_fast_as(limit):.2f}"]
        for own, limit in found
    ]
    return "\n\n".join([*sections, table(["", "images/s", "ms a step", "x the step on ready views"], rows)])


def methods(device: str, rounds: int, steps: int) -> str:
    """Compare the pretraining by each method with its own step on ready views."""
    rows = []
    for name, changed in METHODS.items():
        settings = {"device": device, "batch": 128, "images": 1280, "method": name, **changed}
        own, limit = race([Entry(name, "harness", settings, steps), Entry(name, "ready", settings, steps)], rounds)
        ratio = own.times_as_fast_as(limit)
        rows.append([name, f"{own.speed:,.0f}", f"{own.milliseconds:,.0f}", f"{own.spread:.0%}", f"{ratio:.2f}"])
    return "\n\n".join(
        [
            "## Methods: the whole pretraining, ResNet-18 (ViTs as said), 28 pixels, batch 128, tau_nat, bfloat16",
            table(["", "images/s", "ms a step", "spread", "x its own step on ready views"], rows),
        ]
    )


def memory(device: str, rounds: int, steps: int) -> str:  # noqa: ARG001 - it is measured once, on the processor
    """Measure the memory of a run on a set as large as MedMNIST's largest."""
    before, added = peak()
    rows = [["the interpreter with torch", f"{before:,.0f}"], ["what the run adds", f"{added:,.0f}"]]
    return "\n\n".join(["## Memory: 165,466 training images, pretraining and linear probe", table(["", "MiB"], rows)])


def waiting(device: str, rounds: int, steps: int) -> str:  # noqa: ARG001 - nothing is trained
    """Measure what is waited for before the first step."""
    rows = [[name, f"{seconds:.2f}"] for name, seconds in overheads(rounds).items()]
    return "\n\n".join(["## Waiting", table(["", "seconds"], rows)])


PARTS = {
    "pretraining": pretraining,
    "augmentations": augmentations,
    "fine-tuning": fine_tuning,
    "scaling": scaling,
    "methods": methods,
    "memory": memory,
    "waiting": waiting,
}


def _duration(hours: float) -> str:
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"
