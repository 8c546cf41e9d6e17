"""The documented example analysis measures what it says, on features that are collapsed too."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from docs.pages import ABOUT_PLUGINS, blocks
from scipy.stats import entropy


@pytest.fixture(scope="module")
def evaluator():
    found = [block for page in ABOUT_PLUGINS for block in blocks(page.read_text("utf-8"))]
    (block,) = [block for block in found if block.file == "effective_rank.py"]
    scope: dict = {}
    exec(compile(block.text, "effective_rank.py", "exec"), scope)
    return scope["EffectiveRank"]()


def rank_of(evaluator, features):
    trial = SimpleNamespace(features={"test": torch.from_numpy(np.asarray(features, dtype=np.float32))})
    return evaluator.evaluate(trial).metrics["effective_rank"]


def by_hand(features):
    """RankMe by the eigenvalues of the matrix of second moments, and SciPy's entropy."""
    moments = features.T.astype(np.float64) @ features
    return np.exp(entropy(np.sqrt(np.linalg.eigvalsh(moments).clip(0))))


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_it_is_rankme(evaluator, spread):
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(300, 64)) * spread ** rng.uniform(-1, 1, 64) + rng.normal(size=64)).astype(np.float32)
    assert rank_of(evaluator, features) == pytest.approx(by_hand(features), rel=1e-4)


def test_orthogonal_features_use_every_dimension(evaluator):
    assert rank_of(evaluator, np.tile(np.eye(32), (4, 1))) == pytest.approx(32, rel=1e-4)


def test_a_point_with_a_little_noise_has_collapsed(evaluator):
    rng = np.random.default_rng(0)
    point = rng.normal(size=512)
    features = point + 1e-4 * rng.normal(size=(1000, 512))
    assert rank_of(evaluator, features) < 1.5  # 488 if they are centred
    assert rank_of(evaluator, np.zeros((10, 8))) == pytest.approx(1)
