"""The commit of the working directory, as git gives it, and without running any file of the folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from medssl_bench.stages.repository import commit_of

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def _git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=x", "-c", "user.email=x@y", "-c", "protocol.file.allow=always"]
    return subprocess.run(
        ["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def _repository(folder: Path) -> Path:
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    for name in ("one", "two"):
        (folder / name).write_text(name)
        _git(folder, "add", name)
        _git(folder, "commit", "-q", "-m", name)
    return folder


@needs_git
def test_it_is_what_git_says(tmp_path: Path) -> None:
    folder = _repository(tmp_path / "plain")
    (folder / "deep" / "er").mkdir(parents=True)
    packed = _repository(tmp_path / "packed")
    _git(packed, "pack-refs", "--all")
    detached = _repository(tmp_path / "detached")
    _git(detached, "checkout", "-q", "HEAD~1")
    branch = _repository(tmp_path / "branch")
    _git(branch, "checkout", "-q", "-b", "feature/what-ever_1.0")
    _git(packed, "worktree", "add", "-q", "-b", "beside", str(tmp_path / "worktree"))
    _git(branch, "submodule", "--quiet", "add", str(packed), "inner")
    both = _repository(tmp_path / "both")
    _git(both, "pack-refs", "--all")
    _git(both, "commit", "-q", "--allow-empty", "-m", "newer than the packed one")
    for place in (
        folder,
        folder / "deep" / "er",
        packed,
        detached,
        branch,
        tmp_path / "worktree",
        branch / "inner",
        both,
    ):
        assert commit_of(place) == _git(place, "rev-parse", "HEAD"), place
    _git(folder, "checkout", "-q", "--orphan", "unborn")
    assert commit_of(folder) is None
    assert commit_of(Path("/")) is None


@needs_git
@pytest.mark.parametrize("trap", ["core.fsmonitor", "bare", "filter"])
def test_what_a_folder_configures_is_not_run(trap: str, tmp_path: Path) -> None:
    """Three ways of a folder to make `git status` run a program; each does so with git itself."""
    marker = tmp_path / "it-ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    script.chmod(0o755)
    folder = _repository(tmp_path / "study")
    if trap == "core.fsmonitor":
        _git(folder, "config", "core.fsmonitor", str(script))
    elif trap == "filter":
        (folder / ".gitattributes").write_text("* filter=x\n")
        _git(folder, "config", "filter.x.clean", str(script))
        (folder / "one").write_text("changed")
    else:  # an embedded bare repository survives a clone
        _git(folder, "init", "-q", "--bare", "suite")
        folder = folder / "suite"
        lines = ["[core]", "repositoryformatversion = 0", "bare = false", "worktree = work", f"fsmonitor = {script}"]
        (folder / "config").write_text("\n".join(lines))
        (folder / "work").mkdir()
        (folder / "work" / "file").touch()
        _git(
            folder, "update-index", "--add", "--cacheinfo", f"100644,{_git(folder, 'hash-object', '-w', 'config')},file"
        )
        marker.unlink(missing_ok=True)
    commit_of(folder)
    assert not marker.exists()
    subprocess.run(["git", "status", "--porcelain"], cwd=folder, check=False, capture_output=True)
    assert marker.exists(), "the trap is one"


def _made(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("DOT", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize(
    ("head", "reference", "found"),
    [
        (COMMIT, "", COMMIT),
        (f"{COMMIT}\n", "", COMMIT),
        ("ref: refs/heads/main\n", f"{COMMIT}\n", COMMIT),
        ("ref: refs/heads/main\n", "ref: refs/heads/main\n", None),  # in a circle
        ("ref: refs/heads/../../../secret\n", "", None),
        ("ref: /etc/passwd\n", "", None),
        ("ref: refs/heads/main\n", "root:x:0:0", None),
        ("ref: refs/heads/gone\n", "", None),
        ("\x00\xff", "", None),
        ("", "", None),
        ("x" * 2**17, "", None),
    ],
)
def test_what_is_in_the_files(head: str, reference: str, found: str | None, tmp_path: Path) -> None:
    _made(tmp_path, DOTgit__HEAD=head, DOTgit__refs__heads__main=reference, secret=COMMIT)
    assert commit_of(tmp_path) == found


def test_what_is_no_plain_file(tmp_path: Path) -> None:
    _made(tmp_path, DOTgit__config="", secret=COMMIT)
    head = tmp_path / ".git" / "HEAD"
    os.mkfifo(head)
    assert commit_of(tmp_path) is None
    for place in (tmp_path / "secret", Path("/dev/zero"), Path("/")):
        head.unlink()
        head.symlink_to(place)
        assert commit_of(tmp_path) is None
    (tmp_path / "file").mkdir()
    for text in ("gitdir: /nowhere", "gitdir:", "x" * 2**17, "gitdir: ../file\n"):
        (tmp_path / "file" / ".git").write_text(text)
        assert commit_of(tmp_path / "file") is None
