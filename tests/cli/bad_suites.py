"""Malformed suites: what is changed in a good one, and what must be said of it."""

from __future__ import annotations

from dataclasses import dataclass, field

GOOD = """\
schema = 1
name = "good"
seeds = [0]

[dataset.squares]
name = "npz"
path = "squares.npz"

[pretraining.nat]
augmentation = "simclr"
epochs = 10

[[comparison]]
id = "table"
datasets = ["squares"]
labels = [20, "all"]
baseline = "supervised"

  [[comparison.arm]]
  name = "supervised"
  evaluator = "finetune"

  [[comparison.arm]]
  name = "frozen"
  pretraining = ["nat"]
  evaluator = "linear_probe"
"""

ONE_DURATION = "exactly one of epochs, steps, images_seen and compute_images"
SEEDS, DATASET, EPOCHS, LABELS = "seeds = [0]\n", 'path = "squares.npz"\n', "epochs = 10\n", 'labels = [20, "all"]\n'
BASELINE, FINETUNE, CHAIN = 'baseline = "supervised"\n', 'evaluator = "finetune"\n', 'pretraining = ["nat"]\n'
WEIGHTS = 'epochs = 10\nencoder = { name = "resnet18", weights_file = "%s" }\n'
TEACHER = 'epochs = 10\nteacher = { arm = "%s" }\n'

PLUGIN = """
from medssl_bench import hookimpl

@hookimpl
def medssl_augmentations(register):
    register("mine", mine)

def mine(size: int, *, strength: float = 1.0):
    ...
"""


@dataclass(frozen=True)
class Case:
    """A malformed suite.

    Attributes:
        old: what is replaced in the good suite; empty: all of it.
        new: what stands there instead.
        where: line and key, as messages show them.
        what: how the message begins, or a part of it.
        files: what else is in the folder.
    """

    old: str
    new: str
    where: str
    what: str
    files: dict[str, str] = field(default_factory=dict)


CASES = {
    # not TOML
    "unclosed array": Case(SEEDS, "seeds = [0\n", "3: seeds", "not valid TOML: unclosed array"),
    "unclosed string": Case('"good"', '"good', "2: name", "not valid TOML: illegal character"),
    "unclosed literal": Case('"good"', "'good", "2: name", "not valid TOML: "),
    "unclosed long string": Case('"good"', '"""good', "2: name", "not valid TOML: unterminated string"),
    "unclosed header": Case("[pretraining.nat]", "[pretraining.nat", "9: pretraining.nat", "not valid TOML"),
    "no value": Case(SEEDS, "seeds =\n", "3: seeds", "not valid TOML: invalid value"),
    "colon": Case(SEEDS, "seeds: [0]\n", "3: seeds", "not valid TOML: expected '='"),
    "no quotes": Case('"good"', "good", "2: name", "not valid TOML: invalid value"),
    "python's true": Case(SEEDS, f"{SEEDS}x = True\n", "4: x", "not valid TOML: invalid value"),
    "one key twice": Case(SEEDS, SEEDS * 2, "4: seeds", "not valid TOML: cannot overwrite a value"),
    "one table twice": Case("[[comparison]]", "[pretraining.nat]\n[[comparison]]", "13: pretraining.nat", "twice"),
    "inline table over lines": Case(FINETUNE, 'evaluator = {\nname = "knn" }\n', "21: evaluator", "not valid TOML"),
    "impossible date": Case(SEEDS, "seeds = 2023-02-30\n", "3: seeds", "not valid TOML: invalid date"),
    "thousands of digits": Case(SEEDS, f"seeds = [{'9' * 5000}]\n", "3: seeds", "too many digits"),
    "thousands of brackets": Case(SEEDS, f"seeds = {'[' * 9999}\n", "3: seeds", "nest at most 50 deep"),
    "thousands of dots": Case(SEEDS, f"{'a.' * 9999}a = 1\n", "3: a", "tables and lists nest at most 50 deep"),
    "null byte": Case('"good"', '"go\0od"', "2: name", "not valid TOML: illegal character '\\x00'"),
    "nothing": Case("", "", "1: schema", "this suite is empty"),
    "a comment": Case("", "# soon\n", "1: schema", "this suite is empty"),
    # keys
    "unknown key": Case(SEEDS, "seed = [0]\n", "3: seed", "unknown key (did you mean 'seeds'?)"),
    "unknown key of a recipe": Case(EPOCHS, "epoch = 10\n", "11: pretraining.nat.epoch", "(did you mean 'epochs'?)"),
    "unknown key of an optimizer": Case(
        EPOCHS, f"{EPOCHS}optimizer.rate = 1\n", "12: pretraining.nat.optimizer.rate", "unknown parameter; it takes lr,"
    ),
    "unknown key of a comparison": Case(BASELINE, "base = 1\n", "17: comparison[0].base", "(did you mean 'baseline'?)"),
    "unknown key of an arm": Case(
        FINETUNE, 'evaluater = "finetune"\n', "21: comparison[0].arm[0].evaluater", "(did you mean 'evaluator'?)"
    ),
    "unknown key of a link": Case(
        CHAIN, 'pretraining = [{ recipe = "nat", of = "x" }]\n', "25: comparison[0].arm[1].pretraining[0].of", "unknown"
    ),
    "unknown key of a budget": Case(
        LABELS, "labels = [{ per_clas = 3 }]\n", "16: comparison[0].labels[0].per_clas", "(did you mean 'per_class'?)"
    ),
    "required key": Case("schema = 1\n", "", "1: schema", "this key is required"),
    "required key of an arm": Case(FINETUNE, "", "19: comparison[0].arm[0].evaluator", "this key is required"),
    "table, not list of tables": Case(
        GOOD[GOOD.index("[[comp") :], "[comparison]\nid = 'x'\n", "13: comparison", "write its header with two brackets"
    ),
    # other images of finished classifiers
    "unknown corruption": Case(
        BASELINE, f'{BASELINE}corrupted = {{ ops = ["gaussian_nois"] }}\n',
        "18: comparison[0].corrupted.ops[0]", "there is no corruption 'gaussian_nois' (did you mean 'gaussian_noise'?)",
    ),
    "severity that is not there": Case(
        BASELINE, f"{BASELINE}corrupted = {{ severities = [6] }}\n",
        "18: comparison[0].corrupted.severities[0]", "less than or equal to 5, not 6",
    ),
    "control that is tested again": Case(
        BASELINE, f"{BASELINE}corrupted = {{}}\nshuffle_labels = true\n", "18: comparison[0].corrupted",
        "the labels of this control are shuffled, so its classifiers have learned nothing to test",
    ),
    "unknown set to test on": Case(
        BASELINE, f'{BASELINE}test_on = "nowhere"\n',
        "18: comparison[0].test_on[0].dataset", "there is no dataset 'nowhere'",
    ),
    "misspelt key of a set to test on": Case(
        BASELINE, f'{BASELINE}test_on = {{ dataset = "bloodmnist", clases = 1 }}\n',
        "18: comparison[0].test_on.clases", "unknown key (did you mean 'classes'?)",
    ),
    "text for the classes of a set to test on": Case(
        BASELINE, f'{BASELINE}test_on = {{ dataset = "bloodmnist", classes = "same" }}\n',
        "18: comparison[0].test_on.classes", "expected a table, not 'same'",
    ),
    "number for a class of a set to test on": Case(
        BASELINE, f'{BASELINE}test_on = {{ dataset = "bloodmnist", classes = {{ dark = 3 }} }}\n',
        "18: comparison[0].test_on.classes.dark", "expected text in quotes or a list, not 3",
    ),
    "unknown class to test on": Case(
        BASELINE, f'{BASELINE}test_on = {{ dataset = "bloodmnist", classes = {{ dark = "basophil" }} }}\n',
        "18: comparison[0].test_on[0]", "has no class 'dark'",
    ),
    # types and ranges
    "wrong version": Case("schema = 1", "schema = 2", "1: schema", "expected 1, not 2"),
    "number for text": Case('"good"', "3", "2: name", "expected text in quotes, not 3"),
    "text for number": Case(EPOCHS, 'epochs = "10"\n', "11: pretraining.nat.epochs", "expected a whole number, not '1"),
    "fraction for number": Case(EPOCHS, "epochs = 1.5\n", "11: pretraining.nat.epochs", "expected a whole number, not"),
    "date for number": Case(EPOCHS, "epochs = 2024-01-01\n", "11: pretraining.nat.epochs", "2024-01-01 is a date or a"),
    "nan": Case(SEEDS, "epochs_scale = nan\n", "3: epochs_scale", "nan is not a finite number"),
    "infinity in a parameter": Case(
        EPOCHS, f'{EPOCHS}method = {{ name = "simclr", temperature = inf }}\n',
        "12: pretraining.nat.method.temperature", "inf is not a finite number",
    ),
    "nan in a free parameter": Case(
        EPOCHS, f'{EPOCHS}encoder = {{ name = "timm", model = "x", options = {{ a = nan }} }}\n',
        "12: pretraining.nat.encoder.options.a", "nan is not a finite number",
    ),
    "huge integer": Case(EPOCHS, f"epochs = 1{'0' * 30}\n", "11: pretraining.nat.epochs", "TOML has 64 bits for it"),
    "negative seed": Case(SEEDS, "seeds = [0, -1]\n", "3: seeds[1]", "input should be greater than or equal to 0, not"),
    "no seeds": Case(SEEDS, "seeds = []\n", "3: seeds", "must not be empty"),
    "no labels": Case(LABELS, "labels = []\n", "16: comparison[0].labels", "must not be empty"),
    "no data sets": Case('["squares"]', "[]", "15: comparison[0].datasets", "must not be empty"),
    "no epochs": Case(EPOCHS, "epochs = 0\n", "11: pretraining.nat.epochs", "greater than or equal to 1, not 0"),
    "unknown metric": Case(
        BASELINE, 'metrics = ["acuracy"]\n', "17: comparison[0].metrics[0]", "(did you mean 'accuracy'?)"
    ),
    "metric that is a list": Case(
        BASELINE, 'metrics = [["auroc"]]\n', "17: comparison[0].metrics[0]", "expected a name or a table for metric"
    ),
    "the same column twice": Case(
        BASELINE, 'metrics = ["sensitivity", { name = "sensitivity", specificity = 0.9 }]\n',
        "17: comparison[0].metrics[1]", "this is the same column as 'sensitivity'",
    ),
    "spying on a choice by test images": Case(
        BASELINE, 'selection = "test"\nspy = true\n', "18: comparison[0].spy", 'selection = "test" chooses the best e'
    ),
    "patience without validation labels": Case(
        FINETUNE, 'evaluator = { name = "finetune", patience = 9 }\n'
        "[[comparison]]\nid = 'x'\ndatasets = ['squares']\nlabels = [5]\nvalidation_labels = 0\n"
        "[[comparison.arm]]\nname = 'y'\nevaluator = { name = 'finetune', patience = 9 }\n",
        "29: comparison[1].arm[0].evaluator.patience", "patience needs labelled validation images to choose by",
    ),
    "tuning of no option": Case(
        FINETUNE, 'evaluator = { name = "finetune", tune = { learning_rate = [1, 2] } }\n',
        "21: comparison[0].arm[0].evaluator.tune.learning_rate", "unknown parameter; it takes epochs, lr, weight_",
    ),
    "tuning by a wrong value": Case(
        FINETUNE, 'evaluator = { name = "finetune", tune = { lr = [0.1, -1.0] } }\n',
        "21: comparison[0].arm[0].evaluator.tune.lr[1]", "evaluator 'finetune': input should be greater than 0",
    ),
    "tuning by no list": Case(
        FINETUNE, 'evaluator = { name = "finetune", tune = { lr = 0.1 } }\n',
        "21: comparison[0].arm[0].evaluator.tune.lr", "expected a list of values to try, not 0.1",
    ),
    "tuning of a value that is given": Case(
        FINETUNE, 'evaluator = { name = "finetune", lr = 0.1, tune = { lr = [0.1, 0.2] } }\n',
        "21: comparison[0].arm[0].evaluator.tune.lr", "lr has a value already: leave it out there, or here",
    ),
    "tuning without validation labels": Case(
        f"{LABELS}{BASELINE}\n  [[comparison.arm]]\n  name = \"supervised\"\n  {FINETUNE}",
        f"{LABELS}validation_labels = 0\n\n  [[comparison.arm]]\n  name = 'x'\n"
        "  evaluator = { name = 'knn', tune = { k = [1, 5] } }\n",
        "21: comparison[0].arm[0].evaluator.tune", "tune needs labelled validation images to choose by, and the",
    ),
    "tuning by test images": Case(
        f"{LABELS}{BASELINE}\n  [[comparison.arm]]\n  name = \"supervised\"\n  {FINETUNE}",
        f"{LABELS}selection = 'test'\n\n  [[comparison.arm]]\n  name = 'x'\n"
        "  evaluator = { name = 'knn', tune = { k = [1, 5] } }\n",
        "21: comparison[0].arm[0].evaluator.tune", "tune needs labelled validation images to choose by, and the",
    ),
    "tuning of a floor": Case(
        FINETUNE, 'evaluator = { name = "majority", tune = { x = [1, 5] } }\n',
        "21: comparison[0].arm[0].evaluator.tune.x", "unknown parameter; it takes no parameters",
    ),
    "unknown metric to select by": Case(
        BASELINE, 'select_by = "aurocc"\n', "17: comparison[0].select_by", "(did you mean 'auroc'?)"
    ),
    "number of an evaluator to select by": Case(
        BASELINE, 'select_by = "loss_gap"\n', "17: comparison[0].select_by", "is what an evaluator measures itself"
    ),
    "slash in an id": Case('"table"', '"a/b"', "14: comparison[0].id", "must not have a slash"),
    "dots and a slash in a name": Case('"good"', '"../good"', "2: name", "must not have a slash"),
    "control sequence in a name": Case('"frozen"', '"\\u001b[31m"', "24: comparison[0].arm[1].name", "a control char"),
    "turned letters in a name": Case('"frozen"', '"a\\u202eb"', "24: comparison[0].arm[1].name", "a control character"),
    "blank name": Case('"frozen"', '"  "', "24: comparison[0].arm[1].name", "this must not be blank"),
    "name without an end": Case('"good"', f'"{"x" * 300}"', "2: name", "string should have at most 80 characters"),
    "blank name of a data set": Case("[dataset.squares]", '[dataset." "]', '5: dataset." "', "this key is blank"),
    "line break in a name": Case("[dataset.squares]", '[dataset."a\\nb"]', '5: dataset."a\\nb"', "control character"),
    # names
    "unknown component": Case(
        FINETUNE, 'evaluator = "fintune"\n', "21: comparison[0].arm[0].evaluator", "(did you mean 'finetune'?)"
    ),
    "unknown augmentation": Case(
        '"simclr"', '"simclear"', "10: pretraining.nat.augmentation", "there is no augmentation 'simclear' (did you mea"
    ),
    "unknown op": Case(
        '"simclr"', '[\n"resized_crop",\n"flip"]', "12: pretraining.nat.augmentation[1]", "there is no op 'flip'"
    ),
    "unknown parameter": Case(
        FINETUNE, 'evaluator = { name = "finetune", epoch = 3 }\n', "21: comparison[0].arm[0].evaluator.epoch",
        "unknown parameter (did you mean 'epochs'?)",
    ),
    "unknown parameter of an op": Case(
        '"simclr"', '[{ name = "horizontal_flip", q = 1 }]', "10: pretraining.nat.augmentation[0].q", "it takes p"
    ),
    "required parameter": Case(DATASET, "", "5: dataset.squares", "parameter 'path' is required (path)"),
    "wrong type of a parameter": Case(
        DATASET, "path = 3\n", "7: dataset.squares.path", "dataset 'npz': input should be a valid string, not 3"
    ),
    "parameter out of range": Case(
        FINETUNE, 'evaluator = { name = "finetune", lr = -1.0 }\n', "21: comparison[0].arm[0].evaluator.lr",
        "input should be greater than 0, not -1.0",
    ),
    "component without a name": Case(
        FINETUNE, "evaluator = { epochs = 3 }\n", "21: comparison[0].arm[0].evaluator", "needs a name, as in"
    ),
    "unknown recipe": Case(
        CHAIN, 'pretraining = ["nut"]\n', "25: comparison[0].arm[1].pretraining[0]", "no [pretraining.nut] (did you mea"
    ),
    "unknown baseline": Case(BASELINE, 'baseline = "supervized"\n', "17: comparison[0].baseline", "(did you mean 'sup"),
    "unknown reference": Case(BASELINE, 'reference = "no:x"\n', "17: comparison[0].reference", "there is no reference"),
    "unknown source data": Case(
        CHAIN, 'pretraining = [{ recipe = "nat", on = "bloodmist" }]\n', "25: comparison[0].arm[1].pretraining[0].on",
        "(did you mean 'bloodmnist'?)",
    ),
    # the same thing twice
    "two arms of a name": Case('"frozen"', '"supervised"', "24: comparison[0].arm[1].name", "is there already"),
    "two equal budgets": Case(LABELS, "labels = [\n20,\n20]\n", "18: comparison[0].labels[1]", "'20' is there already"),
    "two equal data sets": Case('["squares"]', '["squares", "squares"]', "15: comparison[0].datasets[1]", "is there a"),
    "two equal seeds": Case(SEEDS, "seeds = [1, 1]\n", "3: seeds[1]", "'1' is there already, at seeds[0]"),
    "arm called as a floor": Case('"frozen"', '"majority class"', "24: comparison[0].arm[1].name", "the name of a flo"),
    # what does not fit together
    "no duration": Case(EPOCHS, "", "9: pretraining.nat", f"{ONE_DURATION}, not none"),
    "two durations": Case(EPOCHS, f"{EPOCHS}steps = 5\n", "9: pretraining.nat", f"{ONE_DURATION}, not epochs, steps"),
    "no epochs for a set": Case(
        EPOCHS, "epochs = { bloodmnist = 3 }\n", "11: pretraining.nat.epochs", "says nothing of data set 'squares'"
    ),
    "warm-up as long as the recipe": Case(
        EPOCHS, f"{EPOCHS}schedule.warmup = 10\n", "12: pretraining.nat.schedule.warmup",
        "warmup = 10 takes all of the training (epochs = 10), so nothing follows it; give less than 10",
    ),
    "warm-up longer than the steps": Case(
        EPOCHS, "steps = { squares = 5, default = 50 }\nschedule.warmup = 9\n", "12: pretraining.nat.schedule.warmup",
        "warmup = 9 takes all of the training (steps = 5), so nothing follows it; give less than 5",
    ),
    "warm-up longer than the fine-tuning": Case(
        FINETUNE, 'evaluator = { name = "finetune", epochs = 3, schedule = { name = "constant", warmup = 4 } }\n',
        "21: comparison[0].arm[0].evaluator.schedule.warmup", "evaluator 'finetune': warmup = 4 takes all of the train",
    ),
    "warm-up longer than one of the tried trainings": Case(
        FINETUNE, 'evaluator = { name = "linear_probe", schedule = { name = "cosine", warmup = 4 }, '
        "tune = { epochs = [9, 3] } }\n",
        "21: comparison[0].arm[0].evaluator.schedule.warmup", "takes all of the training (epochs = 3)",
    ),
    "analysis as arm": Case(
        FINETUNE, 'evaluator = "silhouette"\n', "21: comparison[0].arm[0].evaluator", "put it under the comparison's an"
    ),
    "classifier as analysis": Case(BASELINE, 'analyses = ["knn"]\n', "17: comparison[0].analyses[0]", "gives a classi"),
    "encoder beside pretraining": Case(
        CHAIN, f'{CHAIN}encoder = "resnet18"\n', "26: comparison[0].arm[1].encoder", "is that of its first recipe"
    ),
    "teacher that is not there": Case(
        EPOCHS, TEACHER % "supervize", "12: pretraining.nat.teacher.arm", "there is no arm 'supervize' in comparison 't"
    ),
    "teacher that trains nothing": Case(EPOCHS, TEACHER % "frozen", "12: pretraining.nat.teacher.arm", "trains no enc"),
    "sweep of nothing": Case(
        EPOCHS, f'{EPOCHS}sweep = {{ "method.temperature" = [] }}\n', '12: pretraining.nat.sweep."method.temperature"',
        "give a list of at least one value",
    ),
    "sweep of what is not there": Case(
        EPOCHS, f'{EPOCHS}sweep = {{ "method.temp" = [1.0, 2.0] }}\n', '12: pretraining."nat temp=1".method.temp',
        "method 'simclr': unknown parameter (did you mean 'temperature'?)",
    ),
    "sweep of thousands": Case(
        EPOCHS, f"{EPOCHS}sweep = {{ batch_size = {list(range(2, 1200))} }}\n", "12: pretraining.nat.sweep",
        "a sweep of 1,198 variants; at most 1,000 are possible",
    ),
    "choice without a sweep": Case(
        EPOCHS, f'{EPOCHS}choose = "validation"\n', "9: pretraining.nat", "choose is for a recipe with a sweep, and t"
    ),
    "choice by test images": Case(
        EPOCHS, f'{EPOCHS}sweep = {{ batch_size = [16, 32] }}\nchoose = "test"\n',
        '13: pretraining."nat batch_size=16".choose',
        "expected 'validation', not 'test'",
    ),
    "choice without validation labels": Case(
        f"{LABELS}{BASELINE}",
        f"{LABELS}validation_labels = 0\n\n  [[comparison.arm]]\n  name = 'x'\n  variant_of = 'one'\n  {FINETUNE}",
        "19: comparison[0].arm[0]",
        "variants of 'one' need labelled validation images to be chosen by, and the comparison has validation_labels"
    ),
    "variants called as an arm": Case(
        CHAIN, f'{CHAIN}variant_of = "supervised"\n', "26: comparison[0].arm[1].variant_of", "'supervised' is an arm of"
    ),
    # what the data cannot give
    "draws without an end": Case(
        SEEDS, f"{SEEDS}draws = {list(range(4000))}\n", "14: comparison[0]", "32,000 trials on 'squares'; at most 20"
    ),
    "more labels than images": Case(
        LABELS, "labels = [20, 100]\n", "16: comparison[0].labels[1]", "100 images are asked of a set of 60; ask for fe"
    ),
    "more of each class than there are": Case(
        LABELS, "labels = [{ per_class = 30 }]\n", "16: comparison[0].labels[0]", "has 20 training images, fewer than 3"
    ),
    "groups of a set that has none": Case(
        LABELS, "labels = [{ groups = 5 }]\n", "16: comparison[0].labels[0]", "has no groups, such as patients, that"
    ),
    "unlabelled images in groups": Case(
        EPOCHS, f"{EPOCHS}images = {{ groups = 5 }}\n", "12: pretraining.nat.images", "a pretraining sees no labels; gi"
    ),
    "classes of a multi-label set": Case(
        '["squares"]\nlabels = [20, "all"]', '["chestmnist"]\nlabels = [{ per_class = 3 }]',
        "16: comparison[0].labels[0]", "is a multi-label set: its images have no one class",
    ),
    "more validation labels than images": Case(
        LABELS, "labels = [20]\nvalidation_labels = 50\n", "17: comparison[0].validation_labels", "val split: 50 images"
    ),
    "cells skipped for validation labels": Case(
        LABELS, 'labels = [20]\nvalidation_labels = { count = 50, short = "skip" }\n',
        "17: comparison[0].validation_labels", "leaves out cells",
    ),
    "more unlabelled images than there are": Case(
        EPOCHS, f"{EPOCHS}images = 61\n", "12: pretraining.nat.images", "61 images are asked of a set of 60"
    ),
    "one unlabelled image": Case(
        EPOCHS, f"{EPOCHS}images = 1\n", "12: pretraining.nat.images", "a pretraining needs two images or more"
    ),
    "one unlabelled image in a hundred": Case(
        EPOCHS, f'{EPOCHS}images = "1%"\n', "12: pretraining.nat.images", "1 unlabelled image(s) is too few"
    ),
    "model that timm has not": Case(
        FINETUNE, f'{FINETUNE}encoder = {{ name = "timm", model = "resnet181" }}\n',
        "22: comparison[0].arm[0].encoder.model", "encoder 'timm': timm has no model 'resnet181' (did you mean 'resn",
    ),
    "teacher of a recipe that is not used": Case(
        SEEDS, f'{SEEDS}[pretraining.idle]\naugmentation = "plain"\nepochs = 1\nteacher = {{ arm = "supervize" }}\n',
        "7: pretraining.idle.teacher.arm", "there is no arm 'supervize' in any comparison (did you mean 'supervised'?)",
    ),
    "classes of unlabelled images": Case(
        EPOCHS, f"{EPOCHS}images = {{ per_class = 3 }}\n", "12: pretraining.nat.images", "a pretraining sees no labels"
    ),
    "data that is not there": Case(DATASET, 'path = "no.npz"\n', "7: dataset.squares.path", "there is no file or fold"),
    "data of a name that no file has": Case(
        DATASET, 'path = "a\\u0000"\n', "7: dataset.squares.path", "'a\\x00' is not a path: embedded null byte"
    ),
    "data that is not data": Case(
        DATASET, 'path = "x.npz"\n', "5: dataset.squares", "x.npz", files={"x.npz": "no zip"}
    ),
    "data without the column": Case(
        f'name = "npz"\n{DATASET}',
        'name = "table"\npath = "x.csv"\nimage = "image"\nlabel = "grade"\n',
        "5: dataset.squares",
        "has no column 'grade'",
        files={"x.csv": "image,split\na.png,train\n"},
    ),
    "data that is a pipe": Case(DATASET, 'path = "/dev/null"\n', "5: dataset.squares", "a pipe or a device"),
    "data of nobody": Case(DATASET, 'path = "~nobodyhere/x"\n', "7: dataset.squares.path", "is not a path: Could not"),
    "weights that are a folder": Case(
        EPOCHS, WEIGHTS % ".", "12: pretraining.nat.encoder.weights_file", "is a folder; encoder 'resnet18' takes a",
    ),
    "weights that are none": Case(
        EPOCHS, WEIGHTS % "w", "12: pretraining.nat.encoder.weights_file",
        "w: this is no safetensors file, or a damaged one", files={"w": "some weights"},
    ),
    # other files
    "extends nothing": Case(SEEDS, 'extends = "no.toml"\n', "3: extends", "there is no file 'no.toml' beside this one"),
    "extends a file elsewhere": Case(SEEDS, 'extends = "../x.toml"\n', "3: extends", "is not the name of a suite file"),
    "extends in a circle": Case(SEEDS, 'extends = "suite.toml"\n', "3: extends", "in a circle: suite.toml -> suite.to"),
    "recipes in a circle": Case(
        EPOCHS, f'{EPOCHS}extends = "nat"\n', "12: pretraining.nat.extends", "recipes extend each other in a circle: na"
    ),
    "requires what is not there": Case(
        SEEDS, 'requires = ["no-such-thing>=1"]\n', "3: requires[0]", "no-such-thing is not installed; pip install"
    ),
    "requires nonsense": Case(SEEDS, 'requires = ["no such!"]\n', "3: requires[0]", "'no such!' is not a requirement"),
    "plugin that is not there": Case(SEEDS, 'plugins = ["no.py"]\n', "3: plugins[0]", "there is no file 'no.py' besid"),
    "plugin elsewhere": Case(SEEDS, 'plugins = ["../x.py"]\n', "3: plugins[0]", "it must stand beside the suite"),
    "plugin that is not Python": Case(
        SEEDS, 'plugins = ["x.py"]\n', "3: plugins[0]", "not a usable plugin: SyntaxError", files={"x.py": "x = "}
    ),
    "plugin of a missing library": Case(
        SEEDS, 'plugins = ["x.py"]\n', "3: plugins[0]", "No module named 'no_such_module'",
        files={"x.py": "import no_such_module"},
    ),
    "plugin that is none": Case(
        SEEDS, 'plugins = ["x.py"]\n', "3: plugins[0]", "it implements no hook", files={"x.py": "x = 1"}
    ),
    "plugin with a factory that cannot be called": Case(
        SEEDS, 'plugins = ["x.py"]\n', "3: plugins[0]", "must have the signature (size, *, ...)",
        files={"x.py": PLUGIN.replace("size: int, ", "")},
    ),
    "plugin with a name that is taken": Case(
        SEEDS, 'plugins = ["x.py"]\n', "3: plugins[0]", "'augmentations' and 'x' both register augmentation 'plain'",
        files={"x.py": PLUGIN.replace('"mine"', '"plain"')},
    ),
    "parameter of an inline plugin": Case(
        GOOD[GOOD.index("seeds") : GOOD.index("epochs")],
        'plugins = ["x.py"]\n[dataset.squares]\nname = "npz"\npath = "squares.npz"\n[pretraining.nat]\n'
        'augmentation = { name = "mine", strenght = 1 }\n', "8: pretraining.nat.augmentation.strenght",
        "(did you mean 'strength'?)", files={"x.py": PLUGIN},
    ),
}  # fmt: skip
