"""What a pretraining learns from, as a plan sees it: which images of which data sets, and what it is watched on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets.held_out import held_out
from medssl_bench.plan.spec import PoolPart

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.datasets.budget import Budget
    from medssl_bench.plan.known_dataset import KnownDataset
    from medssl_bench.suite.recipe_schema import PoolName


@dataclass(frozen=True)
class Pool:
    """The images that a recipe can pretrain on.

    Attributes:
        sets: the data sets, together.
        wanted: which of their images.
    """

    sets: tuple[KnownDataset, ...]
    wanted: PoolName

    @property
    def first(self) -> KnownDataset:
        """The first of the data sets; mostly there is one."""
        return self.sets[0]

    @property
    def pending(self) -> bool:
        """Whether one of the data sets cannot be seen yet."""
        return any(known.pending for known in self.sets)

    @property
    def _infos(self) -> list[DatasetInfo] | None:
        found = [known.info for known in self.sets if known.info]
        return found if len(found) == len(self.sets) else None

    def _takes(self, known: KnownDataset) -> tuple[bool, bool]:
        """Return whether training images of a set are used, and whether those without labels are."""
        if known.info is None:
            return True, False
        train = self.wanted != "unlabelled" and known.info.counts["train"] > 0
        return train, self.wanted != "train" and known.info.unlabelled > 0

    @property
    def total(self) -> int | None:
        """Number of images, those among them that are held out; None while a set cannot be seen."""
        if self._infos is None:
            return None
        total = 0
        for known in self.sets:
            train, unlabelled = self._takes(known)
            assert known.info is not None
            total += known.info.counts["train"] if train else 0
            total += known.info.unlabelled if unlabelled else 0
        return total

    @property
    def held_out(self) -> int:
        """How many images of the pool it is watched on instead of validation images; 0 where there are such."""
        if self._infos is None or self.total is None or any(info.counts["val"] for info in self._infos):
            return 0
        return held_out(self.total)

    @property
    def learned(self) -> int | None:
        """Number of images that can be learned from; None while a set cannot be seen."""
        return None if self.total is None else self.total - self.held_out

    @property
    def watched(self) -> int | None:
        """Number of images that it is watched on; None while a set cannot be seen."""
        return None if self._infos is None else self.held_out or sum(info.counts["val"] for info in self._infos)

    def refuses(self) -> str:
        """Return why there is no such pool, or an empty string."""
        for known in self.sets:
            info = known.info
            if info is None or any(self._takes(known)):
                continue
            if self.wanted == "unlabelled":
                return f'{info.title} has no unlabelled images; say pool = "all" or "train"'
            return f'{info.title} has unlabelled images only; say pool = "all" or "unlabelled"'
        return ""

    def unlike(self) -> str:
        """Return why the data sets cannot be pretrained on together, or an empty string."""
        infos = self._infos or []
        sizes = {info.title: info.size for info in infos}
        if len({info.size for info in infos}) < 2:
            return ""
        text = ", ".join(f"{title} {size}" for title, size in sizes.items())
        return f"images of several sets need one size in pixels, and have: {text}; give the sets one `size`"

    def too_few(self, budget: Budget) -> str:
        """Return why a budget of images cannot be had of the pool, or an empty string."""
        if self._infos is None or self.learned is None:
            return ""
        title = " + ".join(info.title for info in self._infos)
        plain = not any(self._takes(known)[1] for known in self.sets) and not self.held_out and len(self.sets) == 1
        try:
            images = budget.images(self.learned)
        except ValueError as error:
            return f"{title}, {'train split' if plain else 'pool'}: {error}"
        if images is not None and images < 2:
            return f"{title}: {images} unlabelled image(s) is too few to pretrain on; ask for more"
        return ""

    def identity(self) -> dict[str, Any]:
        """Return what decides the images; of the training images of one set, what did before there were pools."""
        sets = []
        for known in self.sets:
            train, unlabelled = self._takes(known)
            identity = known.identity()
            if unlabelled:
                assert known.info is not None
                identity |= {"pool": "all" if train else "unlabelled", "unlabelled": known.info.unlabelled_fingerprint}
            sets.append(identity)
        held = {"held_out": self.held_out} if self.held_out else {}
        return {"dataset": sets[0] if len(sets) == 1 else sets, **held}

    def parts(self) -> tuple[PoolPart, ...]:
        """Return the same for the stage; of the training images of one set, nothing."""
        found = []
        for known in self.sets:
            train, unlabelled = self._takes(known)
            content = known.info.unlabelled_fingerprint if known.info and unlabelled else None
            found.append(PoolPart(dataset=known.spec, train=train, unlabelled=content))
        plain = len(found) == 1 and found[0].unlabelled is None
        return () if plain else tuple(found)
