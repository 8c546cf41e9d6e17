"""Malformed tables of images: the table's text, what the suite says of it, and what is bad."""

from __future__ import annotations

_ROWS = [f"{name}/{index:02}.png" for name in ("benign", "malignant") for index in range(30)]


def csv(change: dict[int, str] | None = None, head: str = "file,kind,patient,edema") -> str:
    """Return a table of the 60 images, of 20 patients; `change` replaces rows by their number, from 2."""
    rows = [f"{path},{path.partition('/')[0]},{place // 3},{place % 2}" for place, path in enumerate(_ROWS)]
    for number, text in (change or {}).items():
        rows[number - 2] = text
    return "\n".join([head, *rows, ""])


PLAIN = 'image = "file"\nlabel = "kind"\n'

SPLIT = f'{PLAIN}split = "edema"\nsplits = {{ train = "0", test = "1" }}\n'

TABLES = [
    ("a table that is not there", None, PLAIN),
    ("no rows", "file,kind\n", PLAIN),
    ("a row with more cells", csv({5: "benign/03.png,benign,1,0,9"}), PLAIN),
    ("a table in Latin-1", csv({5: "benign/\xe9.png,benign,1,0"}), PLAIN),
    ("a column twice", csv(head="file,kind,kind,edema"), PLAIN),
    ("a column that is not there", csv(), 'image = "flie"\nlabel = "kind"\n'),
    ("an image that is not there", csv({5: "benign/99.png,benign,1,0"}), PLAIN),
    ("an image in two rows with two labels", csv({5: "benign/00.png,malignant,1,0"}), PLAIN),
    ("a blank label", csv({5: "benign/03.png,,1,0"}), PLAIN),
    ("a blank among several labels", csv({5: "benign/03.png,benign,1,"}), 'image = "file"\nlabel = ["edema"]\n'),
    ("CheXpert's -1", csv({5: "benign/03.png,benign,1,-1"}), 'image = "file"\nlabel = ["edema"]\n'),
    ("neither 0 nor 1", csv({5: "benign/03.png,benign,1,2"}), 'image = "file"\nlabel = ["edema"]\n'),
    ("several labels in a cell", csv({5: "benign/03.png,benign|malignant,1,0"}), PLAIN),
    ("patients as classes", csv(), 'image = "file"\nlabel = "file"\n'),
    ("an order that is not known", csv(), f'{PLAIN}task = "ordinal"\n'),
    ("splits of unknown names", csv(), f'{PLAIN}split = "edema"\n'),
    ("splits that share patients", csv(), f'{SPLIT}group = "patient"\n'),
    ("a blank patient", csv({5: "benign/03.png,benign,,0"}), f'{PLAIN}group = "patient"\n'),
    ("a filter that no row passes", csv(), f'{PLAIN}where = {{ kind = "bengin" }}\n'),
    ("a range with nothing in it", csv(), f"{PLAIN}range = [9, 9]\n"),
    ("a window of files that have none", csv(), f'{PLAIN}range = "window"\n'),
    ("a range that makes images black", csv(), f"{PLAIN}range = [300, 4000]\n"),
    ("a frame that is not there", csv(), f"{PLAIN}frame = 1\n"),
]  # fmt: skip
"""What is bad, the text of the table (None: there is none), and what the suite says."""
