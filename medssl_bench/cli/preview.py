"""``medssl-bench preview``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.completion import names
from medssl_bench.cli.options import data_dir_option, load_plugins, load_suite, parse_setting
from medssl_bench.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from medssl_bench.datasets import Dataset
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.manager import Plugins


@click.command("preview")
@click.argument("augmentation", shell_complete=names("augmentation"))
@click.option(
    "--dataset",
    default="phantom_cells",
    show_default=True,
    shell_complete=names("dataset"),
    help="Data set to take images from.",
)
@click.option(
    "--suite",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A suite: AUGMENTATION may then be one of its recipes or augmentations, and --dataset one of its data sets.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter of the augmentation, as in TOML."
)
@click.option("--images", type=click.IntRange(1, 50), default=6, show_default=True, help="Rows: images.")
@click.option("--views", type=click.IntRange(1, 50), default=5, show_default=True, help="Columns: views of each.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of images and views.")
@click.option("--size", type=click.IntRange(8), help="Side of the views in pixels; none: the images'.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A PNG; none: the terminal.")
@data_dir_option
@click.pass_context
def command(
    context: click.Context,
    augmentation: str,
    dataset: str,
    suite: Path | None,
    settings: tuple[str, ...],
    images: int,
    views: int,
    seed: int,
    size: int | None,
    output: Path | None,
    data_dir: Path | None,
) -> None:
    """Draw training images in a column and views that AUGMENTATION makes of them to their right.

    Every class is among the images where there are enough rows.
    """
    from rich.console import Console

    console = Console()
    if output is None and not console.is_terminal:
        raise UserError("the standard output is no terminal, which shows colours; name a PNG with --output")
    import torch

    from medssl_bench.augmentations.per_image import copies, shared_draws
    from medssl_bench.augmentations.views import draw_view
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.figures.contact_sheet import HalfBlocks, contact_sheet, images_to_show, varied_images
    from medssl_bench.plugin.guarded import asking, make
    from medssl_bench.randomness import stream
    from medssl_bench.training.images import DeviceImages

    plugins, augmenting, showing = _components(
        context, augmentation, dataset, suite, dict(map(parse_setting, settings))
    )
    shown: Dataset = make(plugins.registry, showing, context=dataset_context(data_dir))
    with asking(showing):
        split = images_to_show(shown)
    originals = DeviceImages(split, torch.device("cpu"), varied_images(split.labels, images, seed))
    batch = originals.take(torch.arange(len(originals)))
    module = make(plugins.registry, augmenting, size=size or originals.size)
    with asking(augmenting):
        wrong = shared_draws(
            lambda: make(plugins.registry, augmenting, size=size or originals.size), copies(originals.size)
        )
        drawn = [draw_view(module, batch, stream("preview", seed=seed, view=view)) for view in range(views)]
    if wrong:
        click.echo(f"warning: a pretraining would refuse augmentation {augmenting.name!r}: {wrong}", err=True)
    sheet = contact_sheet(batch, drawn, captions=["original", *(f"view {view + 1}" for view in range(views))])
    if output is not None:
        sheet.save(output, format="PNG")
        click.echo(f"{output}: {len(originals)} images of {dataset}, {views} views by {augmentation}")
        return
    console.print(HalfBlocks(contact_sheet(batch, drawn, scale=1, gap=1)))


def _components(
    context: click.Context, augmentation: str, dataset: str, suite: Path | None, settings: dict[str, Any]
) -> tuple[Plugins, Component, Component]:
    """Return the plugins, the augmentation and the data set, which a suite may define."""
    if suite is None:
        plugins = load_plugins(context)
        written = {"name": augmentation, **settings}
        registry = plugins.registry
        if augmentation not in registry.entries["augmentation"]:
            meant = did_you_mean(augmentation, registry.entries["augmentation"])
            message = f"there is no augmentation {augmentation!r}{meant}; --suite SUITE knows those of a suite"
            raise UserError(f"{message}, of its recipes and of the plugin files that it names")
        return (
            plugins,
            registry.resolve_or_raise("augmentation", written),
            registry.resolve_or_raise("dataset", dataset),
        )
    loaded = load_suite(context, suite)
    recipe = loaded.model.pretraining.get(augmentation)
    meant = augmentation if recipe is None else recipe.augmentation
    return (
        loaded.plugins,
        loaded.component("augmentation", meant, settings),
        loaded.component("dataset", dataset),
    )
