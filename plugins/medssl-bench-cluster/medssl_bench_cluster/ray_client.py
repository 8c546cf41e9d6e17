"""The process that talks to Ray: it reads a question a line, and writes an answer a line, both JSON.

It is one of its own because of what Ray does to the process that it is in: it replaces signal handlers, prints, and
ends it when the head of the cluster is lost.
"""

from __future__ import annotations

import json
import os
import re
import sys
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayError

from medssl_bench_cluster.ray_job import Job

_NAMESPACE = "medssl-bench"
_ANSWER = 1.0
"""Seconds that jobs have to answer; one that has never done so waits for a place."""

_NOISE = re.compile(
    r"The actor died (unexpectedly before|because of an error)|(class_name|actor_id|pid|name|namespace|ip): "
)
"""Lines that say no reason."""

_COLOURS = re.compile(r"\x1b\[\d+m")

Known = tuple[str, str, str]
"""Phase, in whose words it waits or has ended, and the cause."""


class Never(Exception):
    """No node can have what is asked for."""


class Client:
    """The jobs of a cluster; each is an actor, detached, so that it outlives this process, and never restarted by Ray.

    Args:
        address: of the cluster.
    """

    def __init__(self, address: str) -> None:
        ray.init(address=address, namespace=_NAMESPACE, log_to_driver=False, logging_level="ERROR")
        self._actors: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._asks: dict[str, Mapping[str, float]] = {}
        self._running: set[str] = set()
        self._over: dict[str, Known] = {}

    def check(self) -> None:
        """Do nothing: there is an answer."""

    def submit(
        self,
        name: str,
        command: list[str],
        log: str,
        environment: dict[str, str],
        asks: dict[str, float],
        wished_memory: float,
    ) -> str:
        """Have a job placed, and return its handle.

        Args:
            name: the first part of the handle.
            command: program and arguments.
            log: file for its output.
            environment: further variables.
            asks: amounts, by Ray's names.
            wished_memory: bytes to ask for where `asks` has none, or as many as a node has that has the rest.

        Raises:
            Never: no node has what it asks for.
        """
        if not _fits(asks):
            most = {kind: max((node.get(kind, 0.0) for node in _nodes()), default=0.0) for kind in asks}
            raise Never(f"no node has {_words(asks)}; the most that a node has: {_words(most)}")
        if wished_memory:
            there = max((node.get("memory", 0.0) for node in _nodes() if _has(node, asks)), default=0.0)
            asks = {"memory": min(wished_memory, there), **asks}
        named = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
        options = {named[kind]: amount for kind, amount in asks.items() if kind in named}
        others = {kind: amount for kind, amount in asks.items() if kind not in named}
        handle = f"{name}-{uuid.uuid4().hex[:8]}"
        self._actors[handle] = (
            ray.remote(Job)
            .options(name=handle, lifetime="detached", max_restarts=0, max_task_retries=0, resources=others, **options)
            .remote(command, log, environment)
        )
        self._asks[handle] = asks
        return handle

    def states(self, handles: Sequence[str]) -> dict[str, Known]:
        """Return where jobs stand; one that Ray does not know is left out."""
        for handle in handles:
            if handle not in self._over and handle not in self._asked and (actor := self._actor(handle)) is not None:
                self._asked[handle] = actor.status.remote()
        asked = {handle: self._asked[handle] for handle in handles if handle in self._asked}
        if asked:
            ready, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=_ANSWER)
            for handle, question in asked.items():
                if question in ready:
                    self._hear(handle, self._asked.pop(handle))
        return {handle: self._known(handle) for handle in handles if handle in self._actors}

    def _actor(self, handle: str) -> Any:
        if handle not in self._actors:
            try:
                self._actors[handle] = ray.get_actor(handle)
            except ValueError:
                return None
        return self._actors[handle]

    def _hear(self, handle: str, question: Any) -> None:
        try:
            status = ray.get(question)
        except ActorUnavailableError:  # the network has a hitch: it is asked again
            return
        except RayError as error:  # that of an actor, or of a node without memory
            self._over[handle] = ("over", *_why(str(error)))
            return
        self._running.add(handle)
        if status is not None:
            self._over[handle] = ("over", str(status), "status")
            ray.kill(self._actors[handle])  # its place is free

    def _known(self, handle: str) -> Known:
        if handle in self._over:
            return self._over[handle]
        if handle in self._running:
            return ("running", "", "")
        asks = self._asks.get(handle, {})
        return ("queued", "waits for a place" if _fits(asks) else f"no node that is up has {_words(asks)}", "")

    def cancel(self, handles: Sequence[str], *, now: bool) -> None:
        """End jobs: those that wait at once, those that run by SIGTERM, or with `now` by SIGKILL."""
        for handle, (phase, _, _) in self.states(handles).items():
            if phase == "queued" or (now and phase == "running"):
                ray.kill(self._actors[handle])
            elif phase == "running":
                self._actors[handle].stop.remote()


def _nodes() -> list[dict[str, float]]:
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _fits(asks: Mapping[str, float]) -> bool:
    """Return whether one node has what is asked for, when it does nothing else."""
    return any(_has(node, asks) for node in _nodes())


def _has(node: Mapping[str, float], asks: Mapping[str, float]) -> bool:
    return all(node.get(kind, 0.0) >= amount for kind, amount in asks.items())


def _words(amounts: Mapping[str, float]) -> str:
    return ", ".join(
        f"{kind} {amount / 2**30:.3g} GiB" if kind == "memory" else f"{kind} {amount:g}"
        for kind, amount in amounts.items()
    )


def _why(text: str) -> tuple[str, str]:
    """Return why an actor has died, by what Ray says of it, and the cause."""
    lines = [line.strip() for line in _COLOURS.sub("", text).splitlines()]
    said = " ".join(line for line in lines if line and set(line) != {"^"} and not _NOISE.match(line)) or text
    said = said.partition(" Some common causes")[0]
    if "low on memory" in said:
        return said, "memory"
    if "`ray.kill`" in said:
        return said, "cancelled"
    return said, "crash" if "creation task" in text else "lost"


def main() -> None:
    """Answer questions until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what Ray prints is no answer
    client = None
    for line in sys.stdin:
        verb, address, given = json.loads(line)
        try:
            client = client or Client(address)
            answer = {"answer": getattr(client, verb)(**given)}
        except Never as error:
            answer = {"never": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer says it
            answer = {"error": f"{type(error).__name__}: {' '.join(_COLOURS.sub('', str(error)).split())}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
