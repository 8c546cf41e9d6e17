from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.plan.known_dataset import KnownDataset
from medssl_bench.plan.pool import Pool
from medssl_bench.plugin.component import Component
from medssl_bench.suite.budget import parse_budget

INFO = DatasetInfo("Set", Task.MULTI_CLASS, ("a", "b"), 1, 28, {"train": 100, "val": 20, "test": 30})
MORE = replace(INFO, title="More", unlabelled=400, unlabelled_fingerprint="print of more")
BARE = DatasetInfo("Bare", Task.NONE, (), 3, 28, {"train": 0, "val": 0, "test": 0}, unlabelled=50)


def known(info: DatasetInfo | None) -> KnownDataset:
    component = Component("dataset", info.title.lower() if info else "absent", plugin="tests")
    return KnownDataset(component, info, f"sha256:{info.title}" if info else None)


def pool(*infos: DatasetInfo | None, wanted: Any = "all") -> Pool:
    return Pool(tuple(map(known, infos)), wanted)


@pytest.mark.parametrize(
    ("infos", "wanted", "total", "held_out", "watched"),
    [
        ([INFO], "all", 100, 0, 20),
        ([INFO], "train", 100, 0, 20),
        ([MORE], "all", 500, 0, 20),
        ([MORE], "train", 100, 0, 20),
        ([MORE], "unlabelled", 400, 0, 20),
        ([BARE], "all", 50, 5, 5),
        ([BARE], "unlabelled", 50, 5, 5),
        ([replace(BARE, unlabelled=19)], "all", 19, 0, 0),
        ([replace(BARE, unlabelled=20_000)], "all", 20_000, 1000, 1000),
        ([BARE, BARE], "all", 100, 10, 10),
        ([BARE, MORE], "all", 550, 0, 20),
        ([MORE, MORE], "unlabelled", 800, 0, 40),
    ],
)
def test_what_is_in_a_pool(infos: list[DatasetInfo], wanted: str, total: int, held_out: int, watched: int) -> None:
    found = pool(*infos, wanted=wanted)
    assert (found.total, found.held_out, found.watched) == (total, held_out, watched)
    assert found.learned == total - held_out
    assert found.refuses() == found.unlike() == ""


def test_the_training_images_of_one_set_are_in_keys_as_before_there_were_pools() -> None:
    plain = {"dataset": known(INFO).identity()}
    assert pool(INFO).identity() == pool(INFO, wanted="train").identity() == plain
    assert pool(INFO).parts() == ()
    assert pool(MORE, wanted="train").identity() == {"dataset": known(MORE).identity()}, "more images change no key"


def test_every_other_pool_is_in_keys() -> None:
    pools = [
        pool(MORE),
        pool(MORE, wanted="unlabelled"),
        pool(MORE, wanted="train"),
        pool(replace(MORE, unlabelled_fingerprint="another")),
        pool(BARE),
        pool(BARE, MORE),
        pool(MORE, BARE),
    ]
    identities = [str(found.identity()) for found in pools]
    assert len(set(identities)) == len(pools)
    assert pool(BARE).identity() == pool(BARE, wanted="unlabelled").identity(), "it has no other images"
    assert pool(BARE).identity()["held_out"] == 5


def test_what_is_not_there_is_refused() -> None:
    assert pool(INFO, wanted="unlabelled").refuses() == 'Set has no unlabelled images; say pool = "all" or "train"'
    assert pool(MORE, BARE, wanted="train").refuses().startswith("Bare has unlabelled images only; say pool =")
    assert pool(replace(INFO, size=64), BARE).unlike().endswith("Set 64, Bare 28; give the sets one `size`")


def test_budgets_are_of_the_pool() -> None:
    assert pool(INFO).too_few(parse_budget(100)) == ""
    assert pool(INFO).too_few(parse_budget(101)).startswith("Set, train split: 101 images are asked of a set of 100")
    assert pool(MORE).too_few(parse_budget(500)) == ""
    assert pool(MORE).too_few(parse_budget(501)).startswith("More, pool: 501 images are asked of a set of 500")
    assert pool(BARE).too_few(parse_budget(46)).startswith("Bare, pool: 46 images are asked of a set of 45")
    assert pool(replace(INFO, counts={**INFO.counts, "train": 1})).too_few(parse_budget("all")).startswith("Set: 1 unl")


def test_what_cannot_be_seen_is_not_found_wrong() -> None:
    found = pool(None, INFO)
    assert found.pending
    assert found.total is found.learned is found.watched is None
    assert found.held_out == 0
    assert found.too_few(parse_budget(10**6)) == found.refuses() == ""
