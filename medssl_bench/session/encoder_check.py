"""Whether the encoders that stages need can be had, and be judged, found out before any of them runs.

Building an encoder takes torch. The process that a user sees has none, unless it is Python that has loaded it: another
one builds them, and it is not started for built-in encoders that are known to fit.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.child_process import how_it_ended, was_asked_to_stop
from medssl_bench.encoders.known_shapes import known_features
from medssl_bench.errors import Problem, StageError, SuiteError
from medssl_bench.key_path import key_text
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.spec import SpecWithEncoder
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.guarded import make
from medssl_bench.session.asked import ask, asked
from medssl_bench.stopping import Stopped, stop_if_asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from medssl_bench.plan.stage import Stage
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.suite.suite import Suite

_TRIES = 2
"""How many processes may be killed by one encoder: the first may have been by mistake."""

Request = tuple[Component, int, Component | None]
"""An encoder, the side of its images in pixels, and an evaluator that tries it."""


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
        SuiteError: an encoder cannot be built, takes no images of this size, its weights cannot be had, or an evaluator
            cannot judge with it.
    """
    registry = suite.plugins.registry
    proved = _needed(registry, done)
    requests = [request for text, request in _needed(registry, stages).items() if text not in proved]
    answers: list[dict[str, Any]] = []
    unknown: list[Request] = []
    for component, size, evaluator in requests:
        try:
            features = None if evaluator else known_features(component, size)
        except StageError as error:
            answers.append({"problem": str(error)})
            continue
        answers.append({"features": features})
        if features is None:
            unknown.append((component, size, evaluator))
    found = iter(_rehearsed(suite, unknown, fetch=fetch) if unknown else ())
    answers = [next(found) if answer.get("features", 1) is None else answer for answer in answers]
    problems: list[Problem] = []
    fitting: dict[tuple[str, int], Fitting] = {}
    for (component, size, evaluator), answer in zip(requests, answers, strict=True):
        key = suite.place_of(component)
        if answer.get("problem"):
            message = f"encoder {component.name!r}: {answer['problem']}"
            if evaluator and answer.get("is_refused"):
                key, message = suite.place_of(evaluator), f"{evaluator.name!r} with {message}"
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


def _needed(registry: Registry, stages: Iterable[Stage]) -> dict[str, Request]:
    """Return the encoders that stages build or try, each once with each size of images, by what they differ in."""
    found: dict[str, Request] = {}
    tried: dict[int, bool] = {}  # by identity: the cells of an arm, thousands perhaps, share one evaluator
    for stage in stages:
        spec = stage.spec.encoder if isinstance(stage.spec, SpecWithEncoder) else None
        evaluator = stage.spec.evaluator if isinstance(stage.spec, EvaluateSpec) else None
        if evaluator and id(evaluator) not in tried:
            tried[id(evaluator)] = make(registry, evaluator).tries_encoder
        tries = tried.get(id(evaluator), False)
        # an evaluation of features needs no encoder
        made = not evaluator or tries or "encoder" in stage.identity
        if made and spec and spec.size:
            request = (spec.component, spec.size, evaluator if tries else None)
            found.setdefault(json.dumps(_data(request), sort_keys=True), request)
    return found


def _data(request: Request) -> list[Any]:
    component, size, evaluator = request
    return [component.to_data(), size, evaluator.to_data() if evaluator else None]


def _rehearsed(suite: Suite, requests: Sequence[Request], *, fetch: bool) -> list[dict[str, Any]]:
    if "torch" in sys.modules:
        return list(_answers(suite.plugins.registry, requests, fetch=fetch))
    given: dict[str, Any] = {"requests": [_data(request) for request in requests], "fetch": fetch}
    found: list[dict[str, Any]] = []
    killed = 0
    while len(found) < len(requests):
        left = given["requests"][len(found) :]
        answers, status = ask(__name__, suite.plugins, {**given, "requests": left}, len(left))
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


def _answers(registry: Registry, requests: Sequence[Request], *, fetch: bool) -> Iterator[dict[str, Any]]:
    from medssl_bench.encoders.rehearsal import rehearse

    for component, size, evaluator in requests:
        yield asdict(rehearse(registry, component, size, evaluator, fetch=fetch))


def main() -> None:
    """Build the encoders that standard input asks for; write an answer for each, a line of JSON."""
    with asked() as (given, plugins, answer):
        requests = [
            (Component.from_data(component), size, Component.from_data(evaluator) if evaluator else None)
            for component, size, evaluator in given["requests"]
        ]
        for found in _answers(plugins.registry, requests, fetch=given["fetch"]):
            answer(found)
