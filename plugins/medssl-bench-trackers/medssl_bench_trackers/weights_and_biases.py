"""Weights & Biases: a run for each stage, in a project for each suite; offline unless the user says otherwise."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from medssl_bench_trackers.content import BOARD, CURVE, Ending, Numbers, file_name, names_of, settings_of
from medssl_bench_trackers.tracker import Artefacts, Known, Place, Tracker, require_package
from medssl_bench_trackers.wandb_files import name_of, records

if TYPE_CHECKING:
    from medssl_bench.plugin.watching import StageInfo

Mode = Literal["offline", "online"]


@dataclass(frozen=True, kw_only=True)
class WeightsAndBiases:
    """Logs a run for Weights & Biases: settings, curves, results, pictures of views, the leaderboard, records.

    Args:
        mode: `offline` writes to the folder and sends nothing; `wandb sync` sends it later. `online` sends it at once,
            as the account that `wandb login` or `WANDB_API_KEY` says.
        folder: where W&B makes its folder `wandb`.
        project: name of the project; by default that of the suite.
        entity: user or team; by default that of the account.
        views: whether pictures of views are logged.
        artefacts: which files of finished stages are logged: `none`, `records` (what was measured and how it was made),
            or `all` (weights and predictions too).
    """

    mode: Mode = "offline"
    folder: str = "."
    project: str | None = None
    entity: str | None = None
    views: bool = True
    artefacts: Artefacts = "records"

    def build(self) -> Tracker:
        """Make the watcher."""
        require_package("wandb", "wandb")
        return Tracker("wandb", _Project(self), views=self.views, artefacts=self.artefacts)


class _Project(Place):
    def __init__(self, settings: WeightsAndBiases) -> None:
        self._settings = settings
        self._runs: dict[str, Any] = {}
        self._ends_service = False

    def begin_run(self, suite: str) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nothing is sent to the makers of wandb
        import wandb

        self._ends_service = wandb.run is None  # else the caller of this process uses it too
        self._project = self._settings.project or file_name(suite)
        folder = Path(self._settings.folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder.absolute()

    def open(self, stage: StageInfo) -> Known:
        is_online = self._settings.mode == "online"
        if not is_online and self._is_written(stage.key):
            return Known(done=True)
        names = names_of(stage)
        run = self._init(
            stage.key[:_KEY], names["title"], {**settings_of(stage), **names}, stage.kind, names.get("arms")
        )
        run.define_metric("epoch", hidden=True)
        run.define_metric(f"{CURVE}*", step_metric="epoch")
        known = Known()  # offline each folder is complete: W&B does not put those of one run together
        if is_online:
            before = dict(run.summary)
            known = Known(
                set(range(int(before.get("epoch", -1)) + 1)), before.get("status") == "done", "views" in before
            )
        if known.done:
            run.finish()
            return known
        self._runs[stage.key] = run
        return known

    def curves(self, stage: StageInfo, numbers: Numbers) -> None:
        self._runs[stage.key].log({**numbers.values, "epoch": numbers.epoch})

    def picture(self, stage: StageInfo, png: bytes) -> None:
        import wandb
        from PIL import Image

        with Image.open(io.BytesIO(png)) as image:
            self._runs[stage.key].log({"views": wandb.Image(image)})

    def files(self, stage: StageInfo, files: list[Path]) -> None:
        import wandb

        artefact = wandb.Artifact(f"{stage.kind}-{stage.key[:_KEY]}", type=stage.kind)
        for file in files:
            artefact.add_file(str(file))
        self._runs[stage.key].log_artifact(artefact)

    def close(self, stage: StageInfo, ending: Ending) -> None:
        run = self._runs[stage.key]
        run.summary.update({**ending.results, **ending.notes, "status": ending.status})
        run.finish(exit_code=0 if ending.status == "done" else 1)
        del self._runs[stage.key]

    def board(self, frame: Any) -> None:
        import wandb

        run = self._init(file_name(f"{BOARD}-{self._project}", most=_LONGEST_ID), BOARD, {}, BOARD, None)
        plain = frame.dropna(axis="columns", how="all").astype(object)
        run.log({BOARD: wandb.Table(dataframe=plain.where(plain.notna(), None))})
        run.finish()

    def end_run(self) -> None:
        import wandb

        while self._runs:
            self._runs.popitem()[1].finish(exit_code=1)
        if self._ends_service:
            wandb.teardown()

    def _init(self, key: str, title: str, config: dict[str, Any], kind: str, group: str | None) -> Any:
        import wandb

        quiet = wandb.Settings(
            silent=True,
            console="off",
            host="hidden",
            save_code=False,
            disable_git=True,  # addresses of repositories may hold tokens
            disable_job_creation=True,
            x_disable_stats=True,
            x_disable_meta=True,  # the command line, the user, the machine
            x_save_requirements=False,
            init_timeout=30,
        )
        return wandb.init(
            project=self._project,
            entity=self._settings.entity,
            dir=str(self._folder),
            id=key,
            name=title,
            group=group[:_LONGEST] if group else None,
            job_type=kind,
            config=config,
            mode=self._settings.mode,
            resume="allow" if self._settings.mode == "online" else None,
            reinit="create_new",
            allow_val_change=True,
            settings=quiet,
        )

    def _is_written(self, key: str) -> bool:
        """Return whether a folder has the results of a stage."""
        return any(
            name_of(item) == "status" and item.value_json == '"done"'
            for file in self._folder.glob(f"wandb/offline-run-*-{key[:_KEY]}/run-*.wandb")
            for record in records(file)
            for item in record.summary.update
        )


_KEY = 32
"""Characters of a key that a run of W&B is called by."""

_LONGEST_ID = 64
"""Characters of what a run of W&B is called by."""

_LONGEST = 128
"""Characters of a group."""
