"""Makes a static site of the results of several suites of a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.session.api import make_report
from medssl_bench.suite.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Iterable


def make_site(
    suites: Iterable[str | Path | Suite],
    output: str | Path = "site",
    *,
    store: str | Path = "store",
    data_dir: str | Path | None = None,
    title: str = "Results",
    figures: bool = True,
    formats: Sequence[str] = ("png",),
    tell: Callable[[str], None] = lambda _text: None,
) -> Path:
    """Write a folder that any web server can show: an index, and a leaderboard and a report for each suite.

    Args:
        suites: suites or their files.
        output: the folder; made if need be.
        store: directory of the store, such as one that `store merge` has put together.
        data_dir: as of `make_report`.
        title: of the index.
        figures: whether reports have figures.
        formats: as of `make_report`.
        tell: called with what is being done.

    Returns:
        The index.

    Raises:
        UserError: a suite is not valid or has no results, two have one name, or `output` cannot be written.
    """
    from medssl_bench.report.site.write import Entry, folders, write_site

    loaded = [suite if isinstance(suite, Suite) else Suite.load(suite) for suite in suites]
    entries = []
    for suite, folder in zip(loaded, folders([suite.name for suite in loaded]), strict=True):
        tell(f"{suite.name}:")
        made = make_report(
            suite, Path(output) / folder, store=store, data_dir=data_dir, figures=figures, formats=formats, tell=tell
        )
        entries.append(Entry(made.study, folder))
    return write_site(entries, Path(output), title)
