"""``medssl-bench predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import device_option
from medssl_bench.cli.range_option import RangeType
from medssl_bench.cli.trained import trial_options
from medssl_bench.errors import StageError, UserError

if TYPE_CHECKING:
    from medssl_bench.datasets.pixel_choices import Fit
    from medssl_bench.models.prediction.classifier import Classifier


@click.command("predict", no_args_is_help=True)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("images", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="A new CSV file.")
@click.option("--overwrite", is_flag=True, help="Replace a file of that name.")
@click.option("--image", metavar="COLUMN", help="Of a table: the column that has the paths of the images.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Of a table: the folder that its paths start from; none: the table's.",
)
@click.option("--ending", default="", help="Of a table: what the files' names have more than it says, such as .png.")
@click.option("--array", help="Of an .npz file: the array that has the images; not needed where it has one.")
@click.option(
    "--leave-out",
    multiple=True,
    metavar="PATTERN",
    help="Of a folder: files and folders to leave out, by name (*_mask*) or path (./*.png), as leave_out in a suite; "
    "an empty one says that what looks like masks are images. May be given more than once.",
)
@click.option(
    "--fit",
    type=click.Choice(["crop", "pad", "stretch"]),
    help="For a model that was trained on an array: what becomes of files of another size.",
)
@click.option(
    "--range",
    "chosen_range",
    type=RangeType(),
    metavar="LOW,HIGH|percentile|full|window",
    help="For such a model: which values of files become black and white.",
)
@click.option("--frame", type=click.IntRange(min=0), help="Which image of files that hold several, from 0.")
@click.option("--arm", help="Of a suite: name of the arm; may be left out if there is only one.")
@trial_options
@device_option
@click.pass_context
def command(
    context: click.Context,
    /,
    model: Path,
    images: tuple[Path, ...],
    output: Path,
    device: str,
    *,
    overwrite: bool,
    fit: Fit | None,
    chosen_range: str | tuple[float, float] | None,
    frame: int | None,
    leave_out: tuple[str, ...],
    **chosen: Any,
) -> None:
    """Write the probability of each class of new IMAGES as CSV, by a trained MODEL.

    MODEL is a folder that `export` wrote, or a suite that has been run: --arm, and the options behind it, say which of
    its models. IMAGES are folders of any depth, image files, tables (with --image), .npy and .npz files.

    Images are read as the training images were: size, fit, range, frame and colour. Images of another kind are refused,
    and then nothing is written: colour where the model takes grey, other numbers of bits, and, where the training
    images were an array, other sizes. The table has a row for each image, its path as it was given, and a column for
    each class. A linear probe and a fine-tuned model can predict, k-NN cannot.
    """
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.datasets.new_images.find import Search, find_images
    from medssl_bench.models.prediction.write import check_table, write_predictions

    check_table(output, overwrite=overwrite)
    patterns = [pattern for pattern in leave_out if pattern] if leave_out else None
    search = Search(patterns, **{name: chosen.pop(name) for name in ("image", "root", "ending", "array")})
    classifier = _classifier(context, model, device, chosen)
    kind = classifier.facts.images
    reading = kind.reading(chosen_range, fit, frame)
    found = find_images(images, search, kind, reading, dataset_context(chosen["data_dir"]).cache_dir)
    for note in classifier.facts.notes:
        click.echo(f"note: of this model: {note}", err=True)
    count = write_predictions(classifier, found, output, overwrite=overwrite)
    for note in [*found.notes, *(note for group in found.groups for note in group.notes)]:
        click.echo(f"note: {note}", err=True)
    task, classes = classifier.facts.task, classifier.facts.classes
    click.echo(f"{output}: {count:,} {'image' if count == 1 else 'images'}, {task}: {', '.join(classes)}")


def _classifier(context: click.Context, model: Path, device: str, chosen: dict[str, Any]) -> Classifier:
    """Return the classifier of an exported model, or of a trial of a suite.

    Raises:
        UserError: there is none.
    """
    from medssl_bench.training.device import find_device

    if model.is_dir():
        from medssl_bench.models.prediction.exported import exported_classifier

        for name in ("arm", "table", "dataset", "labels", "seed", "draw", "fold", "epochs_scale"):
            if chosen[name] is not None:
                raise UserError(f"--{name.replace('_', '-')}: {model} is one model; this is for a suite, leave it out")
        return exported_classifier(model, find_device(device))
    from medssl_bench.cli.trained import ChosenTrial
    from medssl_bench.models.prediction.finished import finished_classifier
    from medssl_bench.plan.kinds.evaluate import EvaluateSpec

    asked = ChosenTrial(context, model, head=True, device=device, **chosen)
    asked.require_done(asked.trial.stage)
    spec = asked.plan.spec(asked.trial.stage, EvaluateSpec)
    info = asked.known.get(asked.dataset.component).info
    try:
        return finished_classifier(asked.trial.stage, spec, info, asked.workshop)
    except StageError as error:
        raise UserError(str(error)) from error
