"""The training of `finetune`: the head may start from a probe, and adapters may be trained instead of the encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.checkpoints import Checkpoints
from medssl_bench.errors import StageError
from medssl_bench.evaluators.adapters import add_adapters, merged_state
from medssl_bench.evaluators.base import Evaluation, Trial
from medssl_bench.evaluators.classification import loss
from medssl_bench.evaluators.classifier_training import FineTuning
from medssl_bench.evaluators.finetune_settings import FineTuneOptions
from medssl_bench.training.features import features_of


class FineTuneTraining(FineTuning):
    """One training of `finetune`.

    Args:
        trial: what to train on, with the labelled images as they are trained on.
        settings: how.

    Raises:
        StageError: the probe leaves no head for these features; adapters cannot be had.
    """

    def __init__(self, trial: Trial, settings: FineTuneOptions) -> None:
        self._how, self._probed = settings, dict[str, Any]()
        self.patience = settings.patience
        self.keeps_statistics = settings.lora is not None  # beside adapters nothing of the encoder changes
        super().__init__(trial, settings)

    def run(self) -> Evaluation:
        """Train, and predict the test images; errors as of `FineTuning.run`."""
        found = super().run()
        if self._how.probe is not None:
            found.choices["probe"] = self._probed
        if self._how.patience is not None:
            found.images_seen = self.epoch * len(self.trial.train)
        return found

    def make_model(self) -> nn.Sequential:
        """Return the encoder, with adapters if there are any, and the linear layer, which may be that of a probe."""
        model = super().make_model()
        if self._how.probe is not None:
            self._start_from_probe(model)
        if self._how.lora is not None:
            seed = self.trial.stream("adapters")
            add_adapters(model[0], self._how.lora, self._how.lora_alpha, self._how.lora_targets, seed)
        return model

    def batch_loss(self, places: Tensor, images: Tensor, keys: Sequence[int | Tensor]) -> Mapping[str, Tensor]:
        """Return the cross-entropy of a batch, with smoothed labels if that is wanted."""
        logits, wanted = self.outputs(self.view(0, images, keys)), self.wanted[places]
        if not self._how.label_smoothing:
            return {"loss": loss(self.trial.info.task, logits, wanted, self.weights)}
        smoothing = self._how.label_smoothing
        return {"loss": F.cross_entropy(logits, wanted, weight=self.weights, label_smoothing=smoothing)}

    def kept_weights(self) -> dict[str, dict[str, Tensor]]:
        """Return the state dicts of the encoder, with its adapters added to its weights, and of the linear layer."""
        if self._how.lora is None:
            return super().kept_weights()
        encoder, head = self.predictor
        return {"encoder": merged_state(encoder), "head": dict(head.state_dict())}

    def _start_from_probe(self, model: nn.Sequential) -> None:
        """Give the linear layer the weights of a probe of the encoder (Kumar et al. 2022)."""
        encoder, head = model
        trial = self._probing(encoder)
        found = self._how.probe().evaluate(trial)
        try:
            head.load_state_dict(found.weights.get("head", {}))
        except RuntimeError as error:
            raise StageError("the probe of the fine-tuning leaves no linear layer on the features") from error
        self._probed = {**found.metrics, **found.choices}
        if found.selected_epoch is not None:
            self._probed["selected_epoch"] = found.selected_epoch

    def _probing(self, encoder: nn.Module) -> Trial:
        """Return a trial for a probe: labelled images alone, with their features. What it predicts are these again."""
        trial = self.trial
        train, val = trial.splits["train"].at(trial.train), trial.splits["val"].at(trial.val)
        of_train, of_val = (features_of(encoder, split, trial.device) for split in (train, val))
        return replace(
            trial,
            splits={"train": train, "val": val, "test": train},
            train=np.arange(len(train)),
            val=np.arange(len(val)),
            features={"train": of_train, "val": of_val, "test": of_train},
            spy=False,
            selection="last" if trial.selection == "last" else "validation",
            report=lambda _index, _total, _metrics: None,
            checkpoints=Checkpoints(),
        )
