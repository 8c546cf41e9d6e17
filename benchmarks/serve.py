"""The process of one arm: reads how many steps to run, a line each, and answers with the seconds of one."""

from __future__ import annotations

import json
import os
import sys

from benchmarks.arms import make


def main() -> None:
    """Make the arm that the arguments name, and run its blocks until the input ends."""
    name, settings = sys.argv[1], json.loads(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    block = make(name, settings)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(block(int(line)), file=answers, flush=True)


if __name__ == "__main__":
    main()
