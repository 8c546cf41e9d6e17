"""The kinds of components, and what the harness hands to a factory of each."""

from __future__ import annotations

from dataclasses import dataclass

from medssl_bench.errors import UserError, did_you_mean


@dataclass(frozen=True)
class Kind:
    """A kind of component.

    Attributes:
        name: the singular, as in ``medssl-bench show augmentation tau_nat``.
        plural: the plural, as in ``medssl-bench list augmentations``.
        hook: name of the hook that registers components of this kind.
        receives: names of the positional parameters of a factory; the harness supplies them.
        summary: one line for the documentation.
        parameters: names of keyword parameters that every factory must have.
        makes: the class, as ``module:name``, of what a factory must give where it is called before any stage runs;
            empty for what is made in stages.
        tuned: the class, as ``module:name``, of what validation labels choose parameters for: it takes the candidates
            and their values. Empty: there is none, and ``tune`` is a name like another.
    """

    name: str
    plural: str
    hook: str
    receives: tuple[str, ...]
    summary: str
    makes: str = ""
    parameters: tuple[str, ...] = ()
    tuned: str = ""


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "dataset",
            "datasets",
            "medssl_datasets",
            ("context",),
            "labelled images in three splits",
            "medssl_bench.datasets:Dataset",
        ),
        Kind(
            "augmentation",
            "augmentations",
            "medssl_augmentations",
            ("size",),
            "one random view of every image",
        ),
        Kind(
            "op",
            "ops",
            "medssl_ops",
            ("size",),
            "one step of an augmentation that is written as a list of ops",
        ),
        Kind("encoder", "encoders", "medssl_encoders", ("size",), "images to feature vectors"),
        Kind("method", "methods", "medssl_methods", ("encoder", "context"), "how an encoder is pretrained"),
        Kind(
            "evaluator",
            "evaluators",
            "medssl_evaluators",
            (),
            "what is made of an encoder, and measured",
            "medssl_bench.evaluators:Evaluator",
            tuned="medssl_bench.evaluators.tuned:Tuned",
        ),
        Kind("metric", "metrics", "medssl_metrics", (), "columns of tables", "medssl_bench.metrics:Metric"),
        Kind(
            "optimizer",
            "optimizers",
            "medssl_optimizers",
            ("groups", "recorded"),
            "how weights follow gradients",
            parameters=("lr",),
        ),
        Kind("schedule", "schedules", "medssl_schedules", (), "the learning rate over a training"),
        Kind(
            "executor",
            "executors",
            "medssl_executors",
            (),
            "where and in which order stages run",
            "medssl_bench.executors:Executor",
        ),
        Kind("watcher", "watchers", "medssl_watchers", (), "what follows a run, such as an experiment tracker"),
        Kind(
            "reference",
            "references",
            "medssl_references",
            ("table",),
            "published numbers to compare with",
            "medssl_bench.published.reference:Reference",
        ),
        Kind(
            "claims",
            "claims",
            "medssl_claims",
            (),
            "published claims to hold a run against",
            "medssl_bench.published.claims:Claims",
        ),
    )
}


def find_kind(word: str) -> Kind:
    """Return the kind with this singular or plural name.

    Raises:
        UserError: there is no such kind.
    """
    for kind in KINDS.values():
        if word in {kind.name, kind.plural}:
            return kind
    known = [kind.plural for kind in KINDS.values()]
    raise UserError(f"there is no kind {word!r}{did_you_mean(word, known)}; the kinds are {', '.join(known)}")
