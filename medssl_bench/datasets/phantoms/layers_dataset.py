"""The data set of scans of the retina, with labels of any task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import Task
from medssl_bench.datasets.phantoms import findings, layers
from medssl_bench.datasets.phantoms.dataset import Part, PhantomDataset
from medssl_bench.datasets.phantoms.random_rows import choose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.phantoms.canvas import Floats
    from medssl_bench.datasets.phantoms.random_rows import Draws

_CLASSES = {
    Task.MULTI_CLASS: tuple(disease.name for disease in findings.DISEASES),
    Task.BINARY: ("normal", "abnormal"),
    Task.ORDINAL: findings.GRADES,
    Task.MULTI_LABEL: findings.FINDINGS,
}


@dataclass(frozen=True, kw_only=True)
class LayersDataset(PhantomDataset):
    """Grey images of layered tissue; see `PhantomDataset`.

    Attributes:
        labelled: the task. The contents of an image are a disease (multi-class, and binary, which tells only
            whether there is one), a grade of drusen (ordinal), or findings that come independently (multi-label).
    """

    labelled: Task

    name = "phantom_layers"
    revision = 1
    title = "Phantom retina scans"
    channels = 1

    @property
    def task(self) -> Task:
        """The task."""
        return self.labelled

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the diseases, grades or findings."""
        return _CLASSES[self.labelled]

    def draw_contents(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Return a disease or grade (count, 1), or which findings there are (count, 4)."""
        if self.labelled is Task.MULTI_LABEL:
            chosen = rng.random((count, len(findings.FINDINGS))) < np.array(findings.FINDING_SHARES)
            return chosen.astype(np.int64)
        shares = findings.GRADE_SHARES if self.labelled is Task.ORDINAL else findings.DISEASE_SHARES
        return choose(shares, rng.random((count, 1)))

    def labels(self, contents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the contents, or, for the binary task, whether there is a disease."""
        if self.labelled is Task.BINARY:
            return (contents != findings.NORMAL).astype(np.int64)
        return contents

    def draw_images(
        self,
        contents: NDArray[np.int64],
        scenes: np.random.Generator,
        noise: np.random.Generator,
        split: Part,  # noqa: ARG002 - a scan has no patient
        start: int,  # noqa: ARG002
    ) -> NDArray[np.uint8]:
        """Return images (B, size, size)."""

        def severity(draws: Draws) -> Floats:
            if self.labelled is Task.MULTI_LABEL:
                return findings.severity_of_findings(contents, draws)
            if self.labelled is Task.ORDINAL:
                return findings.severity_of_grades(contents[:, 0], draws)
            return findings.severity_of_diseases(contents[:, 0], draws)

        scene = layers.draw_scene(severity, len(contents), scenes, self.nuisance)
        return layers.paint(scene, self.size, noise)
