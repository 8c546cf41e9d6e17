"""Numbers that tell collapsed features: worked examples, and formulas written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from medssl_bench.methods.health import collapsed, feature_flags, feature_gauges, health

EXAMPLE = torch.tensor([[1.0, 0, 0], [0, 2, 0], [0, 0, 1], [1, 1, 0], [2, 0, 1], [0, 1, 1]])


def test_a_worked_example() -> None:
    found = health(EXAMPLE)
    wanted = {"rankme": 2.886871, "centred_rank": 2.807017, "participation": 2.082394, "uniformity": -1.774062}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


def _entropy_rank(features: np.ndarray) -> float:
    values = np.linalg.svd(features, compute_uv=False)
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 30), st.integers(2, 12), st.integers(0, 2**31), st.booleans())
def test_formulas_written_out(images: int, length: int, number: int, relu: bool) -> None:
    features = np.random.default_rng(number).normal(size=(images, length))
    features = np.maximum(features, 0) + 0.01 if relu else features
    assume(features.std(0).max() > 0)  # the test after this is of features that do not vary
    found = health(torch.from_numpy(features))
    centred = features - features.mean(0)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    pairs = [(a, b) for a in range(images) for b in range(images) if a != b]
    levels = np.linalg.eigvalsh(np.cov(features.T).reshape(length, length)).clip(0)
    wanted = {
        "rankme": _entropy_rank(features),
        "centred_rank": _entropy_rank(centred),
        "participation": levels.sum() ** 2 / (levels**2).sum(),
        "spread": unit.std(0).mean() * np.sqrt(length),
        "uniformity": np.log(np.mean([np.exp(-2 * ((unit[a] - unit[b]) ** 2).sum()) for a, b in pairs])),
        "mean_cosine": np.mean([unit[a] @ unit[b] for a, b in pairs]),
    }
    assert found == pytest.approx(wanted, abs=1e-6)


@given(st.integers(3, 30), st.integers(2, 12), st.floats(1e-3, 1e3))
def test_features_that_do_not_vary(images: int, length: int, value: float) -> None:
    found = health(torch.full((images, length), value))
    wanted = {"rankme": 1, "participation": 1, "spread": 0, "uniformity": 0, "mean_cosine": 1}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


def _made(kind: str) -> torch.Tensor:
    random = np.random.default_rng(0)
    noise = random.normal(size=(1500, 512))
    made = {
        "isotropic": noise,
        "point": random.normal(size=512) + 1e-3 * noise,
        "line": random.normal(size=(1500, 1)) * random.normal(size=512) + 1e-3 * noise,
    }
    return torch.from_numpy(made[kind])


def test_no_number_alone_sees_both_kinds_of_collapse() -> None:
    isotropic, point, line = (health(_made(kind)) for kind in ("isotropic", "point", "line"))
    assert isotropic["rankme"] == pytest.approx(487.6, abs=1.0)
    assert isotropic["participation"] == pytest.approx(381, abs=3)
    assert (isotropic["spread"], isotropic["uniformity"]) == (
        pytest.approx(1.0, abs=0.01),
        pytest.approx(-3.98, abs=0.01),
    )
    assert (point["rankme"], point["spread"], point["mean_cosine"]) == (
        pytest.approx(1.3, abs=0.05), pytest.approx(0.001, abs=1e-4), pytest.approx(1.0, abs=1e-5)
    )  # fmt: skip
    assert point["centred_rank"] == pytest.approx(487.7, abs=1.0), "centred, a point is as good as any"
    assert (line["rankme"], line["participation"]) == (pytest.approx(1.3, abs=0.05), pytest.approx(1.0, abs=1e-3))
    assert (line["spread"], line["uniformity"]) == (pytest.approx(0.8, abs=0.03), pytest.approx(-0.7, abs=0.01))


@pytest.mark.parametrize(("kind", "how"), [("isotropic", ""), ("point", "to a point"), ("line", "to few dimensions")])
def test_what_is_told_of_them(kind: str, how: str) -> None:
    found = health(_made(kind))
    assert collapsed(found["spread"], found["mean_cosine"], found["rankme"], classes=8).startswith(how)
    gauges = {f"val_{name}": value for name, value in feature_gauges(_made(kind)[:256].float()).items()}
    flags = feature_flags(gauges, {"feature_rank": 60.0})
    assert set(flags) == ({"features_collapsed"} if how else set())


def test_untrained_features_are_no_collapse_and_a_tenth_of_their_rank_is() -> None:
    """Untrained features are nearly collinear: thresholds alone would flag them, or nothing."""
    assert collapsed(0.13, 0.97, 57.6, floor=57.6, classes=8) == ""
    assert collapsed(0.13, 0.97, 5.7, floor=57.6) == "to few dimensions (RankMe 5.7, untrained 57.6)"
    assert collapsed(0.5, 0.5, 3.9, classes=8) == "to few dimensions (RankMe 3.9)"
    assert collapsed(0.5, 0.5, 4.0, classes=8) == ""


def test_without_gauges_nothing_is_known() -> None:
    assert feature_flags({"loss": 1.0}, {}) == {}
    assert feature_gauges(torch.ones(1, 4)) == {}
    assert feature_gauges(torch.ones(4, 2, 2)) == {}
    same = feature_gauges(torch.ones(4, 8))
    assert (same["feature_rank"], same["feature_cosine"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert health(torch.ones(4, 8))["participation"] == 1.0
