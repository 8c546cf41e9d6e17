"""Does what a page tells its reader to do: saves the files, runs the Python and the commands, looks at their output."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
from docs.pages import ROOT, Block, blocks

from medssl_bench.cli.main import main
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.json_schema import json_schema

NOT_RUN = ("cd", "eval", "git", "make", "pip", "python3", "source", ".venv/bin/python", ".venv/bin/medssl-bench")
"""Commands that a page may show and that are not run: they install, or change the shell."""

QUICK = {
    "run": ["--epochs-scale", "0.01", "--seeds", "0", "--draws", "0"],
    "embed": ["--epochs-scale", "0.01"],
    "export": ["--epochs-scale", "0.01"],
    "store export": ["--epochs-scale", "0.01", "--seeds", "0", "--draws", "0"],
}
"""Added to commands on the suites of the repository, which take minutes. A page's own suites run as they are."""

TINY = 'name = "timm"\nmodel = "test_resnet"'

SMALLER = {
    "train = 3000\nval = 300\n": "train = 200\nval = 40\ntest = 40\n",
    "[pretraining.simclr]": f'[encoder.tiny]\n{TINY}\n\n[pretraining.simclr]\nencoder = "tiny"',
    "[[comparison]]\n": '[[comparison]]\nencoder = "tiny"\n',
}
"""What is changed in the quickstart, so that it takes seconds: nothing that its commands print is compared."""

SHORTER = {r"epochs = \d+": "epochs = 2", r'\[encoder\.own\]\nname = "resnet18"': f"[encoder.own]\n{TINY}"}
"""What is changed in a suite that `init` has written, which trains for ten epochs or more: likewise."""


class Reader:
    """A reader of one page, in the working directory.

    Args:
        page: its file; messages begin with it.
        capsys: pytest's, to see what commands print.
        monkeypatch: pytest's, to undo what the reader changes in this process.
    """

    def __init__(self, page: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.page = page
        self.capsys = capsys
        self.monkeypatch = monkeypatch
        self.scope: dict[str, object] = {"__name__": "__main__"}

    def read(self) -> None:
        """Follow the page from its beginning to its end."""
        if (ROOT / "suites").is_dir():
            shutil.copytree(ROOT / "suites", "suites")
            quickstart = Path("suites/quickstart.toml")
            text = quickstart.read_text("utf-8")
            for old, new in SMALLER.items():
                assert old in text
                text = text.replace(old, new)
            quickstart.write_text(text, "utf-8")
        for block in blocks(self.page.read_text("utf-8")):
            self.follow(block)

    def follow(self, block: Block) -> None:
        """Do what one block says."""
        where = f"{self.page.name}:{block.line}"
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text, "utf-8")
        match block.language:
            case "python":
                self._python(block, where)
            case "toml":
                self._toml(block, where)
            case "console":
                self._console(block, where)
            case "sh" | "bash" | "shell":
                pytest.fail(f"{where}: commands stand in console blocks, after '$ ', so that they are run")

    def _python(self, block: Block, where: str) -> None:
        code = compile("\n" * (block.line - 1) + block.text, where, "exec")
        if block.file is None:
            exec(code, self.scope)
        elif "@hookimpl" in block.text and "/" not in block.file:
            load_plugins().add_inline(Path(block.file).resolve())

    def _toml(self, block: Block, where: str) -> None:
        document = tomllib.loads(block.text)
        if block.file and Path(block.file).name == "pyproject.toml":
            return
        if "fragment" in block.marks:
            schema = _without_required(json_schema(load_plugins().registry))
            error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(document))
            assert error is None, f"{where}: {error.json_path}: {error.message}"
            return
        file = Path(block.file or f"suite-{block.line}.toml")
        file.write_text(block.text, "utf-8")
        self.command(f"medssl-bench validate {file}", where)

    def _console(self, block: Block, where: str) -> None:
        shown: dict[str, list[str]] = {}
        command = ""
        for line in block.text.splitlines():
            if line.startswith("$ "):
                command = line[2:]
                shown[command] = []
            else:
                assert command, f"{where}: a console block begins with '$ '"
                shown[command].append(line)
        for command, lines in shown.items():
            printed = self.command(command, where)
            if printed is not None:
                check_output(lines, printed, f"{where}: {command}")

    def command(self, text: str, where: str) -> str | None:
        """Run one command; return what it printed, or None for one whose output is not the page's."""
        words = shlex.split(text)
        while "=" in words[0]:
            self.monkeypatch.setenv(*words.pop(0).split("=", 1))
        if words[:3] == ["pip", "install", "-e"] and words[3].startswith("./"):
            self._install(Path(words[3].partition("[")[0]).resolve())
            return None
        if words[0] in NOT_RUN:
            return None
        assert words[0] == "medssl-bench", f"{where}: {words[0]!r} is not a command that the pages run"
        words, target = _redirection(words)
        of_the_repository = any(word.startswith("suites/") for word in words)
        verb = " ".join(words[1:3]) if words[1] == "store" else words[1]
        quick = QUICK.get(verb, []) if of_the_repository else []
        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "argv", [*words, *quick])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capsys.readouterr()
        assert not ended.value.code, f"{where}: {text}: exit status {ended.value.code}\n{out}{err}"
        if target:
            Path(target).write_text(out, "utf-8")
        if verb == "init":
            suite = Path("suite.toml")
            text = suite.read_text("utf-8")
            for old, new in SHORTER.items():
                text, number = re.subn(old, new, text)
                assert number, f"{where}: {suite} has no {old}"
            suite.write_text(text, "utf-8")
        return None if quick else out + err

    def _install(self, project: Path) -> None:
        """Make a project known as pip's editable installation does, without building it."""
        about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
        info = Path("site").resolve() / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
        (info / "direct_url.json").write_text(json.dumps({"url": project.as_uri(), "dir_info": {"editable": True}}))
        groups = (
            "\n".join([f"[{group}]", *(f"{name} = {target}" for name, target in points.items())])
            for group, points in about["entry-points"].items()
        )
        (info / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
        self.monkeypatch.syspath_prepend(info.parent)
        self.monkeypatch.syspath_prepend(project)


def check_output(shown: list[str], printed: str, where: str) -> None:
    """Check that a command printed the lines that a page shows, in their order, whatever the numbers are."""
    actual = iter([_without_numbers(line) for line in printed.splitlines()])
    for line in shown:
        wanted = _without_numbers(line)
        if wanted and wanted != "...":
            assert wanted in actual, f"{where} does not print {line!r} (any more); it prints\n{printed}"


def _without_numbers(line: str) -> str:
    line = re.sub(r"(?<![\w.])[0-9a-f]{10,64}\b", "KEY", line)
    line = re.sub(r"\d[\d.]* (?:h|min|s)\b(?: \d+ (?:min|s)\b)?", "TIME", line)
    line = re.sub(r"[+−-]?\d+(?:[.,]\d+)*", "#", line)
    return " ".join(line.split())


def _redirection(words: list[str]) -> tuple[list[str], str | None]:
    return (words[: words.index(">")], words[-1]) if ">" in words else (words, None)


def _without_required(schema: object) -> object:
    """Return a JSON Schema by which parts of a document are valid too."""
    if isinstance(schema, dict):
        return {key: _without_required(value) for key, value in schema.items() if key != "required"}
    return [_without_required(item) for item in schema] if isinstance(schema, list) else schema
