"""Whether the encoders that stages need can be had, found out before any of them runs.

Building an encoder takes torch. The process that a user sees has none, unless it is Python that has loaded it: another
one builds them, and it is not started for built-in encoders that are known to fit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.child_process import end_with_parent, how_it_ended, start_child, was_asked_to_stop
from medssl_bench.encoders.known_shapes import known_features
from medssl_bench.errors import Problem, StageError, SuiteError, UserError
from medssl_bench.key_path import key_text
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.spec import SpecWithEncoder
from medssl_bench.plugin.component import Component
from medssl_bench.stopping import Stopped, stop_if_asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from medssl_bench.plan.stage import Stage
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.suite.suite import Suite

_PREPARE = """
if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
"""

_TRIES = 2
"""How many processes may be killed by one encoder: the first may have been by mistake."""

_LAST = 10.0
"""Seconds that a process may take to end when it has said its last word."""

Request = tuple[Component, int]
"""An encoder, and the side of its images in pixels."""


@dataclass(frozen=True)
class Fitting:
    """An encoder that can be had.

    Attributes:
        name: how the suite calls it.
        size: side of its images in pixels.
        features: how many features an image has; 0: not known before its configuration is downloaded.
        notes: what the user should know of it.
    """

    name: str
    size: int
    features: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        number = f"{self.features:,}" if self.features else "not yet known"
        return f"encoder {self.name}: {number} features from {self.size} x {self.size} x 3"


def fitting_encoders(
    suite: Suite, stages: Iterable[Stage], *, fetch: bool, done: Iterable[Stage] = ()
) -> list[Fitting]:
    """Return the encoders that stages build; those of data that has not been seen are left out.

    Args:
        suite: where the stages come from.
        stages: to be checked.
        fetch: whether to download pretrained weights that are not here, once; else a note says that a run does.
        done: finished stages, whose encoders need no proof.

    Raises:
        SuiteError: an encoder cannot be built, takes no images of this size, or its weights cannot be had.
    """
    proved = _needed(done)
    requests = [request for text, request in _needed(stages).items() if text not in proved]
    answers: list[dict[str, Any]] = []
    unknown: list[Request] = []
    for component, size in requests:
        try:
            features = known_features(component, size)
        except StageError as error:
            answers.append({"problem": str(error)})
            continue
        answers.append({"features": features})
        if features is None:
            unknown.append((component, size))
    found = iter(_rehearsed(suite, unknown, fetch=fetch) if unknown else ())
    answers = [next(found) if answer.get("features", 1) is None else answer for answer in answers]
    problems: list[Problem] = []
    fitting: dict[tuple[str, int], Fitting] = {}
    for (component, size), answer in zip(requests, answers, strict=True):
        key = suite.place_of(component)
        if answer.get("problem"):
            message = f"encoder {component.name!r}: {answer['problem']}"
            problems.append(Problem(suite.position(key), key_text(key), message))
        else:
            name = str(key[1]) if key[0] == "encoder" else _name(component)
            known = fitting.get((name, size))  # without trained weights, as a floor
            notes = dict.fromkeys([*(known.notes if known else ()), *answer.get("notes", ())])
            fitting[name, size] = Fitting(name, size, answer["features"], tuple(notes))
    if problems:
        raise SuiteError(dict.fromkeys(problems))
    return list(fitting.values())


def _name(component: Component) -> str:
    model = component.parameters.get("model")
    return f"{component.name} {model}" if isinstance(model, str) else component.name


def _needed(stages: Iterable[Stage]) -> dict[str, Request]:
    """Return the encoders that stages build, each once with each size of images, by what they differ in."""
    found: dict[str, Request] = {}
    for stage in stages:
        # an evaluation of features needs no encoder
        made = not isinstance(stage.spec, EvaluateSpec) or "encoder" in stage.identity
        spec = stage.spec.encoder if made and isinstance(stage.spec, SpecWithEncoder) else None
        if spec and spec.size:
            text = json.dumps([spec.component.to_data(), spec.size], sort_keys=True)
            found.setdefault(text, (spec.component, spec.size))
    return found


def _rehearsed(suite: Suite, requests: Sequence[Request], *, fetch: bool) -> list[dict[str, Any]]:
    if "torch" in sys.modules:
        return list(_answers(suite.plugins.registry, requests, fetch=fetch))
    entries = [entry for named in suite.plugins.registry.entries.values() for entry in named.values()]
    given: dict[str, Any] = {
        "block": sorted(name for name, plugin in suite.plugins.manager.list_name_plugin() if plugin is None),
        "inline": {str(entry.plugin.file.resolve()): entry.plugin.source for entry in entries if entry.plugin.file},
        "requests": [[component.to_data(), size] for component, size in requests],
        "fetch": fetch,
    }
    found: list[dict[str, Any]] = []
    killed = 0
    while len(found) < len(requests):
        answers, status = _ask({**given, "requests": given["requests"][len(found) :]})
        if answers and "refused" in answers[0]:
            raise UserError(answers[0]["refused"])
        found += answers
        if len(found) == len(requests):
            break
        stop_if_asked(soon=True)  # it may have ended because of that
        if was_asked_to_stop(status):  # and this process was not
            raise Stopped
        killed = 1 if answers else killed + 1
        if status != -signal.SIGKILL or killed == _TRIES:
            found.append({"problem": f"the process that builds it {how_it_ended(status)}"})
            killed = 0
    return found


def _ask(given: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Return the answers of a process that builds encoders, which may have ended before the last, and its status."""
    read, write = os.pipe()
    number = len(given["requests"])
    try:
        process = start_child(
            "medssl_bench.session.encoder_check", _PREPARE, [write, os.getpid()], [write], stdin=subprocess.PIPE
        )
    except BaseException:
        os.close(read)
        raise
    finally:
        os.close(write)
    with process, open(read, "rb") as lines:  # noqa: PTH123 - an open file descriptor
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError), process.stdin as to:  # it died before it had read: that is seen below
                to.write(json.dumps(given).encode())
            # not to the end of the pipe, which processes that an encoder has started may hold open
            answers = [json.loads(line) for line in islice(lines, number) if line.endswith(b"\n")]
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LAST)
            process.kill()  # it has said its last word, and something that it has loaded does not end
        except BaseException:
            process.kill()
            raise
    return answers, process.returncode


def _answers(registry: Registry, requests: Sequence[Request], *, fetch: bool) -> Iterator[dict[str, Any]]:
    from medssl_bench.encoders.rehearsal import rehearse

    for component, size in requests:
        yield asdict(rehearse(registry, component, size, fetch=fetch))


def main() -> None:
    """Build the encoders that standard input asks for; write an answer for each, a line of JSON.

    The arguments of the process: the number of the open file descriptor that takes the answers, and the number of the
    process that started this one. When that has ended, as it was killed, this one ends too.
    """
    from medssl_bench.plugin.manager import load_plugins

    os.dup2(2, 1)  # what a plugin prints must not spoil the output of the command
    pipe, parent = map(int, sys.argv[1:3])
    end_with_parent(parent)
    try:
        given = json.load(sys.stdin)
    except ValueError:  # the parent was killed before it had written all of it
        return
    requests = [(Component.from_data(component), size) for component, size in given["requests"]]
    # a broken pipe: the parent has ended
    with suppress(BrokenPipeError), open(pipe, "w", encoding="utf-8") as to:  # noqa: PTH123 - an open file descriptor
        plugins = load_plugins(given["block"])
        try:
            for file, source in given["inline"].items():
                plugins.add_inline(Path(file), source)
        except UserError as error:
            to.write(json.dumps({"refused": str(error)}) + "\n")
            return
        for answer in _answers(plugins.registry, requests, fetch=given["fetch"]):
            to.write(json.dumps(answer) + "\n")
            to.flush()
