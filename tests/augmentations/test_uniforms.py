import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from medssl_bench.augmentations.uniforms import uniforms

MASK = 2**64 - 1


def mix(bits: int) -> int:
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


@given(key=st.integers(0, 2**63 - 1), column=st.integers(0, 2**63 - 1))
def test_the_numbers_are_splitmix64s(key: int, column: int) -> None:
    """Against the algorithm of Steele, Lea and Flood 2014 in whole numbers, its top 24 bits taken."""
    state, expected = mix(column ^ key), []
    for _ in range(5):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        expected.append((mix(state) >> 40) / 2**24)
    assert uniforms(key, 5, torch.tensor([column]))[:, 0].tolist() == expected


def test_splitmix64_itself() -> None:
    """The first output from seed 0 is published with the algorithm."""
    assert mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF


def test_numbers_are_uniform_and_columns_unrelated() -> None:
    numbers = uniforms(3, 20_000, torch.tensor([5, 6, 7])).numpy()
    assert all(kstest(column, "uniform").pvalue > 1e-3 for column in numbers.T)
    assert np.abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.03


def test_a_key_on_the_device_gives_the_same_numbers() -> None:
    columns = torch.tensor([5, 6, 7])
    assert torch.equal(uniforms(2**62 + 1, 9, columns), uniforms(torch.tensor(2**62 + 1), 9, columns))
