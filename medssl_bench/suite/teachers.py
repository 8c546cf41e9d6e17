"""Teachers of recipes that no comparison uses; those of used recipes are found in the comparison itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.suite.schema import SuiteModel


def unknown_teachers(model: SuiteModel) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the key and the problem of each teacher of an unused recipe that is an arm of no comparison."""
    arms = [arm for table in model.comparison for arm in table.arm]
    used = {link.recipe for arm in arms for link in arm.pretraining}
    names = [arm.name for arm in arms]
    for name, recipe in model.pretraining.items():
        if name not in used and recipe.teacher is not None and recipe.teacher.arm not in names:
            hint = did_you_mean(recipe.teacher.arm, names)
            message = f"there is no arm {recipe.teacher.arm!r} in any comparison{hint}"
            yield ("pretraining", name, "teacher", "arm"), message
