"""iBOT (Zhou et al. 2022): DINO, and the student predicts what the teacher says of patches that were hidden from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Progress, View, in_float32
from medssl_bench_methods.multicrop import features_of
from medssl_bench_methods.selfdistillation.dino import DINO, Settings


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


class IBOT(DINO):
    """A student that sees large crops with hidden patches, and a teacher that sees them whole.

    Args:
        encoder: a ViT with tokens; images to features.
        views: two large ones, then small ones.
        settings: of heads, centring and teacher.
        masked: part of the patches of a large crop that is hidden.
        spread: weight of KoLeo, which keeps the features of different images apart.
    """

    def __init__(
        self, encoder: nn.Module, views: Sequence[View], settings: Settings, *, masked: float, spread: float
    ) -> None:
        super().__init__(encoder, views, settings)
        self.spread = spread
        self.patch_centering = settings.make_centering()
        self.hiding = Hiding(feature_dim(encoder))
        self.clipped(self.hiding.token)
        rows, columns = cast("Any", encoder).grid
        self.patches, self.prefix = rows * columns, cast("Any", encoder).prefix_tokens
        self.hidden = max(1, round(masked * self.patches))

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the gauges, what the teacher says of images, as of DINO, and the loss of patches."""
        count, large = len(batch.image), torch.cat(batch.views[:2])
        places = torch.rand(len(large), self.patches, device=large.device).argsort(dim=1)[:, : self.hidden]
        features, hidden = self._student(batch, large, places)
        with torch.no_grad():
            tokens = cast("Any", self.teacher).tokens(large)
            taught = cast("Any", self.teacher).pooled(tokens)
            patches = self.teacher_head(self._at(tokens, places))
            wanted = self.patch_centering(patches, self.teacher_temperature)
        of_images, found = self._of_images(features, taught, count)
        of_patches = patch_loss(wanted, self.head(hidden), self.temperature)
        loss = of_images + of_patches
        if self.spread:
            loss = loss + self.spread * koleo(features[:count])
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
