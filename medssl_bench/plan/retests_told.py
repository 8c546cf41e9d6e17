"""What the trained classifiers of a suite predict beside their own test images, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.plan.kinds.corrupt import CorruptSpec
from medssl_bench.plan.kinds.transfer import TransferSpec

if TYPE_CHECKING:
    from medssl_bench.plan.stage import Plan


def retests_told(plan: Plan) -> list[str]:
    """Return a line for each comparison and data set whose classifiers predict other images, and what these are.

    Such a line is ``few: test images of there (2 shared classes: a, b), predicted by 9 trained classifiers; ...``.
    """
    lines = []
    for table, dataset in dict.fromkeys((found.trial.table, found.trial.dataset) for found in plan.retests):
        here = [found for found in plan.retests if (found.trial.table, found.trial.dataset) == (table, dataset)]
        classifiers = len({found.trial.stage for found in here})
        by = f"predicted by {classifiers:,} trained classifier{'s' if classifiers > 1 else ''}; no training"
        corruptions = list(dict.fromkeys(found.on for found in here if found.what == "corrupt"))
        if corruptions:
            spec = plan.spec(next(found.stage for found in here if found.what == "corrupt"), CorruptSpec)
            severities = f"severit{'ies' if len(spec.severities) > 1 else 'y'} {', '.join(map(str, spec.severities))}"
            number = f"{len(corruptions)} corruption{'s' if len(corruptions) > 1 else ''}"
            lines.append(f"{table}: {number} of {dataset} at {severities} ({', '.join(corruptions)}), {by}")
        for other in dict.fromkeys(found.on for found in here if found.what == "transfer"):
            stage = next(found.stage for found in here if (found.what, found.on) == ("transfer", other))
            classes = plan.spec(stage, TransferSpec).classes.names
            shared = f" ({len(classes)} shared class{'es' if len(classes) > 1 else ''}: {', '.join(classes)})"
            shared = shared if classes else ""
            lines.append(f"{table}: test images of {other}{shared}, {by}")
    return lines
