"""Published numbers: some by hand, their shape, and the suites that hold runs against them."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import pytest
from medssl_bench_published.tables import medmnist_plus, medmnist_v2

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import UserError
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

SUITES = Path(__file__).parents[3] / "suites"
SETS = 12


def _values(reference, arm, metric):
    return {
        cell.dataset.partition(" ")[0]: cell.value
        for cell in reference.cells
        if (cell.arm, cell.metric) == (arm, metric)
    }


def test_numbers_by_hand():
    small = medmnist_v2("28")
    assert _values(small, "ResNet-18", "accuracy")["retinamnist"] == 0.524
    assert _values(small, "ResNet-18", "auroc")["pneumoniamnist"] == 0.944
    assert _values(medmnist_v2("224"), "ResNet-18", "accuracy")["pneumoniamnist"] == 0.864
    assert _values(medmnist_plus("28"), "DINO ViT-B16, linear probe", "accuracy")["retinamnist"] == 0.5208


def test_the_tables_are_complete_where_they_are_said_to_be():
    for metric in ("accuracy", "auroc"):
        assert len(_values(medmnist_v2("28"), "ResNet-18", metric)) == SETS
    for size in ("28", "64", "128", "224"):
        found = medmnist_plus(size)
        assert {cell.labels for cell in found.cells} == {"all"}
        for arm in {cell.arm for cell in found.cells}:
            assert len(_values(found, arm, "accuracy")) == SETS


@pytest.mark.parametrize(("size", "printed"), [("28", 0.782), ("64", 0.827), ("128", 0.845), ("224", 0.851)])
def test_the_printed_averages_are_those_of_the_numbers(size, printed):
    found = _values(medmnist_plus(size), "DINO ViT-B16, linear probe", "accuracy")
    assert mean(found.values()) == pytest.approx(printed, abs=0.0006)


@pytest.mark.parametrize(("table", "message"), [(medmnist_v2, "are 28, 224"), (medmnist_plus, "28, 64, 128, 224")])
def test_a_table_that_is_not_there(table, message):
    with pytest.raises(UserError, match=message):
        table("Table 9")


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        ("medmnist-v2.toml", 24 + 17 + 24 + 16 + 16),
        ("medmnist-plus.toml", 4 * (6 * 24 + 2 * 12)),
    ],
)
def test_the_suites_stand_beside_the_numbers(name, compared, tmp_path):
    """Every arm is a published one, and every number that can have a cell has one."""
    suite = Suite.load(SUITES / name, load_plugins())
    plan = build_plan(suite, DatasetContext(tmp_path, tmp_path))
    board = Leaderboard.of(suite, plan, Store(tmp_path / "store"))
    cells = [cell for cell in board.cells() if cell.reference is not None]
    assert len(cells) == compared
    assert {cell.arm for cell in board.cells()} - {cell.arm for cell in cells} == {"majority class"}
    assert {len({panel.dataset for panel in table.panels}) for table in board.tables} == {SETS}


def test_a_learning_rate_of_zero_for_the_encoder_is_a_probe_of_the_last_layer(tmp_path):
    suite = Suite.load(SUITES / "medmnist-plus.toml", load_plugins())
    arms = {arm.name: arm.evaluator.parameters for arm in suite.tables[0].arms if not arm.floor}
    assert {name for name, given in arms.items() if given.get("encoder_lr") == 0.0} == {
        name for name in arms if name.endswith("linear probe")
    }
