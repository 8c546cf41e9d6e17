"""Pictures of what pretrainings learn from, for watchers: training images, and views of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import UserError
from medssl_bench.figures.view_sheet import (
    can_be_read,
    keep_sheet,
    kept_sheet,
    sheet_name,
    sheet_of,
    training_sample,
    views_of,
)
from medssl_bench.plan.kinds.pretrain import PretrainSpec
from medssl_bench.plugin.guarded import asking, make
from medssl_bench.randomness import forked, stream
from medssl_bench.session.asked import ask, asked

if TYPE_CHECKING:
    from medssl_bench.plan.stage import Plan
    from medssl_bench.plugin.manager import Plugins
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.plugin.watching import StageInfo


@dataclass(frozen=True)
class Views:
    """Returns pictures of views, one for a pretraining; reports show the same ones.

    Attributes:
        plan: of the run.
        plugins: of the suite.
        context: where data sets find files; pictures are remembered in its cache folder.
    """

    plan: Plan
    plugins: Plugins
    context: DatasetContext

    def __call__(self, stage: StageInfo) -> bytes | None:
        """Return the picture of a pretraining as a PNG file has it.

        A process of its own draws it, if it is not remembered: this one has no torch.

        Returns:
            The picture; None: it is no pretraining, its images are not on this machine, or the picture cannot be drawn.
        """
        planned = self.plan.stages.get(stage.key)
        if planned is None or not isinstance(planned.spec, PretrainSpec):
            return None
        spec, cache = planned.spec, self.context.cache_dir
        if kept := kept_sheet(cache, sheet_name(spec)):
            return kept
        try:
            if "torch" in sys.modules:
                _draw(spec, self.plugins.registry, self.context)
            else:
                context = {name: value and str(value) for name, value in vars(self.context).items()}
                ask(__name__, self.plugins, {"spec": spec.to_data(), "context": context}, number=1)
        except UserError:  # the stage itself reports what is wrong
            return None
        return kept_sheet(cache, sheet_name(spec))


def _draw(spec: PretrainSpec, registry: Registry, context: DatasetContext) -> None:
    """Draw a picture and remember it, if its images are here.

    Raises:
        UserError: a component raises.
    """
    with forked(stream("pictures of views")):  # in the process that trains, nothing of this must be noticed
        dataset = make(registry, spec.dataset.component, context=context)
        with asking(spec.dataset.component):
            originals = training_sample(dataset) if can_be_read(dataset, spec) else None
        if originals is not None:
            with asking(spec.augmentation):
                sheet = sheet_of(originals, views_of(originals, spec, registry))
            keep_sheet(context.cache_dir, sheet_name(spec), sheet)


def main() -> None:
    """Draw the picture that standard input asks for, and say so."""
    with asked() as (given, plugins, answer):
        context = given["context"]
        folders = DatasetContext(Path(context["data_dir"]), Path(context["cache_dir"]), context["mirror"])
        try:
            _draw(PretrainSpec.from_data(given["spec"]), plugins.registry, folders)
        except UserError as error:
            answer({"problem": str(error)})
        else:
            answer({})
