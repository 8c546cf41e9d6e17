"""Writes the suite reference from the schema: ``python -m medssl_bench.suite.reference > docs/reference/suite.md``."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from medssl_bench.datasets.budget import Budget
from medssl_bench.suite import schema
from medssl_bench.suite.budget import BUDGET_SCHEMA
from medssl_bench.suite.duration import Duration

_HEADINGS: dict[Any, str] = {
    schema.SuiteModel: "The file",
    schema.Pretraining: "Recipe",
    schema.Teacher: "Teacher",
    schema.Comparison: "Comparison",
    schema.AnalysesOf: "Analyses of",
    schema.Corrupted: "Corrupted",
    schema.TestOn: "Other set",
    schema.Arm: "Arm",
    schema.ChainLink: "Link",
}
"""The models in the order of the page."""

_NAMED: tuple[tuple[Any, str], ...] = (
    (schema.ComponentRef, "[component](#components)"),
    (schema.LabelBudget, "[budget](#budgets)"),
    (schema.ValidationBudget, "[budget](#budgets), or 0"),
    (Duration, "[duration](#durations)"),
    (schema.Link, "recipe's name or [link](#link)"),
    (schema.OtherSets, "[component](#components) or [other set](#other-set), or a list of them"),
)
_NAMES: dict[Any, str] = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "any value"}
_LIMITS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}

_INTRO = """\
# Suite reference

A suite is a [TOML](https://toml.io) file. This page lists every key. It is generated from the schema; do not
edit it, run `python -m medssl_bench.suite.reference > docs/reference/suite.md`.

An unknown key, a value of the wrong type and a name that means nothing are errors.
`medssl-bench validate SUITE` prints them all at once, each with its file, line and key. `medssl-bench schema`
prints the same rules, with the parameters of every installed component, as JSON Schema for editors.

TOML has two traps. An inline table `{ ... }` must stand on one line. A key belongs to the last `[table]` above
it, so the keys of the file itself, such as `seeds`, come first.

## A complete example

```toml
"""

_EXAMPLE = """\
schema = 1
name = "example"
description = "every table of this page"
seeds = [0, 1]                                            # training
draws = [0, 1, 2]                                         # labels

[dataset.cells]                                           # a data set with parameters, and a name for it
name = "phantom_cells"
train = 400
val = 100
test = 200

[encoder.tiny]
name = "timm"
model = "test_resnet"

[pretraining.plain]
encoder = "tiny"
augmentation = "simclr"
epochs = { cells = 4, default = 2 }
batch_size = 64
optimizer = { lr = 1e-3 }
schedule = { warmup = 1 }

[pretraining.crops]                                       # as plain, but for the augmentation
extends = "plain"
augmentation = ["horizontal_flip", { name = "resized_crop", scale = [0.5, 1.0] }]

[pretraining.temperatures]
extends = "plain"
method = { name = "simclr", hidden = 256 }
sweep = { "method.temperature" = [0.07, 0.2] }

[[comparison]]
id = "main"
title = "A few labels"
datasets = ["cells", { name = "phantom_layers", train = 200, val = 50, test = 100 }]
labels = [50, { per_class = 5, short = "clip" }, "all"]
baseline = "supervised"
encoder = "tiny"
analyses = ["silhouette"]
analyses_of = { arms = ["supervised", "probe"], labels = ["all"], draws = [0] }
corrupted = { ops = ["gaussian_noise", "saturate"], severities = [1, 5] }
test_on = { dataset = { name = "phantom_cells", seed = 1 }, classes = { monocyte = "monocyte", platelet = "platelet" } }

  [[comparison.arm]]
  name = "supervised"
  evaluator = { name = "finetune", epochs = 10 }

  [[comparison.arm]]
  name = "probe"
  pretraining = ["plain"]
  evaluator = { name = "linear_probe", epochs = 50 }

  [[comparison.arm]]
  name = "probe, temperature"                             # becomes two arms, one for each temperature
  pretraining = ["temperatures"]
  evaluator = { name = "linear_probe", epochs = 50 }

  [[comparison.arm]]
  name = "from the other set"                             # a chain: first the cells, then the set that is evaluated
  pretraining = [{ recipe = "plain", on = "cells" }, "crops"]
  evaluator = "knn"
"""

_PROSE = """\
## Components

Data sets, augmentations, encoders, methods, optimisers, schedules and evaluators come from plugins.
`medssl-bench list` names those
that are installed; `medssl-bench show KIND NAME` shows the parameters of one. A suite writes a component in one
of these ways:

* a name: `encoder = "resnet18"`;
* a table with the name and parameters: `encoder = { name = "resnet18", stem = "small" }`; what is left out has
  its default;
* for an augmentation, a list of ops, each a name or a table:
  `augmentation = ["horizontal_flip", { name = "erase", p = 0.2 }]`;
* the name of one of the suite's own tables of that kind: `[dataset.cells]` above is meant by
  `datasets = ["cells"]`. Parameters can be set on top of it: `{ name = "cells", seed = 1 }`.

A relative path in a parameter starts from the suite's folder.

Tables call a data set by the name that the suite uses. `{ name = "cells", seed = 1 }` is called `cells seed=1`;
name a `[dataset.NAME]` table to choose a shorter one.

## Budgets

A budget says how many images are used: an integer, `"all"`, a percentage such as `"10%"`, or a table with
exactly one of `count`, `per_class`, `groups` and `percent`.

"""

_MORE_PROSE = """\

Which images these are is decided by the label draw. Budgets are nested: the first 100 are among the 250. Tables
head their columns with `100`, `all`, `10%`, `25/class`, `20 groups`.

The `images` of a recipe are drawn by the seed, and without labels: N, a percentage or `"all"`.

## Folds

With `folds = 5`, all images of a data set are shared out to five folds, whatever splits it has. No group is parted, and
class proportions are kept. Each fold is the test split once. A pretraining on this set has the training images of its
fold only. Tables say what is over folds:
[Keep patients apart](../how-to/patients.md#folds-each-patient-is-tested-once).

## Durations

A duration is an integer, or a table of integers by data set with a `default`:
`epochs = { bloodmnist = 2000, default = 200 }`. The data sets go by the names that tables use. A recipe has
exactly one of `epochs`, `steps`, `images_seen` and `compute_images`.

`compute_images` compares methods at equal compute. It is the work of the encoder, in images of SimCLR: two views of the
recipe's size, each forward and backward. The plan divides it by the work of the method, as the method's plugin tells
it: forward and backward count 3, a frozen forward pass counts 1, and a smaller view has less work. The result is
`images_seen`, so a method with the work of SimCLR gets the same key as with `images_seen`. `warmup` and `period` of the
schedule are in the same unit. Heads, decoders and views are not counted, unless the plugin counts them.

## Sweeps

`sweep` lists values for keys of its recipe; a dot leads into a table. The recipe then stands once for each
combination, and so does every arm that uses it. With `sweep = { "method.temperature" = [0.07, 0.2] }` the arm
`probe` becomes `probe temperature=0.07` and `probe temperature=0.2`.

With `choose = "validation"` beside `sweep`, tables have one arm `probe` in the place of these. For each result (data
set, label budget, seed, draw and fold) the variant counts whose predictions of the labelled validation images are best,
by `select_by`, or by accuracy (AUROC of multi-label data) where the comparison names none; of equal ones the first.
All variants are trained, and the price of the arm has the cost of all. A result is missing while one of its variants
is, and failed if one has failed. `--only probe` means all variants. `--only "probe temperature=0.2"` means that one,
which then stands alone. Give all arms as many variants, else one is tuned more than another. Arms that are written out
by hand are variants of one with the same `variant_of = "NAME"`.

## Extends

A recipe may extend another one of the same file, and a suite another suite file in the same folder. What the
new one says holds; where it is silent, the old one holds.

* Tables are merged key by key.
* `comparison` is merged by `id`, and `arm` by `name`: an entry with a new id or name is added. `without`
  names those that are left out.
* Any other list is replaced.
* A component that is a mere name, or a table with another `name`, replaces the old one with all its
  parameters. A table with the same name, or without one, changes the keys that it gives.
* A recipe that gives a duration drops the one that it inherits.
"""


def reference() -> str:
    """Return the suite reference in Markdown."""
    tables = "".join(_table(model, heading) for model, heading in _HEADINGS.items())
    return f"{_INTRO}{_EXAMPLE}```\n\n{tables}{_PROSE}{_budget_keys()}{_MORE_PROSE}"


def _table(model: type[BaseModel], heading: str) -> str:
    hints = typing.get_type_hints(model, include_extras=True)
    rows = [
        (f"`{field.alias or name}`", _type(hints[name], field), _default(field), field.description or "")
        for name, field in model.model_fields.items()
    ]
    return f"## {heading}\n\n{(model.__doc__ or '').strip()}\n\n{_rows(('key', 'type', 'default', 'meaning'), rows)}\n"


def _budget_keys() -> str:
    table = next(option for option in BUDGET_SCHEMA["anyOf"] if option.get("type") == "object")
    rows = [(f"`{key}`", _option(about), about.get("description", "")) for key, about in table["properties"].items()]
    return _rows(("key", "type", "meaning"), rows)


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _option(about: dict[str, Any]) -> str:
    """Return the type of a key of a budget's table, from its JSON Schema."""
    if "enum" in about:
        return " or ".join(f"`{json.dumps(value)}`" for value in about["enum"])
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤"}
    limits = [f"{sign} {about[key]}" for key, sign in signs.items() if key in about]
    return ", ".join([{"boolean": "true or false"}.get(about["type"], about["type"]), *limits])


def _type(annotation: Any, field: FieldInfo) -> str:
    """Return the type of a key; that a list must not be empty is said where it is."""
    lengths = {name: item for item in field.metadata for name in ("min_length", "max_length") if hasattr(item, name)}
    limits = _limits(field.metadata)
    if annotation is str and lengths:
        limits.append(f"{lengths['min_length'].min_length} to {lengths['max_length'].max_length} characters")
    elif lengths:
        limits.append("not empty")
    return ", ".join([_text(annotation), *limits])


def _text(annotation: Any) -> str:
    """Return a type as a person would write it."""
    for known, name in _NAMED:
        if annotation == known:
            return name
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        inside = [item for argument in arguments[1:] for item in getattr(argument, "metadata", [argument])]
        return " ".join([_text(arguments[0]), *_limits(inside)])
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_text(argument) for argument in arguments if argument is not types.NoneType)
    if origin is typing.Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in arguments)
    if origin is list:
        return f"list of {_text(arguments[0])}"
    if origin is dict:
        return f"by name: {_text(arguments[1])}"
    heading = _HEADINGS.get(annotation)
    return f"[{heading.lower()}](#{heading.lower().replace(' ', '-')})" if heading else _NAMES[annotation]


def _limits(metadata: Iterable[Any]) -> list[str]:
    return [
        sign.format(getattr(item, name)) for item in metadata for name, sign in _LIMITS.items() if hasattr(item, name)
    ]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "that table's"
    if isinstance(value, Budget):
        value = value.text
    return "" if value is None else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    print(reference(), end="")
