"""What can be wrong with a retina, and which diseases show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.phantoms.canvas import Floats
    from medssl_bench.datasets.phantoms.random_rows import Draws

FINDINGS = ("subretinal fluid", "neovascular membrane", "intraretinal cysts", "drusen")
FINDING_SHARES = (0.3, 0.25, 0.35, 0.4)
DRUSEN = FINDINGS.index("drusen")
GRADES = ("no drusen", "few small drusen", "several medium drusen", "many large drusen")
GRADE_SHARES = (0.4, 0.25, 0.2, 0.15)


@dataclass(frozen=True)
class Disease:
    """A disease by its findings, in the order of `FINDINGS`.

    Attributes:
        name: as ophthalmologists call it.
        share: of the images.
        chance: probability of each finding.
        least: least severity of each finding that is there; the greatest is 1.
    """

    name: str
    share: float
    chance: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    least: tuple[float, float, float, float] = (0.3, 0.3, 0.3, 0.3)


# The classes of OCTMNIST (Kermany et al. 2018), less uneven.
DISEASES = (
    Disease("choroidal neovascularisation", 0.3, chance=(0.8, 1.0, 0.2, 0.2), least=(0.3, 0.5, 0.3, 0.3)),
    Disease("diabetic macular edema", 0.2, chance=(0.2, 0.0, 1.0, 0.0), least=(0.3, 0.3, 0.45, 0.3)),
    Disease("drusen", 0.2, chance=(0.0, 0.0, 0.0, 1.0), least=(0.3, 0.3, 0.3, 0.4)),
    Disease("normal", 0.3),
)
NORMAL = 3
DISEASE_SHARES = tuple(disease.share for disease in DISEASES)


def severity_of_diseases(diseases: NDArray[np.int64], draws: Draws) -> Floats:
    """Return the severity (B, 4) in [0, 1] of each finding for numbers (B,) of diseases."""
    chance = np.array([disease.chance for disease in DISEASES], np.float32)[diseases]
    least = np.array([disease.least for disease in DISEASES], np.float32)[diseases]
    present = draws.uniform(0, 1, len(FINDINGS)) < chance
    return np.where(present, least + (1 - least) * draws.uniform(0, 1, len(FINDINGS)), 0)


def severity_of_findings(present: NDArray[np.int64], draws: Draws) -> Floats:
    """Return the severity (B, 4) of each finding for 0 and 1 (B, 4)."""
    return present.astype(np.float32) * draws.uniform(0.35, 1, len(FINDINGS))


def severity_of_grades(grades: NDArray[np.int64], draws: Draws) -> Floats:
    """Return the severity (B, 4) of each finding, of which drusen alone, for grades (B,) from 0 to 3."""
    severity = np.zeros((len(grades), len(FINDINGS)), np.float32)
    severity[:, DRUSEN] = np.where(grades > 0, (grades + draws.uniform(-0.4, 0.4)) / (len(GRADES) - 1), 0)
    return np.clip(severity, 0, 1)
