"""What the folders of offline W&B runs hold."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medssl_bench_trackers.wandb_files import name_of, records


@dataclass
class Offline:
    """What the newest folder of a run holds: each time that it is gone on with makes one."""

    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    artefacts: list[tuple[str, list[str]]] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)
    exits: list[int] = field(default_factory=list)


def offline_runs(folder: Path) -> dict[str, Offline]:
    """Return the runs in a folder ``wandb``, by what they are called."""
    found: dict[str, Offline] = {}
    for file in sorted(folder.glob("offline-run-*/run-*.wandb")):
        there = list(records(file))
        run = next(record.run for record in there if record.HasField("run"))
        told = found[run.display_name] = Offline()
        told.about = {"id": run.run_id, "project": run.project, "group": run.run_group, "kind": run.job_type}
        told.config |= {item.key: json.loads(item.value_json) for item in run.config.update}
        for record in there:
            if record.HasField("history"):
                told.history.append({name_of(item): json.loads(item.value_json) for item in record.history.item})
            elif record.HasField("summary"):
                told.summary |= {name_of(item): json.loads(item.value_json) for item in record.summary.update}
            elif record.HasField("artifact"):
                paths = [entry.path for entry in record.artifact.manifest.contents]
                told.artefacts.append((record.artifact.name, paths))
            elif record.HasField("exit"):
                told.exits.append(record.exit.exit_code)
    return found
