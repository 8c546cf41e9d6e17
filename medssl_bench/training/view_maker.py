"""Makes the views that a method asks for, each from its own random stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

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
        self._views = tuple(views)
        self._seed = seed
        self._device = device
        self._registry = registry
        self._components = [(_component(view, augmentation, registry), view.size or size) for view in views]
        self._modules = [_module(component, side, registry).to(device) for component, side in self._components]

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
        tried: list[tuple[Component, int, bool]] = []
        for view, (component, side) in zip(self._views, self._components, strict=True):
            if (component, side, view.intensity) not in tried:
                tried.append((component, side, view.intensity))
                build = partial(_module_on, self._device, component, side, self._registry)
                require_own_draws(build, f"augmentation {component.name!r}", images, intensity=view.intensity)

    def __call__(self, images: Tensor, purpose: str, step: int) -> tuple[Tensor, ...]:
        """Return the views of a batch.

        Args:
            images: (B, 3, H, W) float in [0, 1].
            purpose: ``"views"`` in training; validation views have another stream.
            step: number of the batch; the same number gives the same views.
        """
        return self.draw(images, self.keys(purpose, step))

    def keys(self, purpose: str, step: int) -> tuple[int, ...]:
        """Return the seed of each view of a batch."""
        names = [place if view.stream is None else f"shared {view.stream}" for place, view in enumerate(self._views)]
        return tuple(stream(purpose, seed=self._seed, step=step, view=name) for name in names)

    def draw(self, images: Tensor, keys: Sequence[int | Tensor]) -> tuple[Tensor, ...]:
        """Return the views of a batch with given seeds."""
        return tuple(
            draw_view(module, images, key, intensity=view.intensity)
            for view, module, key in zip(self._views, self._modules, keys, strict=True)
        )


def _component(view: View, augmentation: Component, registry: Registry) -> Component:
    """Return the augmentation of a view, with the parameters that the method changes."""
    written: str | Mapping[str, Any] = view.augmentation or _as_written(augmentation)
    if view.parameters:
        written = {**({"name": written} if isinstance(written, str) else written), **view.parameters}
    elif view.augmentation is None:
        return augmentation
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


def _module_on(device: Any, component: Component, size: int, registry: Registry) -> nn.Module:
    return _module(component, size, registry).to(device)


def _module(component: Component, size: int, registry: Registry) -> nn.Module:
    build: Callable[..., nn.Module] = registry.build
    module = build(component, size=size)
    if not isinstance(module, nn.Module):
        raise StageError(f"augmentation {component.name!r} gave {type(module).__name__}, not an nn.Module")
    return module
