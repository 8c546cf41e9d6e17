"""Values and paths as TOML: whatever the names, a suite reads back what was meant."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.errors import UserError
from medssl_bench.suite.toml_text import comment, key_text, path_text, written

TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=20).filter(
    lambda name: name not in {".", ".."}
)
VALUES = st.recursive(
    TEXTS | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


@given(VALUES)
def test_any_value_is_read_back(value):
    assert tomllib.loads(f"value = {written(value)}")["value"] == value


@given(TEXTS, VALUES)
def test_any_key_is_read_back(key, value):
    assert tomllib.loads(f"{key_text(key)} = {written(value)}") == {key: value}


@given(TEXTS)
def test_any_text_can_stand_in_a_comment(text):
    assert tomllib.loads(f"a = 1 # {comment(text)}\n# {comment(text)}\nb = 2") == {"a": 1, "b": 2}


@given(st.lists(NAMES, min_size=1, max_size=3), st.lists(NAMES, max_size=3))
def test_any_path_is_resolved_from_the_suites_folder(path, folder):
    target, start = Path("/data", *path), Path("/data", *folder)
    (found,) = tomllib.loads(f"path = {path_text(target, start)}").values()
    # as a suite does it: `medssl_bench.plugin.parameters`
    assert os.path.normpath(start / Path(found).expanduser()) == os.path.normpath(target)


def test_a_path_through_a_link_to_the_suites_folder_is_resolved(tmp_path):
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "images").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    (found,) = tomllib.loads(f"path = {path_text(tmp_path / 'images', tmp_path / 'link')}").values()
    assert (tmp_path / "link").resolve() / found == tmp_path / "real" / "deep" / "../../images"


def test_what_is_not_utf8_is_refused():
    with pytest.raises(UserError, match="not UTF-8"):
        path_text(Path("/data/\udcff"), Path("/data"))
