"""What files say of themselves, against what was written."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from datasets.dicom_files import write
from PIL import Image

from medssl_bench.datasets.file_facts import FileFacts, facts_of


@pytest.mark.parametrize(
    ("pixels", "name", "facts"),
    [
        (np.zeros((5, 9), np.uint8), "a.png", FileFacts(9, 5, 8, colour=False)),
        (np.zeros((5, 9), np.uint16), "a.png", FileFacts(9, 5, 16, colour=False)),
        (np.zeros((5, 9, 3), np.uint8), "a.jpg", FileFacts(9, 5, 8, colour=True)),
        (np.zeros((5, 9), bool), "a.png", FileFacts(9, 5, 1, colour=False)),
    ],
)
def test_pictures(pixels, name, facts, tmp_path):
    Image.fromarray(pixels).save(tmp_path / name)
    assert facts_of(tmp_path / name) == facts


def test_a_signed_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 9), np.int16))
    assert facts_of(tmp_path / "a.tif") == FileFacts(9, 5, 16, colour=False)


def test_dicom(tmp_path):
    write(tmp_path / "a.dcm", np.zeros((5, 9), np.uint16), bits=12)
    assert facts_of(tmp_path / "a.dcm") == FileFacts(9, 5, 12, colour=False)


def test_a_broken_file_raises(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(OSError, match="cannot identify"):
        facts_of(tmp_path / "a.png")
