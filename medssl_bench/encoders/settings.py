"""How one model of timm is brought to images that it was not made for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from medssl_bench.encoders.input_fit import Fit, InputFit, Interpolation
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.encoders.pooling import Pooling

_OF_TIMM: Mapping[str, Interpolation] = {"bicubic": "bicubic", "bilinear": "bilinear", "nearest": "nearest"}


@dataclass(frozen=True)
class Settings:
    """What a suite says beside the model; the defaults change nothing.

    Attributes:
        revision: branch, tag or commit of the weights' repository; None: the main branch.
        input_size: side at which the network sees images; None: that of the data.
        fit: see `InputFit`.
        interpolation: see `InputFit`; ``auto``: what timm's configuration of the model says.
        crop_pct: see `InputFit`.
        mean: of the pixels, one number or one for each channel; None: see `normalisation`.
        std: the same of the standard deviation.
        pooling: features of a ViT; None: as the model itself.
    """

    revision: str | None = None
    input_size: int | None = None
    fit: Fit = "resize"
    interpolation: Interpolation | Literal["auto"] = "auto"
    crop_pct: float = 1.0
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    pooling: Pooling | None = None

    def input_fit(self, config: Mapping[str, Any]) -> InputFit | None:
        """Return how images are brought to `input_size`, or None if they stay as they are.

        Args:
            config: timm's configuration of the model.

        Raises:
            StageError: something is said of the way there, and not where to.
        """
        if self.input_size is None:
            if (self.fit, self.interpolation, self.crop_pct) != ("resize", "auto", 1.0):
                raise StageError("fit, interpolation and crop_pct say how images become input_size: write that too")
            return None
        if self.fit == "pad" and self.crop_pct != 1:
            raise StageError('fit = "pad" crops nothing: leave out crop_pct')
        return self.fit_to(self.input_size, _OF_TIMM.get(str(config.get("interpolation")), "bilinear"))

    def fit_to(self, side: int, own: Interpolation) -> InputFit:
        """Return how images are brought to a side; `own` is the interpolation that the model comes with."""
        return InputFit(side, self.fit, own if self.interpolation == "auto" else self.interpolation, self.crop_pct)

    def beside(self, fit: InputFit | None) -> dict[str, Any]:
        """Return what an encoder does beside its model, for its card: ``input``, ``pooling``, as far as it does.

        Args:
            fit: what `input_fit` returned.
        """
        return {
            **({"input": asdict(fit)} if fit else {}),
            **({"pooling": self.pooling} if self.pooling else {}),
        }

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Self:
        """Return the settings of an encoder whose card has what `beside` returned.

        Raises:
            KeyError: its ``input`` is not whole.
        """
        shown = card.get("input")
        seen = cls(None, shown["size"], shown["fit"], shown["interpolation"], shown["crop_pct"]) if shown else cls()
        return replace(seen, mean=card["mean"], std=card["std"], pooling=card.get("pooling"))
