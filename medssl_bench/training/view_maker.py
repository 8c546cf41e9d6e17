"""Makes the views that a method asks for, each from its own random stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from medssl_bench.augmentations.cropping import cropped
from medssl_bench.augmentations.per_image import copies, require_own_draws
from medssl_bench.augmentations.views import draw_view, has_own_streams
from medssl_bench.errors import StageError
from medssl_bench.key_path import key_text
from medssl_bench.methods.base import View
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.parameters import ParameterProblem
from medssl_bench.plugin.registry import Registry
from medssl_bench.randomness import stream


class ViewMaker:
    """Makes views.

    Args:
        views: what the method asks for.
        augmentation: the recipe's augmentation.
        size: side of the recipe's views in pixels.
        registry: where other augmentations come from.
        device: where to put what the augmentations hold.
        seed: the training seed.

    Attributes:
        size: side of the recipe's views.
    """

    def __init__(
        self,
        views: Sequence[View],
        augmentation: Component,
        size: int,
        registry: Registry,
        device: Any,
        seed: int,
    ) -> None:
        self.size = size
        self._views = tuple(views)
        self._seed = seed
        self._device = device
        self._makers = [_Maker(view, augmentation, view.size or size, registry) for view in views]
        self._modules = [maker.make().to(device) for maker in self._makers]

    @property
    def of_partners(self) -> bool:
        """Whether a view is made of another image of the group."""
        return any(view.of == "partner" for view in self._views)

    @property
    def recordable(self) -> bool:
        """Whether drawing them can be recorded: every augmentation has random streams of its own."""
        return all(map(has_own_streams, self._modules))

    def require_own_draws(self, size: int) -> None:
        """Refuse an augmentation that draws once for a whole batch; modules of their own are tried, on another image.

        Args:
            size: side of the images in pixels.

        Raises:
            StageError: an augmentation does so.
        """
        images = copies(size, device=self._device)
        tried: list[View] = []
        for view, maker in zip(self._views, self._makers, strict=True):
            if (alike := replace(view, stream=None)) not in tried:
                tried.append(alike)
                require_own_draws(partial(maker.make, self._device), maker.name, images, intensity=view.intensity)

    def __call__(self, images: Tensor, purpose: str, step: int) -> tuple[Tensor, ...]:
        """Return the views of a batch.

        Args:
            images: (B, 3, H, W) float in [0, 1]; each is its own partner.
            purpose: ``"views"`` in training; validation views have another stream.
            step: number of the batch; the same number gives the same views.
        """
        return self.draw((images, images), self.keys(purpose, step))

    def keys(self, purpose: str, step: int) -> tuple[int, ...]:
        """Return the seed of each view of a batch."""
        names = [place if view.stream is None else f"shared {view.stream}" for place, view in enumerate(self._views)]
        return tuple(stream(purpose, seed=self._seed, step=step, view=name) for name in names)

    def draw(self, images: Sequence[Tensor], keys: Sequence[int | Tensor]) -> tuple[Tensor, ...]:
        """Return the views of a batch.

        Args:
            images: (B, 3, H, W) float in [0, 1]; then those of their partners, where a view is of them.
            keys: the seed of each view.
        """
        return tuple(
            draw_view(module, images[view.of == "partner"], key, intensity=view.intensity)
            for view, module, key in zip(self._views, self._modules, keys, strict=True)
        )


@dataclass(frozen=True)
class _Maker:
    """Makes the augmentation of a view.

    Attributes:
        view: what the method asks for.
        augmentation: the recipe's.
        size: side of the view in pixels.
        registry: where the recipe's augmentation comes from.
    """

    view: View
    augmentation: Component
    size: int
    registry: Registry

    @property
    def name(self) -> str:
        """What messages call it."""
        return "the method's augmentation" if self.view.augmentation else f"augmentation {self.augmentation.name!r}"

    def make(self, device: Any = None) -> nn.Module:
        """Return the augmentation, on a device; None: where it is made.

        Raises:
            StageError: it cannot be made, or is no module.
        """
        module = self._factory()(size=self.size)
        if not isinstance(module, nn.Module):
            raise StageError(f"{self.name} gave {type(module).__name__}, not an nn.Module")
        if self.view.crop is not None:
            module = cropped(module, self.view.crop, self.size)
        return module.to(device)

    def _factory(self) -> Callable[..., Any]:
        own, parameters = self.view.augmentation, self.view.parameters
        if own is None:
            return partial(self.registry.build, _changed(self.augmentation, parameters, self.registry))
        if not callable(own):
            raise StageError(
                f"the method asks for a view of {own!r}, whose revision is in no key; it must take the augmentation as "
                'a parameter, `Annotated[Any, OneComponent("augmentation")]`, and give that to View'
            )
        if parameters:
            raise StageError("the parameters of a view change the recipe's augmentation, not one of the method's own")
        return own


def _changed(augmentation: Component, parameters: Mapping[str, Any], registry: Registry) -> Component:
    """Return the recipe's augmentation with the parameters that a view changes."""
    if not parameters:
        return augmentation
    written = {**_as_written(augmentation), **parameters}
    try:
        return registry.resolve("augmentation", written, Path())
    except ParameterProblem as problem:
        where = f"{key_text(problem.path)}: " if problem.path else ""
        raise StageError(f"the method asks for a view that cannot be made: {where}{problem.message}") from problem


def _as_written(value: Any) -> Any:
    """Return a component, with those it is made of, as a suite would write it."""
    if isinstance(value, list):
        return [_as_written(item) for item in value]
    if isinstance(value, Component):
        return {"name": value.name, **{name: _as_written(item) for name, item in value.parameters.items()}}
    return value
