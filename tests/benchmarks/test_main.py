"""The benchmark as it is run."""

from __future__ import annotations

import pytest
import torch
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.parts import PARTS


def test_a_part_that_is_not_there_is_named(tmp_path):
    result = CliRunner().invoke(main, ["--only", "nothing", "-o", str(tmp_path / "found.md")])

    assert result.exit_code == 2
    assert all(name in result.output for name in PARTS)
    assert not (tmp_path / "found.md").exists()


def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(tmp_path):
    result = CliRunner().invoke(main, ["-o", str(tmp_path / "none" / "found.md")])

    assert result.exit_code == 2
    assert f"there is no folder {tmp_path / 'none'}" in result.output


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_told(tmp_path):
    result = CliRunner().invoke(main, ["--device", "cuda", "-o", str(tmp_path / "found.md")])

    assert result.exit_code == 2
    assert "there is no CUDA device here" in result.output


@pytest.mark.slow
def test_it_writes_the_machine_and_a_table_of_each_part(tmp_path):
    file = tmp_path / "found.md"

    result = CliRunner().invoke(main, ["--only", "waiting", "--rounds", "1", "-o", str(file)])

    assert result.exit_code == 0, result.output
    text = file.read_text("utf-8")
    assert "| processor |" in text
    assert "| --help |" in text
    assert "Medians over 1 round." in text
