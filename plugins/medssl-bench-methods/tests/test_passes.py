"""What plans take the methods for: the passes that are counted are those that are done."""

from pathlib import Path

import pytest
from method_builders import NOW, REGISTRY, SIZE, batch_of, build

from medssl_bench.methods import Batch
from medssl_bench.methods.work import passes_of

CASES = [
    ("swav", {"local_views": 3}, [9] * 3),
    ("swav", {"local_views": 0, "crop": None}, []),
    ("dino", {"local_views": 2, "local_size": 8, "keep": "student"}, [8] * 2),
    ("dino", {"local_views": 2, "keep": "teacher"}, [9] * 2),
    ("online_clustering", {}, []),
    ("online_clustering", {"balance": "none"}, []),
    ("deepcluster", {}, []),
]


@pytest.mark.parametrize(("name", "parameters", "small"), CASES, ids=str)
def test_counted_passes_are_those_of_a_step(name, parameters, small):
    method = build(name, **parameters).train()
    entry = REGISTRY.find("method", name)
    counted = passes_of(entry, _full(name, parameters), SIZE)
    seen = {"trained": [], "frozen": []}
    for module in {id(part): part for part in method.modules() if type(part).__name__ == "TimmEncoder"}.values():
        module.register_forward_hook(
            lambda _, inputs, output: seen["trained" if output.requires_grad else "frozen"].append(inputs[0].shape)
        )
    sizes = [view.size or SIZE for view in method.views()]
    assert sizes == [SIZE] * 2 + small
    batch = batch_of(*sizes, count=4)
    method(Batch(batch.views, batch.image, batch.index), NOW)
    for kind, pairs in (("trained", counted.trained), ("frozen", counted.frozen)):
        expected = {side: 4 * number for side, number in pairs if number}
        found = {}
        for shape in seen[kind]:
            found[shape[-1]] = found.get(shape[-1], 0) + shape[0]
        assert found == expected


def test_the_first_deepcluster_encodes_all_images_once_more():
    counted = passes_of(REGISTRY.find("method", "deepcluster"), _full("deepcluster", {"version": 1}), SIZE)
    assert (counted.trained, counted.frozen) == (((SIZE, 1),), ((SIZE, 1),))


def _full(name, parameters):
    return REGISTRY.resolve("method", {"name": name, **parameters}, Path()).parameters
