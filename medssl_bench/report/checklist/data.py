"""What records tell of the data of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets.base import SPLITS
from medssl_bench.report.checklist.topics import Section, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.datasets.base import SplitName
    from medssl_bench.report.study import Study

_COPIES = (
    "Copies of images, turned and mirrored ones too, and groups in two splits were looked for when the data were read"
)


def about_data(study: Study) -> Section:
    """Return sources, numbers, classes, leaks and preprocessing."""
    infos = {label: info for label, info in study.plan.datasets.items() if info is not None}
    return Section(
        "Data",
        (
            Topic(
                "Sources and licences",
                tuple(
                    f"{label}: {info.title}; source: {info.source or 'not told'}; licence: {info.licence}"
                    + ("; the images are drawn by a program" if info.generated else "")
                    for label, info in infos.items()
                ),
                "how the images were made: devices, protocols, time, sites",
            ),
            Topic("Splits and numbers of images", tuple(f"{label}: {_counts(i)}" for label, i in infos.items())),
            Topic(
                "Classes",
                tuple(line for label, info in infos.items() for line in _classes(label, info)),
                "what the classes mean, and how often they are in the population",
            ),
            Topic("Labels", author="who annotated, how, by what reference; agreement; missing labels"),
            Topic(
                "Duplicates and leaks",
                tuple(_leaks(study)),
                "whether patients can be in two splits where there are no groups",
            ),
            Topic(
                "Preprocessing",
                tuple(
                    line
                    for label, info in infos.items()
                    for line in (
                        f"{label}: {'grey' if info.channels == 1 else 'RGB'}, {info.size} x {info.size} pixels, 8 bits",
                        *(f"{label}: {note}" for note in info.notes),
                    )
                ),
                "what was done to the images before",
            ),
        ),
    )


def _counts(info: DatasetInfo) -> str:
    groups = (
        f"; groups, such as patients: {_by_split(info.group_counts)}" if info.group_counts else "; no groups are known"
    )
    more = f"; {info.unlabelled:,} images without labels" if info.unlabelled else ""
    return f"{_by_split(info.counts)}{groups}{more}"


def _by_split(numbers: Mapping[SplitName, int]) -> str:
    return ", ".join(f"{numbers[split]:,} {split}" for split in SPLITS)


def _classes(label: str, info: DatasetInfo) -> Iterator[str]:
    yield f"{label}: {info.task}, {len(info.classes)}: {', '.join(info.classes)}"
    of_split = (info.class_counts, info.val_class_counts, info.test_class_counts)
    for split, counts in zip(SPLITS, of_split, strict=True):
        if counts is not None:
            total = max(1, sum(counts))
            yield f"{label}, {split}: " + ", ".join(
                f"{name} {count:,} ({count / total:.0%})" for name, count in zip(info.classes, counts, strict=True)
            )


def _leaks(study: Study) -> Iterator[str]:
    for table in study.board.tables:
        done = any(cell.n for cell in table.cells())
        found = table.leaks or (("none was found",) if done else ("no result is there yet",))
        yield f"{table.title}: {_COPIES}: {'; '.join(found)}"
