"""The retina of a scan: its layers' boundaries and brightness, and where its findings are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.phantoms.bumps import Bumps
from medssl_bench.datasets.phantoms.waves import Waves, draw_waves

if TYPE_CHECKING:
    from medssl_bench.datasets.phantoms.canvas import Canvas, Floats
    from medssl_bench.datasets.phantoms.random_rows import Draws

# From the vitreous down: nerve fibres, ganglion cells with the inner plexiform layer, inner nuclear, outer plexiform,
# outer nuclear, ellipsoid zone, outer segments. Where each begins, as a share of the retina's thickness, and how
# bright it is.
BEGINS = np.array([0.0, 0.13, 0.36, 0.5, 0.6, 0.84, 0.92], np.float32)
BRIGHTNESS = np.array([0.7, 0.48, 0.27, 0.48, 0.2, 0.7, 0.38], np.float32)
CYSTS, MOST_DRUSEN = 5, 8


@dataclass(frozen=True)
class Retina:
    """A retina for each of B images; lengths are in frame units (the frame is 2 wide), y grows downwards.

    Attributes:
        level: (B,) y of Bruch's membrane, on which the pigment epithelium rests, in the middle.
        tilt: (B,) slope of it.
        bow: (B,) curvature of it.
        unevenness: (B,) amplitude of its waves.
        waves: the waves.
        thickness: (B,) of the retina.
        fovea: the pit, as a share of the thickness.
        drusen: bumps of the pigment epithelium.
        membrane: bright tissue above the pigment epithelium, raised by new vessels.
        fluid: dark gap under the retina.
        swelling: of the retina, where there are cysts.
        cyst_x: (B, K) centres.
        cyst_depth: (B, K) centres, as a share of the thickness.
        cyst_width: (B, K) half axes; 0 where there is none.
        cyst_height: (B, K) half axes.
        begins: (B, 7) see `BEGINS`.
        brightness: (B, 7) see `BRIGHTNESS`.
    """

    level: Floats
    tilt: Floats
    bow: Floats
    unevenness: Floats
    waves: Waves
    thickness: Floats
    fovea: Bumps
    drusen: Bumps
    membrane: Bumps
    fluid: Bumps
    swelling: Bumps
    cyst_x: Floats
    cyst_depth: Floats
    cyst_width: Floats
    cyst_height: Floats
    begins: Floats
    brightness: Floats

    def boundaries(self, canvas: Canvas) -> Boundaries:
        """Return the y of the boundaries at each column."""
        waver = self.waves.along(canvas)
        line = self.level[:, None] + self.tilt[:, None] * canvas.x + self.bow[:, None] * np.square(canvas.x)
        bruch = line + self.unevenness[:, None] * waver
        epithelium = bruch - self.drusen.over(canvas)
        floor = epithelium - self.membrane.over(canvas)
        bottom = floor - self.fluid.over(canvas)
        thickness = self.thickness[:, None] * (1 - self.fovea.over(canvas)) + self.swelling.over(canvas)
        # What lies below pushes the retina up and presses it together: small bumps hardly reach its top.
        pressed = 0.8 * (bruch - epithelium) + 0.4 * (epithelium - bottom)
        return Boundaries(bottom - np.maximum(thickness - pressed, 0.3 * thickness), bottom, floor, epithelium, bruch)


@dataclass(frozen=True)
class Boundaries:
    """The y (B, W) of surfaces at each column, from above: none lies above the one before.

    Attributes:
        top: the retina's, below the vitreous.
        bottom: the retina's.
        floor: below subretinal fluid, above a membrane.
        epithelium: top of the pigment epithelium.
        bruch: Bruch's membrane; the choroid lies below.
    """

    top: Floats
    bottom: Floats
    floor: Floats
    epithelium: Floats
    bruch: Floats


def draw_retina(draws: Draws, severity: Floats) -> Retina:
    """Return a retina for each image, with findings as severe (B, 4) as told, in the order of `FINDINGS`."""
    fluid, membrane, cysts, drusen = severity.T
    focus = draws.uniform(-0.55, 0.55)
    cyst_x = focus[:, None] + draws.normal(0.3, CYSTS)
    cyst_there = draws.uniform(0, 1, CYSTS) < cysts[:, None] * 1.1
    cyst_there[:, :2] = (cysts > 0)[:, None]
    cyst_size = np.where(cyst_there, draws.uniform(0.6, 1.15, CYSTS), 0) * (0.5 + cysts[:, None] / 2)
    return Retina(
        level=draws.uniform(0.2, 0.65),
        tilt=draws.normal(0.13),
        bow=draws.uniform(-0.25, 0.2),
        unevenness=draws.uniform(0, 0.03),
        waves=draw_waves(draws, 5, 0.5, 1.6),
        thickness=draws.uniform(0.65, 0.9),
        fovea=Bumps(draws.uniform(-0.7, 0.7, 1), draws.uniform(0.15, 0.4, 1), draws.uniform(-0.1, 0.5, 1).clip(0)),
        drusen=_draw_drusen(draws, drusen),
        membrane=Bumps(
            (focus + draws.normal(0.1))[:, None],
            draws.uniform(0.18, 0.35, 1) * (0.6 + 0.4 * membrane[:, None]),
            draws.uniform(0.24, 0.36, 1) * membrane[:, None],
        ),
        fluid=Bumps(
            (focus + draws.normal(0.25))[:, None],
            draws.uniform(0.25, 0.5, 1) * (0.6 + 0.4 * fluid[:, None]),
            draws.uniform(0.18, 0.3, 1) * fluid[:, None],
        ),
        swelling=Bumps(focus[:, None], draws.uniform(0.3, 0.7, 1), draws.uniform(0.1, 0.35, 1) * cysts[:, None]),
        cyst_x=cyst_x,
        cyst_depth=draws.uniform(0.25, 0.75, CYSTS),
        cyst_width=cyst_size * draws.uniform(0.14, 0.28, CYSTS),
        cyst_height=cyst_size * draws.uniform(0.13, 0.22, CYSTS),
        begins=BEGINS * (1 + draws.normal(0.06, 1)) + draws.normal(0.006, len(BEGINS)),
        brightness=BRIGHTNESS * np.exp(draws.normal(0.15, len(BRIGHTNESS))),
    )


def _draw_drusen(draws: Draws, severity: Floats) -> Bumps:
    """Return drusen: the more severe, the more and the larger."""
    index = np.arange(MOST_DRUSEN, dtype=np.float32)
    there = index < np.ceil(severity * MOST_DRUSEN * draws.uniform(0.6, 1.0))[:, None]
    share = 0.45 + 0.55 * severity[:, None]
    x = draws.uniform(-0.3, 0.3, 1) + draws.uniform(-0.75, 0.75, MOST_DRUSEN)
    height = there * share * draws.uniform(0.12, 0.22, MOST_DRUSEN)
    return Bumps(x, share * draws.uniform(0.08, 0.15, MOST_DRUSEN), height)
