"""The patch of a vision transformer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.encoders.patch import fitting_patch
from medssl_bench.errors import StageError


@pytest.mark.parametrize(
    ("size", "patch"), [(28, 4), (32, 4), (56, 8), (64, 8), (96, 8), (112, 16), (128, 16), (224, 16)]
)
def test_the_patch_of_usual_sizes(size, patch):
    assert fitting_patch(size, None) == patch


@given(size=st.integers(8, 512))
def test_no_pixel_is_ever_dropped(size):
    try:
        patch = fitting_patch(size, None)
    except StageError:
        assert all(size % side for side in (4, 7, 8, 14, 16))
    else:
        assert size % patch == 0


@given(size=st.integers(8, 512), patch=st.integers(2, 64))
def test_a_wanted_patch_is_taken_or_refused(size, patch):
    if size % patch:
        with pytest.raises(StageError, match=f"a patch of {patch} does not divide images of {size} pixels"):
            fitting_patch(size, patch)
    else:
        assert fitting_patch(size, patch) == patch
