"""What the embedding explorer shows: maps of trained encoders, pictures of the images, predictions on them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from medssl_bench.plan.chance import fold_text
from medssl_bench.store.arrays import load_npz

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.plan.stage import AnalysisCell, Plan, Trial
    from medssl_bench.store.store import Store

_GRID = 65535
"""Coordinates are written as whole numbers from 0 to this."""
_LOSSLESS = 500
"""Pictures of more images than this are compressed with losses, or a page would take minutes to open."""


@dataclass
class Explorer:
    """The data of the explorer, as the page's script reads it.

    Attributes:
        sheets: one for each set of images: a picture of all of them in rows, their labels and classes.
        maps: one for each encoder: the sheet it is of, coordinates by projection, and predictions.
    """

    sheets: list[dict[str, Any]] = field(default_factory=list)
    maps: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan, store: Store, titles: dict[str, str], floors: set[str] | None = None) -> Explorer:
        """Return what a store holds of a plan's embeddings, of the first seed and draw of each encoder.

        Args:
            plan: whose analyses.
            store: where they are.
            titles: title of each comparison, by its id.
            floors: arms that stand last, such as an untrained encoder.
        """
        explorer = cls()
        seen: set[tuple[str, str, str, str | None]] = set()
        known: dict[bytes, int] = {}
        for found in sorted(plan.analyses, key=lambda one: one.arm in (floors or ())):
            place = (found.table, found.dataset, found.arm, found.labels)
            file = store.folder(found.stage) / "arrays.npz"
            if place in seen or not store.is_done(found.stage) or not file.is_file():
                continue
            arrays = load_npz(file)
            if not {"index", "labels", "images", "classes", "pca"} <= arrays.keys():
                continue  # an analysis of another kind
            seen.add(place)
            sheet = explorer._sheet(arrays, found.dataset, known)
            explorer._add(found, arrays, sheet, plan, store, titles)
        return explorer

    def _sheet(self, arrays: dict[str, NDArray[Any]], dataset: str, known: dict[bytes, int]) -> int:
        images = arrays["images"]
        identity = dataset.encode() + arrays["index"].tobytes() + images.tobytes()
        if identity not in known:
            known[identity] = len(self.sheets)
            columns = int(np.ceil(np.sqrt(len(images))))
            self.sheets.append(
                {
                    "dataset": dataset,
                    "picture": _picture(images, columns),
                    "columns": columns,
                    "width": int(images.shape[2]),
                    "height": int(images.shape[1]),
                    "index": arrays["index"].tolist(),
                    "labels": arrays["labels"].tolist(),
                    "classes": [str(name) for name in arrays["classes"]],
                    "licence": str(arrays["licence"]) if "licence" in arrays else "",
                }
            )
        return known[identity]

    def _add(
        self,
        found: AnalysisCell,
        arrays: dict[str, NDArray[Any]],
        sheet: int,
        plan: Plan,
        store: Store,
        titles: dict[str, str],
    ) -> None:
        projections = {"PCA": _whole(arrays["pca"])}
        for name, points in arrays.items():
            if name.startswith("tsne_"):
                projections[f"t-SNE, perplexity {name.removeprefix('tsne_')}"] = _whole(points)
        trial = _classifier(found, plan, store)
        self.maps.append(
            {
                "sheet": sheet,
                "comparison": titles.get(found.table, found.table),
                "dataset": found.dataset,
                "encoder": _named(found),
                "stage": found.stage[:12],
                "silhouette": _silhouette(found, plan, store),
                "projections": projections,
                "classifier": "" if trial is None else f"{trial.arm}, {trial.labels} labels, {_chance(trial)}",
                **_predictions(trial, arrays["index"], store),
            }
        )


def _named(found: AnalysisCell) -> str:
    """Return which encoder is shown: of several seeds, draws or folds the first."""
    labels = "" if found.labels is None else f", {found.labels} labels"
    return f"{found.arm}{labels}, {_chance(found)}"


def _chance(of: AnalysisCell | Trial) -> str:
    return f"seed {of.seed}" + ("" if of.draw is None else f", draw {of.draw}") + fold_text(of.fold)


def _classifier(found: AnalysisCell, plan: Plan, store: Store) -> Trial | None:
    """Return the trial whose predictions stand beside an encoder: of a frozen one, that with the fewest labels."""
    for trial in plan.trials:
        ours = (trial.table, trial.dataset, trial.arm, trial.seed, trial.fold) == (
            found.table,
            found.dataset,
            found.arm,
            found.seed,
            found.fold,
        )
        shaped = found.labels in {None, trial.labels} and found.draw in {None, trial.draw}
        if ours and shaped and (store.folder(trial.stage) / "predictions.npz").is_file():
            return trial
    return None


def _predictions(trial: Trial | None, index: NDArray[np.int64], store: Store) -> dict[str, Any]:
    if trial is None:
        return {"predicted": None, "percent": None}
    scores = load_npz(store.folder(trial.stage) / "predictions.npz")["y_score"][index]
    return {
        "predicted": scores.argmax(axis=1).tolist(),
        "percent": np.round(100 * scores.max(axis=1)).astype(int).tolist(),
    }


def _silhouette(found: AnalysisCell, plan: Plan, store: Store) -> dict[str, float]:
    """Return the silhouette coefficients of the same encoder, by number of components."""
    for other in plan.analyses:
        same = (other.table, other.dataset, other.arm, other.labels, other.seed, other.draw, other.fold) == (
            found.table,
            found.dataset,
            found.arm,
            found.labels,
            found.seed,
            found.draw,
            found.fold,
        )
        record = store.record(other.stage) if same else None
        metrics = record.metrics if record else {}
        values = {name.removeprefix("silhouette_"): v for name, v in metrics.items() if name.startswith("silhouette_")}
        if values:
            return values
    return {}


def _whole(points: NDArray[np.float32]) -> list[int]:
    """Return coordinates as whole numbers, x and y in turn, in the middle of a square; both axes have one scale."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = float((high - low).max()) or 1.0
    whole: list[int] = np.round(((points - (low + high) / 2) / span + 0.5) * _GRID).astype(int).ravel().tolist()
    return whole


def _picture(images: NDArray[np.uint8], columns: int) -> str:
    """Return images as one picture in rows, as a data address."""
    height, width = images.shape[1:3]
    rows = -(-len(images) // columns)
    colour = images if images.ndim == 4 else images[..., None]
    sheet = np.zeros((rows * height, columns * width, colour.shape[-1]), dtype=np.uint8)
    for place, image in enumerate(colour):
        y, x = divmod(place, columns)
        sheet[y * height : (y + 1) * height, x * width : (x + 1) * width] = image
    picture = Image.fromarray(sheet[..., 0] if sheet.shape[-1] == 1 else sheet)
    stream = io.BytesIO()
    if len(images) > _LOSSLESS:
        picture.save(stream, "JPEG", quality=90)
        kind = "jpeg"
    else:
        picture.save(stream, "PNG", optimize=True)
        kind = "png"
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
