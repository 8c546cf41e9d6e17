"""How long a suite takes, as its plan says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.errors import SuiteError, UserError
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.estimates import Estimates
from medssl_bench.plan.known_datasets import KnownDatasets
from medssl_bench.plan.selection import Only
from medssl_bench.suite.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from medssl_bench.datasets import DatasetContext
    from medssl_bench.plugin.manager import Plugins
    from medssl_bench.starter.sources import Source


@dataclass(frozen=True)
class Timing:
    """What tells the time of a suite.

    Attributes:
        plugins: where components come from.
        context: where data sets keep files.
        sources: the data sets, by the names that the suite has for them; they are not looked at again.
        fingerprints: of those that have been read.
        device: torch's type of the device that is going to compute, or ``auto``.
    """

    plugins: Plugins
    context: DatasetContext
    sources: Mapping[str, Source]
    fingerprints: Mapping[str, str]
    device: str

    def seconds(self, part: Path, file: Path, write: Callable[[], str]) -> float:
        """Return how long a suite takes.

        Args:
            part: where it is written to, to be read as a suite.
            file: what it will be called, for messages.
            write: gives its text.

        Raises:
            UserError: it is not valid, by what its data sets are.
        """
        part.write_text(write(), "utf-8")
        try:
            suite = Suite.load(part, self.plugins)
            known = KnownDatasets(self.plugins.registry, self.context)
            for named in Only(suite, ()).datasets_of(suite):
                source = self.sources[named.label]
                known.add(named.component, source.info, self.fingerprints.get(named.label, "not read"))
            plan = build_plan(suite, self.context, datasets=known)
        except SuiteError as error:
            raise UserError(str(error).replace(str(part), str(file))) from error
        estimates = Estimates((), self.context.cache_dir, self.device)
        found = [estimates.of(stage) for stage in plan.stages.values()]
        return estimates.start + sum(each.seconds for each in found if each is not None)
