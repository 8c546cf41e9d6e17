"""What becomes of a unit whose job is over with stages left to do: it is submitted again, or one of them has failed.

What counts against a stage is an attempt without progress. An announced preemption is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from medssl_bench_cluster.engine import Cause

MOST = 3
"""How many attempts in a row may get no further."""

Said = Literal["", "end", "stopped", "left"]


@dataclass(frozen=True)
class Ending:
    """How a job ended.

    Attributes:
        said: the last word of the worker: that it is done (``end``), was asked to stop and has saved what it could
            (``stopped``), or found nothing that it could do (``left``); empty: it died.
        spoke: whether it began a stage.
        cause: why, as far as the engine knows.
        why: how it ended, in the engine's words.
        got_further: whether a stage has ended, or saved a checkpoint, since the job was submitted.
        fruitless: how many attempts in a row before this one got no further.
    """

    said: Said = ""
    spoke: bool = True
    cause: Cause = ""
    why: str = ""
    got_further: bool = False
    fruitless: int = 0


@dataclass(frozen=True)
class Verdict:
    """What is to be done.

    Attributes:
        what: submit it ``again``, record that the stage that it was at has ``failed``, note that the unit was
            ``cancelled``, or ``refuse`` to go on, since no worker can begin.
        fruitless: attempts in a row without progress, this one included.
        how: how the worker ended, to go on after "the worker process".
    """

    what: Literal["again", "failed", "cancelled", "refuse"]
    fruitless: int = 0
    how: str = ""


def verdict(ending: Ending) -> Verdict:
    """Return what is to be done about a job that has ended with stages left to do."""
    told = f" ({ending.why})" if ending.why else ""
    if ending.cause == "cancelled" and ending.said in {"", "stopped"}:
        return Verdict("cancelled", how=f"was cancelled{told}")
    fruitless = 0 if ending.got_further else ending.fruitless + (ending.cause != "preempted")
    if not ending.said and ending.cause == "memory":
        return Verdict("failed", how=f"had too little memory{told}: give more with mem_gb")
    if not ending.said and ending.cause == "crash" and ending.spoke:
        return Verdict("failed", how=f"ended{told}")
    if fruitless < MOST:
        return Verdict("again", fruitless)
    if not ending.said and not ending.spoke:
        return Verdict("refuse", how=f"ended{told} {MOST} times before it began a stage")
    if ending.cause == "time" or ending.said == "stopped":
        return Verdict("failed", how=f"was stopped {MOST} times{told} and got no further in between: give more minutes")
    return Verdict("failed", how=f"ended {MOST} times{told} and got no further in between")
