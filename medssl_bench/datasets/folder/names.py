"""What the names of folders say: that they are splits, or parts, people, places and sizes, rather than classes."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from medssl_bench.datasets.base import SplitName


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SPLITS: dict[SplitName, frozenset[str]] = {
    "train": _words(
        "train training trainset trn entrainement apprentissage entrenamiento treino treinamento addestramento "
        "trainingsdaten egitim 训练 训练集 訓練 訓練集 学習 обучение 훈련 학습"
    ),
    "val": _words(
        "val valid validation validate validset valset dev validierung validacion validacao convalida dogrulama "
        "验证 验证集 驗證 驗證集 検証 валидация 검증"
    ),
    "test": _words(
        "test testing testset tst essai prueba pruebas teste testdaten 测试 测试集 測試 測試集 テスト тест 테스트"
    ),
}
_UNCLEAR_SPLITS = _words("eval evaluation holdout heldout unseen development")
"""Some mean the validation images by these, some the test images."""

_FILLERS = _words("set data dataset images image imgs img split subset folder samples")

_PARTS = _words("fold folds kfold cv part parts batch chunk shard partition volume vol subset split set disk zip")
_PEOPLE = _words(
    "patient patients pat pt p subject subjects subj sub s participant volunteer person individual case cases study "
    "exam scan series sample slide specimen mouse rat animal donor id pid paciente sujet sujeto proband"
)
_PLACES = _words(
    "hospital site center centre clinic institution institute scanner vendor device camera machine year day week "
    "month session visit date run plate well timepoint round reader annotator observer rater lab location cohort"
)
_GRADES = _words("class grade stage level label type category cat birads rads kl score cluster c g t n m isup nyha")

CONTAINERS = _words("images image imgs img pictures photos data dataset jpeg jpg png files")
COMPANIONS = _words(
    "labels label annotations annotation masks mask segmentation segmentations groundtruth gt contours bbox boxes json "
    "xml csv metadata docs thumbnails thumbs previews overlays heatmaps"
)
_VARIANTS = _words(
    "original originals augmented augmentation augmentations processed preprocessed raw resized cropped enhanced "
    "unlabeled unlabelled"
)

_SIDES = _words("left right l r od os")
_BODY = _words("eye eyes breast lung kidney side hand knee ear")
_SIZES = _words("28 32 64 96 128 224 256 299 384 512 1024")
_OTHER_PROGRAMS = _words("@eadir __macosx $recycle.bin #recycle lost+found __pycache__")

_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{10,}"  # UUID
    r"|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{12,}"
    r"|\d{5,}"
    r"|\d+(\.\d+){3,}"  # DICOM
    r"|tcga-.*|lidc-.*\d+"
)
_DATE = re.compile(r"(19|20)\d\d([-_.]?[01]\d([-_.]?[0-3]\d)?)?")
_SYNSET = re.compile(r"n\d{8}")
_MANY = 20
_FEW_IMAGES = 5


def is_passed_over(name: str) -> bool:
    """Return whether a name is hidden, or what another program has left (Synology, macOS, Windows)."""
    return name.startswith(".") or name.casefold() in _OTHER_PROGRAMS


def split_named(name: str) -> SplitName | None:
    """Return the split that a folder's name says without doubt: ``Training``, ``valid``, ``0_train``, ``test_set``."""
    tokens = [token for token in _tokens(name) if token not in _FILLERS]
    if len(tokens) == 2 and tokens[0].isdecimal():
        del tokens[0]
    if len(tokens) != 1:
        return None
    return next((split for split, words in _SPLITS.items() if tokens[0] in words), None)


def split_hinted(name: str) -> SplitName | Literal[""] | None:
    """Return the split that a name speaks of (``train_A``, ``ISIC_Test_v2``), "" if of an unclear one (``holdout``)."""
    tokens = _tokens(name)
    tokens += ["".join(tokens)]
    for split, words in _SPLITS.items():
        if words & set(tokens):
            return split
    return "" if _UNCLEAR_SPLITS & set(tokens) else None


def is_container(name: str) -> bool:
    """Return whether a name only says that there are images below."""
    return plain(name) in CONTAINERS


def is_variant(name: str) -> bool:
    """Return whether a name says that there are other versions of images, such as augmented ones."""
    return plain(name) in _VARIANTS


def is_companion(name: str) -> bool:
    """Return whether a name says that there is something about images, such as masks."""
    return plain(name) in COMPANIONS


def plain(name: str) -> str:
    """Return what two spellings of one name share: neither case nor spaces, dashes and underscores count."""
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", name).casefold())


def natural(name: str) -> tuple[list[tuple[int, int]], str]:
    """Return what sorts names as people do: numbers in them by their value, all else by its characters."""
    pieces = re.findall(r"\d+|\D", name)
    return [(ord("0"), int(piece)) if piece.isdecimal() else (ord(piece[0]), -1) for piece in pieces], name


def not_classes(names: Sequence[str], count: Callable[[str], int]) -> str:
    """Return why folders of these names can hardly be classes, as ``are folds``, or an empty string.

    Args:
        names: of the folders, two or more.
        count: returns the number of images in a folder of that name.
    """
    folded = [name.casefold() for name in names]
    for words, what in ((_PARTS, "parts or folds"), (_PEOPLE, "people or cases"), (_PLACES, "places or times")):
        if _mostly(names, lambda name, words=words: _is_numbered(name, words)):  # type: ignore[misc]
            return f"look like {what}, not classes"
    if _mostly(folded, lambda name: _DATE.fullmatch(name) is not None):
        return "look like years or dates, not classes"
    if _mostly(folded, lambda name: re.fullmatch(r"\d+\s*(x|px)(\s*\d+)?", name) is not None) or set(folded) <= _SIZES:
        return "look like sizes or magnifications, not classes"
    if all(_SIDES >= set(_tokens(name)) - _BODY != set() for name in names):
        return "look like sides of the body, not classes"
    if _mostly(folded, lambda name: _ID.fullmatch(name) is not None):
        return "look like numbers of patients, not classes"
    if odd := [name for name in names if plain(name) in CONTAINERS | COMPANIONS | _VARIANTS]:
        return f"are not all classes ({', '.join(odd[:3])})"
    return _many(names, count)


def _many(names: Sequence[str], count: Callable[[str], int]) -> str:
    """Return why many numbered folders can hardly be classes."""
    numbered = [name for name in names if any(character.isdecimal() for character in name)]
    if len(names) < _MANY or len(numbered) < len(names) or all(_SYNSET.fullmatch(name) for name in names):
        return ""
    if sorted(map(count, names))[len(names) // 2] <= _FEW_IMAGES:
        return "look like patients (many, each with a number and few images), not classes"
    stems = {tuple(token for token in _tokens(name) if not token.isdecimal()) for name in names}
    if len(stems) == 1 and (stem := stems.pop()) and not _GRADES & set(stem):
        return "look like patients (many that differ in a number alone), not classes"
    return ""


def _is_numbered(name: str, words: frozenset[str]) -> bool:
    """Return whether a name has one of the words and a number or a letter after it (``patient 7``); or ``1st fold``."""
    tokens = _tokens(name)
    for place, token in enumerate(tokens):
        after = tokens[place + 1] if place + 1 < len(tokens) else ""
        ordinal = token in {"fold", "folds"} and any(earlier.isdecimal() for earlier in tokens[:place])
        if token in words and (after.isdecimal() or (len(token) > 1 and len(after) == 1) or ordinal):
            return True
    return False


def _mostly(names: Iterable[str], test: Callable[[str], bool]) -> bool:
    found = [test(name) for name in names]
    return sum(found) >= 2 and 2 * sum(found) >= len(found)


def _tokens(name: str) -> list[str]:
    text = unicodedata.normalize("NFKC", name)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = bare if bare.isascii() else text
    return re.findall(r"[^\W\d_]+|\d+", text.casefold())
