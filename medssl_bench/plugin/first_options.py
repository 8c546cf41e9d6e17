"""The options that each table of the harness had when keys were first made of them: they are in every key.

An option that is added later is not listed here. It is left out of keys while it stands at its default, so results
made before it existed stay valid; at another value it makes other keys. So never list a new option, and never change
the default of one that is not listed: give such a component another revision instead.

A component that is new is listed with the options that it begins with. One of a plugin outside this repository is not
listed: all its options are in its keys, but for those that it marks with `AddedLater`.
"""

# ruff: noqa: E501 - one component a line

from __future__ import annotations

FIRST_OPTIONS: dict[str, frozenset[str]] = {
    name: frozenset(options.split())
    for name, options in {
        "recipe": "extends method encoder augmentation epochs steps images_seen images batch_size view_size optimizer schedule precision keep validate_every teacher sweep",
        "comparison": "id title datasets labels validation_labels selection metrics baseline reference analyses analyses_of seeds draws floors shuffle_labels encoder without arm",
        "datasets dataset pathmnist": "size",
        "datasets dataset chestmnist": "size",
        "datasets dataset dermamnist": "size",
        "datasets dataset octmnist": "size",
        "datasets dataset pneumoniamnist": "size",
        "datasets dataset retinamnist": "size",
        "datasets dataset breastmnist": "size",
        "datasets dataset bloodmnist": "size",
        "datasets dataset tissuemnist": "size",
        "datasets dataset organamnist": "size",
        "datasets dataset organcmnist": "size",
        "datasets dataset organsmnist": "size",
        "datasets dataset npz": "path task classes title licence source",
        "datasets dataset folder": "path size task validation test seed colour title licence source",
        "datasets dataset images": "path match leave_out array size colour range fit frame title licence source",
        "datasets dataset table": "path image label root folders ending split splits group shared_groups where task classes blank uncertain separator negative missing validation test seed size colour range fit frame title licence source",
        "datasets dataset phantom_cells": "size train val test seed nuisance",
        "datasets dataset phantom_layers": "task size train val test seed nuisance",
        "augmentations augmentation sequence": "ops",
        "augmentations augmentation simclr": "strength crop_scale flip_p jitter_p grayscale_p blur_p",
        "augmentations augmentation plain": "",
        "example augmentation gentle": "blur",
        "thesis augmentation tau_nat": "reading crop_scale crop_scale_of jitter_p jitter_order grayscale_weights",
        "thesis augmentation tau_nat_weak": "reading crop_scale crop_scale_of jitter_p jitter_order grayscale_weights",
        "thesis augmentation tau_short": "reading crop_scale crop_scale_of jitter_p jitter_order",
        "thesis augmentation tau_short_literal": "reading jitter_p jitter_order",
        "thesis augmentation tau_nov": "reading crop_scale crop_scale_of jitter_p jitter_order grayscale_weights equalize_p equalize_rule sharpness",
        "thesis augmentation tau_grey": "reading crop_scale crop_scale_of grayscale_p grayscale_weights equalize_p equalize_rule sharpness",
        "augmentations op horizontal_flip": "p",
        "augmentations op vertical_flip": "p",
        "augmentations op rotate90": "p",
        "augmentations op resized_crop": "scale scale_of ratio antialias",
        "augmentations op resize": "",
        "augmentations op affine": "degrees translate scale padding p",
        "augmentations op color_jitter": "brightness contrast saturation hue order p",
        "augmentations op grayscale": "p weights",
        "augmentations op gaussian_blur": "kernel_size sigma p",
        "augmentations op equalize": "p rule",
        "augmentations op sharpness": "alpha p",
        "augmentations op solarize": "threshold p",
        "augmentations op gamma": "gamma p",
        "augmentations op gaussian_noise": "std per_channel p",
        "augmentations op erase": "scale ratio value p",
        "encoders encoder resnet18": "stem weights weights_file normalize zero_init_last",
        "encoders encoder resnet34": "stem weights weights_file normalize zero_init_last",
        "encoders encoder resnet50": "stem weights weights_file normalize zero_init_last",
        "encoders encoder vit_tiny": "patch weights weights_file normalize",
        "encoders encoder vit_small": "patch weights weights_file normalize",
        "encoders encoder timm": "model weights weights_file normalize options",
        "encoders encoder transformers": "model config_file preprocessor_file weights weights_file revision input_size fit interpolation crop_pct mean std pooling",
        "encoders encoder open_clip": "model config_file weights weights_file revision fit interpolation crop_pct mean std",
        "encoders encoder features": "file",
        "methods method simclr": "temperature hidden projection loss",
        "evaluators evaluator linear_probe": "epochs lr weight_decay batch_size drops validate_every",
        "evaluators evaluator logistic": "smallest largest values folds iterations balance",
        "evaluators evaluator finetune": "epochs lr weight_decay batch_size validate_every augmentation precision",
        "evaluators evaluator knn": "k weighting temperature",
        "evaluators evaluator majority": "",
        "evaluators evaluator silhouette": "components points",
        "evaluators evaluator embedding": "points components perplexities",
        "evaluators evaluator health": "points",
        "training optimizer adamw": "lr weight_decay momentum",
        "training optimizer adam": "lr weight_decay momentum",
        "training optimizer sgd": "lr weight_decay momentum",
        "training optimizer lars": "lr weight_decay momentum clip weight_decay_end trust",
        "training schedule cosine": "minimum period warmup",
        "training schedule steps": "at factor warmup",
        "training schedule constant": "minimum period warmup",
    }.items()
}
"""By `recipe`, `comparison`, or the plugin, the kind and the name of a component."""
