"""``medssl-bench export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from medssl_bench.cli.trained import encoder_options
from medssl_bench.errors import UserError


@click.command("export")
@encoder_options
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@click.option("--overwrite", is_flag=True, help="Replace a model that is in the folder already.")
@click.pass_context
def command(context: click.Context, /, output: Path, *, overwrite: bool, **chosen: Any) -> None:
    """Write a trained model of SUITE in a form that plain timm loads, with a model card.

    The folder gets `encoder.safetensors`, weights under timm's own names; `head.safetensors`, the linear layer on
    top, where the arm trained one; `model.json`: timm's model name and options, the normalisation of the input, the
    classes and how images were read, where the weights come from, and the lines that load them; and `README.md`, the
    model card: data and their licence, recipe, results, limits. `medssl-bench predict` takes the folder.
    """
    from medssl_bench.cli.trained import TrainedEncoder
    from medssl_bench.models.card.card import model_card
    from medssl_bench.models.card.facts import CardSource
    from medssl_bench.models.export import check_output, export_encoder
    from medssl_bench.models.prediction.facts import Facts
    from medssl_bench.plan.kinds.evaluate import EvaluateSpec

    check_output(output, overwrite=overwrite)
    trained = TrainedEncoder(context, head=True, **chosen)
    source = CardSource(trained.suite, trained.plan, trained.store, trained.trial, trained.key, trained.infos())
    record = trained.store.record(trained.trial.stage)
    has_head = record is not None and "head.safetensors" in record.files
    spec = trained.plan.spec(trained.trial.stage, EvaluateSpec)
    facts = None
    try:
        facts = Facts.of(spec, source.info_of(trained.dataset)) if has_head else None
    except UserError as error:
        click.echo(f"note: 'predict' will not take this model: {error}", err=True)
    card = export_encoder(
        trained.encoder,
        trained.key,
        trained.store,
        output,
        head=trained.store.checked(trained.trial.stage, "head.safetensors") if has_head else None,
        classifier=facts.to_data() if facts else None,
        readme=lambda model: model_card(source, model),
        overwrite=overwrite,
    )
    click.echo(f"{output}: {card['model']}, {card['dim']} features")
    click.echo(card["load"])
