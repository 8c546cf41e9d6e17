"""Looks into the wheels and sdists of a folder: they have one version, the files that git has, tests and licences."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RELATIVE = re.compile(r"\]\((?![a-z]+:|#)[^)]+\)")


def problems(project: Path, folder: Path, version: str) -> list[str]:
    """Return what is wrong with the wheel and the sdist of a project."""
    about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    name, version = about["name"].replace("-", "_"), about.get("version", version)
    try:
        with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl") as archive:
            wheel = set(archive.namelist())
            licences = [archive.read(file) for file in wheel if file.endswith(".dist-info/licenses/LICENSE")]
            (about_it,) = [archive.read(file).decode() for file in wheel if file.endswith(".dist-info/METADATA")]
        with tarfile.open(folder / f"{name}-{version}.tar.gz") as archive:
            sdist = {member.name.partition("/")[2] for member in archive if member.isfile()}
    except OSError as error:
        return [f"{name} {version}: {error}"]
    tracked = set(subprocess.check_output(["git", "ls-files"], cwd=project, text=True).splitlines())  # noqa: S607
    package = {file for file in tracked if file.startswith(name)}
    shipped = {file for file in wheel if ".dist-info/" not in file}
    wrong = [f"the wheel lacks {file}" for file in sorted(package - shipped)]
    wrong += [f"the wheel has {file}, which git has not" for file in sorted(shipped - package)]
    wrong += [f"the sdist lacks {file}" for file in sorted(tracked - sdist)]
    if licences != [(ROOT / "LICENSE").read_bytes()]:
        wrong.append("the wheel has not the licence of the repository")
    wrong += [f"its description has a link inside the repository: {link}" for link in RELATIVE.findall(about_it)]
    if not any(file.startswith("tests/") for file in sdist):
        wrong.append("the sdist has no tests")
    return [f"{name} {version}: {text}" for text in wrong]


def main() -> None:
    """Check the distributions in the folder that the first argument names."""
    folder = Path(sys.argv[1])
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    projects = [ROOT, *sorted(file.parent for file in ROOT.glob("plugins/*/pyproject.toml"))]
    wrong = [problem for project in projects for problem in problems(project, folder, version)]
    print("\n".join(wrong) or f"{len(projects)} wheels and {len(projects)} sdists of version {version}: all is in them")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
