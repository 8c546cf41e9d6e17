"""Requests to stop: at once, or at the next checkpoint where there is one to come; and handlers are put back."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import pytest

from medssl_bench.stopping import Stopped, at_checkpoints, is_asked, rearm, stoppable


def _ask(number: int = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)
    for _ in range(1000):  # the handler runs between two instructions
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_at_once(number: int, monkeypatch) -> None:
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(Stopped), stoppable():
            _ask(number)
        assert signal.getsignal(number) == signal.SIG_DFL
        assert not is_asked()
    finally:
        signal.signal(number, before)


def test_where_a_checkpoint_is_to_come_it_waits_and_a_second_request_does_not(capfd) -> None:
    with stoppable(), at_checkpoints():
        assert not is_asked()
        _ask()
        assert is_asked()
        assert "stopping at the next step, to save a checkpoint" in capfd.readouterr().err
        with pytest.raises(Stopped):
            _ask()


def test_it_waits_too_where_nobody_can_read_that_it_does(capfd) -> None:
    """As when the terminal is closed, or the reader of a pipe has had the same Ctrl-C."""
    before, (read, write) = os.dup(2), os.pipe()
    os.close(read)
    os.dup2(write, 2)
    try:
        with stoppable(), at_checkpoints():
            _ask()
            assert is_asked()
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(write)


def test_after_the_training_it_waits_no_more() -> None:
    with stoppable():
        with at_checkpoints():
            pass
        with pytest.raises(Stopped):
            _ask()


def test_a_stop_is_a_keyboard_interrupt() -> None:
    """Whatever lets Ctrl-C through lets this through."""
    assert issubclass(Stopped, KeyboardInterrupt)


def test_what_is_ignored_stays_ignored() -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            _ask(signal.SIGHUP)
            assert not is_asked()
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_changed() -> None:
    found: list[Any] = []

    def work() -> None:
        before = signal.getsignal(signal.SIGTERM)
        with stoppable():
            found.append(signal.getsignal(signal.SIGTERM) == before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [True]


def test_handlers_that_a_library_has_replaced_are_put_in_again() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        rearm()
        assert signal.getsignal(signal.SIGTERM) == before, "there is nothing to put in"
        with stoppable():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            rearm()
            with pytest.raises(Stopped):
                _ask()
    finally:
        signal.signal(signal.SIGTERM, before)
