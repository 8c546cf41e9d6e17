"""A plugin that watches, and raises where a stage has failed: it thinks that every stage has an accuracy or a loss."""

from medssl_bench import hookimpl

seen = []


@hookimpl
def medssl_run_begins(run, refresh):
    seen.append(f"{run.suite}: {len(run.stages)} stages, {len(refresh().tables)} table")


@hookimpl
def medssl_epoch_ends(stage, epoch):
    seen.append(f"{stage.title} {epoch.index + 1}/{epoch.total} {epoch.metrics['loss']:.3f}")


@hookimpl
def medssl_stage_ends(stage, outcome):
    if outcome.status == "failed":
        seen.append(outcome.metrics["accuracy"])


@hookimpl
def medssl_run_ends(run, outcomes):
    raise AssertionError("never told, as in a run")
