from pathlib import Path

import pytest

from medssl_bench import errors
from medssl_bench.errors import Position, Problem, SuiteError, UserError, did_you_mean, printable


def test_a_problem_is_one_line_with_file_line_key_and_message() -> None:
    position = Position(Path("suites/a.toml"), 12)
    assert (
        str(Problem(position, "arm[1].name", "must not be empty")) == "suites/a.toml:12: arm[1].name: must not be empty"
    )
    assert str(Problem(position, "", "not UTF-8")) == "suites/a.toml:12: not UTF-8"
    assert str(Problem(None, "", "a.toml: no such file")) == "a.toml: no such file"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("é 日本 [red] <b>", "é 日本 [red] <b>"),
        ("a\nb\x85c\u2028d", "a\\nb\\x85c\\u2028d"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\u202eb", "a\\u202eb"),
        ("\udcff", "\\udcff"),
        ("x" * 9999, "x" * 1500 + "..."),
    ],
)
def test_what_a_terminal_would_not_show_as_it_is_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert str(Problem(None, text, "")) == shown


def test_a_suites_error_carries_every_problem() -> None:
    problems = [Problem(None, name, "wrong") for name in ("a", "b")]
    error = SuiteError(iter(problems))
    assert error.problems == tuple(problems)
    assert str(error) == "a: wrong\nb: wrong"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("epoch", " (did you mean 'epochs'?)"),
        ("Epochs", " (did you mean 'epochs'?)"),
        ("epo", " (did you mean 'epochs'?)"),
        ("BATCH", " (did you mean 'batch_size'?)"),
        ("batchsize", " (did you mean 'batch_size'?)"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_did_you_mean(word: str, hint: str) -> None:
    assert did_you_mean(word, ["epochs", "batch_size", "lr"]) == hint
    assert did_you_mean(word, []) == ""


def test_what_users_can_put_right_is_told_apart_from_what_a_stage_cannot_do() -> None:
    for error in (errors.SuiteError, errors.PluginError, errors.DataError, errors.StoreError):
        assert issubclass(error, UserError)
    assert not issubclass(errors.StageError, UserError)
