"""What the eight kinds of blood cells look like, as ranges to draw from."""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]
NOTHING: Range = (0.0, 0.0)


@dataclass(frozen=True)
class CellType:
    """One kind of cell. Amounts of dye are those of `stain.DYES`; lengths are in radii of the cell, where not said.

    The nucleus is a chain of lobes on an arc, joined where they are near: one lobe makes a round nucleus, lobes that
    overlap a kidney, lobes that hardly touch a segmented one.

    Attributes:
        name: as haematologists call it.
        share: of the images; about as uneven as the collection of Acevedo et al. (2020), the source of BloodMNIST.
        radius: of the cell, in frame units (the frame reaches from -1 to 1).
        ragged: how far the outline wavers.
        lobes: least and greatest number of lobes; a cell without nucleus has none.
        lobe: radius of a lobe.
        gap: distance between neighbouring lobes, in radii of a lobe.
        bend: radius of the arc.
        chromatin: purple of the nucleus.
        clumping: contrast of the nucleus' texture.
        purple: of the cytoplasm.
        eosin: of the cytoplasm.
        blue: of the cytoplasm.
        grain: size of the granules, as a wavelength in frame units.
        crowding: share of the cytoplasm that granules cover.
        grain_purple: purple of a granule.
        grain_eosin: eosin of a granule.
        overlay: how densely granules lie over the nucleus, compared with the cytoplasm.
        vacuoles: how clear the cytoplasm is where there is a grain, which is then a bubble.
    """

    name: str
    share: float
    radius: Range
    ragged: Range
    purple: Range
    eosin: Range
    blue: Range
    lobes: tuple[int, int] = (0, 0)
    lobe: Range = NOTHING
    gap: Range = NOTHING
    bend: Range = (0.3, 0.3)
    chromatin: Range = NOTHING
    clumping: Range = NOTHING
    grain: Range = (0.1, 0.1)
    crowding: Range = (0.2, 0.2)
    grain_purple: Range = NOTHING
    grain_eosin: Range = NOTHING
    overlay: Range = NOTHING
    vacuoles: Range = NOTHING


CELL_TYPES = (
    CellType(
        name="basophil", share=0.07, radius=(0.6, 0.75), ragged=(0.03, 0.06),
        purple=(0.2, 0.4), eosin=(0.05, 0.2), blue=(0.0, 0.1),
        lobes=(2, 3), lobe=(0.38, 0.48), gap=(1.0, 1.5), bend=(0.3, 0.4), chromatin=(0.6, 0.8), clumping=(0.1, 0.2),
        grain=(0.22, 0.3), crowding=(0.35, 0.5), grain_purple=(1.0, 1.5), overlay=(0.8, 1.0),
    ),
    CellType(
        name="eosinophil", share=0.18, radius=(0.6, 0.8), ragged=(0.01, 0.03),
        purple=(0.0, 0.1), eosin=(0.4, 0.6), blue=(0.0, 0.05),
        lobes=(2, 2), lobe=(0.34, 0.42), gap=(1.8, 2.2), bend=(0.42, 0.5), chromatin=(1.0, 1.4), clumping=(0.1, 0.2),
        grain=(0.16, 0.22), crowding=(0.3, 0.45), grain_eosin=(0.7, 1.1),
    ),
    CellType(
        name="erythroblast", share=0.09, radius=(0.45, 0.62), ragged=(0.02, 0.07),
        purple=(0.0, 0.1), eosin=(0.1, 0.25), blue=(0.2, 0.45),
        lobes=(1, 1), lobe=(0.45, 0.58), bend=(0.0, 0.3), chromatin=(1.5, 2.0), clumping=(0.0, 0.1),
    ),
    CellType(
        name="immature granulocyte", share=0.17, radius=(0.65, 0.85), ragged=(0.01, 0.04),
        purple=(0.2, 0.4), eosin=(0.05, 0.2), blue=(0.0, 0.2),
        lobes=(2, 3), lobe=(0.5, 0.6), gap=(0.4, 0.7), bend=(0.25, 0.4), chromatin=(0.8, 1.1), clumping=(0.15, 0.3),
        grain=(0.1, 0.14), crowding=(0.15, 0.3), grain_purple=(0.3, 0.5), overlay=(0.0, 0.3),
    ),
    CellType(
        name="lymphocyte", share=0.07, radius=(0.5, 0.66), ragged=(0.01, 0.06),
        purple=(0.0, 0.1), eosin=(0.0, 0.05), blue=(0.4, 0.7),
        lobes=(1, 1), lobe=(0.78, 0.9), bend=(0.0, 0.1), chromatin=(1.2, 1.6), clumping=(0.1, 0.25),
    ),
    CellType(
        name="monocyte", share=0.08, radius=(0.7, 0.92), ragged=(0.04, 0.09),
        purple=(0.05, 0.15), eosin=(0.0, 0.1), blue=(0.3, 0.5),
        lobes=(4, 5), lobe=(0.28, 0.36), gap=(0.9, 1.15), bend=(0.36, 0.48), chromatin=(0.8, 1.1),
        clumping=(0.2, 0.4), grain=(0.25, 0.35), crowding=(0.12, 0.25), vacuoles=(0.6, 1.0),
    ),
    CellType(
        name="neutrophil", share=0.20, radius=(0.6, 0.8), ragged=(0.01, 0.04),
        purple=(0.1, 0.2), eosin=(0.05, 0.15), blue=(0.0, 0.05),
        lobes=(3, 5), lobe=(0.21, 0.27), gap=(1.5, 1.9), bend=(0.38, 0.52), chromatin=(1.2, 1.6), clumping=(0.1, 0.2),
        grain=(0.07, 0.1), crowding=(0.15, 0.3), grain_purple=(0.1, 0.25),
    ),
    CellType(
        name="platelet", share=0.14, radius=(0.28, 0.45), ragged=(0.08, 0.16),
        purple=(0.15, 0.3), eosin=(0.0, 0.1), blue=(0.05, 0.2),
        grain=(0.14, 0.2), crowding=(0.25, 0.4), grain_purple=(0.4, 0.7),
    ),
)  # fmt: skip
