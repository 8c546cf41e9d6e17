from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.datasets.phantoms import cells
from medssl_bench.datasets.phantoms.canvas import Canvas
from medssl_bench.datasets.phantoms.cell_types import CELL_TYPES

NAMES = [kind.name for kind in CELL_TYPES]


def scene(name, count=60):
    labels = np.full(count, NAMES.index(name))
    return cells.draw_scene(labels, np.random.default_rng(0), 0.0)


def areas(drawn, size=96):
    """Return the areas of cell and nucleus in shares of the frame, and the nucleus as a mask."""
    canvas = Canvas.of(size, np.zeros(len(drawn.radius), np.float32))
    body = cells._body_distance(drawn, canvas) < drawn.radius[:, None, None]
    nucleus = (cells._nucleus_distance(drawn, canvas) < 0) & body
    return body.mean(axis=(1, 2)), nucleus.mean(axis=(1, 2)), nucleus


def test_eight_kinds_as_uneven_as_in_blood():
    assert len(set(NAMES)) == 8
    assert sum(kind.share for kind in CELL_TYPES) == pytest.approx(1)
    assert max(kind.share for kind in CELL_TYPES) > 2.5 * min(kind.share for kind in CELL_TYPES)


def test_cells_fill_a_good_part_of_the_frame():
    for name in set(NAMES) - {"platelet"}:
        body, _, _ = areas(scene(name))
        assert body.mean() > 0.14, name


def test_a_platelet_is_small_and_has_no_nucleus():
    body, nucleus, _ = areas(scene("platelet"))

    assert nucleus.max() == 0
    assert body.mean() < 0.6 * areas(scene("erythroblast"))[0].mean()


def test_ratio_of_nucleus_to_cell():
    ratio = {}
    for name in ("lymphocyte", "immature granulocyte", "erythroblast", "neutrophil"):
        body, nucleus, _ = areas(scene(name))
        ratio[name] = (nucleus / body).mean()

    assert ratio["lymphocyte"] > 0.6
    assert ratio["lymphocyte"] > ratio["immature granulocyte"] > ratio["erythroblast"]
    assert 0.2 < ratio["erythroblast"] < 0.4
    assert ratio["neutrophil"] < 0.35


@pytest.mark.parametrize(
    ("name", "least", "most"), [("lymphocyte", 0.95, 1.0), ("monocyte", 0.6, 0.93), ("neutrophil", 0.3, 0.85)]
)
def test_round_kidney_shaped_and_segmented_nuclei(name, least, most):
    """Solidity, the share of the convex hull that is filled, tells the shapes apart."""
    from scipy.spatial import ConvexHull

    _, _, masks = areas(scene(name))
    solidity = [m.sum() / ConvexHull(np.argwhere(m) + 0.0).volume for m in masks]

    assert least < np.mean(solidity) <= most + 0.05


def test_lobes_in_number():
    drawn = scene("neutrophil", 200)

    assert set((drawn.lobe_radius > 0).sum(axis=1)) == {3, 4, 5}
    assert set((scene("eosinophil").lobe_radius > 0).sum(axis=1)) == {2}


def test_granules_cover_the_share_that_is_asked_for():
    drawn = scene("basophil", 40)
    grains = cells._grains(drawn, Canvas.of(128, np.zeros(40, np.float32)))

    assert grains.mean() == pytest.approx(drawn.traits["crowding"].mean(), abs=0.06)


def test_colours_of_cytoplasm():
    """An eosinophil is redder than a lymphocyte is, next to the nucleus."""
    images = {
        name: cells.paint(scene(name), 28, np.random.default_rng(0)).astype(float).mean(axis=(0, 1, 2))
        for name in ("eosinophil", "monocyte")
    }

    def redness(rgb):
        return rgb[0] / rgb[2]

    assert redness(images["eosinophil"]) > 1.15 * redness(images["monocyte"])


def test_a_row_does_not_depend_on_the_others():
    labels = np.arange(8)
    other = labels.copy()
    other[3:] = 0
    one, two = (
        cells.paint(cells.draw_scene(chosen, np.random.default_rng(5), 1.0), 28, np.random.default_rng(6))
        for chosen in (labels, other)
    )

    np.testing.assert_array_equal(one[:3], two[:3])
    assert (one[3:] != two[3:]).any(axis=(1, 2, 3)).all()
