"""A figure of matplotlib that a notebook shows as it is returned, also where nothing has imported pyplot."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

_DOTS, _SHOWN = 200, 130
"""Dots per inch of the picture, and how many of them a notebook shows on an inch: high resolution."""


class ShownFigure(Figure):
    """A figure; matplotlib's own has a picture for notebooks only once pyplot has chosen a backend for them."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return a picture of it, and the width at which a notebook shows that, in pixels."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=_DOTS, bbox_inches="tight", metadata={"Software": None})
        content = buffer.getvalue()
        width = int.from_bytes(content[16:20], "big")  # the header of PNG
        return content, {"width": width * _SHOWN // _DOTS}
