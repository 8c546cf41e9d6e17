"""iBOT (Zhou et al. 2022): DINO, and the student predicts what the teacher says of patches that were hidden from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Progress, View, gauges, in_float32
from medssl_bench_methods.multicrop import features_of
from medssl_bench_methods.selfdistillation.centering import Centering, Rule
from medssl_bench_methods.selfdistillation.dino import dino_loss
from medssl_bench_methods.selfdistillation.head import DINOHead
from medssl_bench_methods.selfdistillation.teaching import Pace, Taught
from medssl_bench_methods.use import entropy, used


def patch_loss(wanted: Tensor, student: Tensor, temperature: float) -> Tensor:
    """Return the mean cross-entropy over hidden patches (eq. 2), of which every image has as many.

    Args:
        wanted: (M, K) probabilities that the teacher gives the patches.
        student: (M, K) output of the student for them.
        temperature: of the student.
    """
    with in_float32(student.device):
        return -(wanted * F.log_softmax(student.float() / temperature, dim=1)).sum(dim=1).mean()


def koleo(features: Tensor) -> Tensor:
    """Return the mean of minus the log distance to the nearest other unit feature (KoLeo, Sablayrolles et al. 2019).

    Args:
        features: (B, D).
    """
    with in_float32(features.device):
        unit = F.normalize(features.float(), dim=1)
        cosines = (unit @ unit.T).fill_diagonal_(-1)
        return -(F.pairwise_distance(unit, unit[cosines.argmax(dim=1)], eps=1e-8) + 1e-8).log().mean()


class Hiding(nn.Module):
    """A trained token in place of patches that an encoder may not see.

    It is a module of its own, so that it is part of the network: what computes in bfloat16 may round it.

    Args:
        length: of a token.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(length))  # zeros as in the authors' code

    def forward(self, encoder: nn.Module, images: Tensor, masked: Tensor) -> Tensor:
        """Return the encoder's tokens, (B, T, D).

        Args:
            encoder: a ViT with tokens.
            images: (B, 3, H, W) in [0, 1].
            masked: (B, N) bool, the patches that are hidden.
        """
        return cast("Any", encoder).tokens(images, masked=masked, mask_token=self.token)


class IBOT(Taught):
    """A student that sees large crops with hidden patches, and a teacher that sees them whole.

    Args:
        encoder: a ViT with tokens; images to features.
        views: two large ones, then small ones.
        hidden: width of the head's hidden layers.
        projection: length of the head's normalised vectors.
        prototypes: length K of the output.
        temperature: of the student.
        pace: what changes in the course of a training.
        centering: ``sinkhorn`` or ``mean``.
        center_momentum: of the moving means, one of images and one of patches.
        masked: part of the patches of a large crop that is hidden.
        spread: weight of KoLeo, which keeps the features of different images apart.
        clip: largest norm of a parameter's gradient; None: none.
        keep: whose encoder is kept.
    """

    monitor: ClassVar[str | None] = "agreement"

    def __init__(
        self,
        encoder: nn.Module,
        views: Sequence[View],
        *,
        hidden: int,
        projection: int,
        prototypes: int,
        temperature: float,
        pace: Pace,
        centering: Rule,
        center_momentum: float,
        masked: float,
        spread: float,
        clip: float | None,
        keep: Literal["student", "teacher"],
    ) -> None:
        length = feature_dim(encoder)
        super().__init__(encoder, DINOHead(length, hidden, projection, prototypes), pace=pace, keep=keep, clip=clip)
        self._views = tuple(views)
        self.temperature, self.spread = temperature, spread
        self.centering, self.patch_centering = (Centering(centering, prototypes, center_momentum) for _ in range(2))
        self.hiding = Hiding(length)
        self.clipped(self.hiding.token)
        rows, columns = cast("Any", encoder).grid
        self.patches, self.prefix = rows * columns, cast("Any", encoder).prefix_tokens
        self.hidden = max(1, round(masked * self.patches))

    def views(self) -> tuple[View, ...]:
        """Return two large views and the small ones."""
        return self._views

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the gauges, and what the teacher says of images, as of DINO, and the loss of patches."""
        count, large = len(batch.image), torch.cat(batch.views[:2])
        places = torch.rand(len(large), self.patches, device=large.device).argsort(dim=1)[:, : self.hidden]
        features, hidden = self._student(batch, large, places)
        output = self.head(features)
        with torch.no_grad():
            tokens = cast("Any", self.teacher).tokens(large)
            taught = self.teacher_head(cast("Any", self.teacher).pooled(tokens))
            wanted = self.centering(taught, self.teacher_temperature)
            patches = self.teacher_head(self._at(tokens, places))
            wanted_patches = self.patch_centering(patches, self.teacher_temperature)
        of_images = dino_loss(wanted.view(2, count, -1), output.view(len(batch.views), count, -1), self.temperature)
        of_patches = patch_loss(wanted_patches, self.head(hidden), self.temperature)
        loss = of_images + of_patches
        if self.spread:
            loss = loss + self.spread * koleo(features[:count])
        found = gauges(output[:count], output[count : 2 * count], training=self.training)
        found |= {"entropy": entropy(wanted).mean() / math.log(wanted.shape[1]), "used": used(taught)}
        return loss, found | {"patch_loss": of_patches.detach()}

    def _student(self, batch: Batch, large: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the student's features of all crops, and its tokens at the places that it did not see."""
        masked = torch.zeros(len(large), self.patches, dtype=torch.bool, device=large.device).scatter(
            1, places, value=True
        )
        tokens = self.hiding(self.student, large, masked)
        features = [cast("Any", self.student).pooled(tokens)]
        if small := batch.views[2:]:
            features.append(features_of(self.student, small))
        return torch.cat(features), self._at(tokens, places)

    def _at(self, tokens: Tensor, places: Tensor) -> Tensor:
        """Return the tokens of patches, (2 B times hidden, D)."""
        patches = tokens[:, self.prefix :]
        return patches.gather(1, places[:, :, None].expand(-1, -1, patches.shape[2])).flatten(0, 1)
