"""The notebook of the documentation, executed from the top: progress, tables and figures are what a reader sees."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from docs.pages import DOCS
from nbclient import NotebookClient
from PIL import Image
from test_markup import Reader
from traitlets.config import Config

NOTEBOOK = DOCS / "tutorial" / "notebook.ipynb"


EVERY_STATE = """\
from medssl_bench.progress import notebook
notebook._OFTEN = 0.0  # else what a fast machine draws between two events is chance"""

INTERRUPTED = """\
import os, signal
from medssl_bench import hookimpl

class Interrupts:
    @hookimpl
    def medssl_epoch_ends(self):
        os.kill(os.getpid(), signal.SIGINT)  # as the button of a notebook does

suite.plugins.manager.register(Interrupts())
run(suite, seeds=[7])"""


class Recorder(NotebookClient):
    """Executes a notebook, and keeps each state of each output that is drawn again, by its display id."""

    drawn: dict[str, list[str]]

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        content = msg["content"]
        if msg["msg_type"] in {"display_data", "update_display_data"}:
            self.drawn.setdefault(content["transient"]["display_id"], []).append(content["data"]["text/html"])
        return super().process_message(msg, cell, cell_index)


def _cells() -> list[Any]:
    return nbformat.read(NOTEBOOK, as_version=4).cells


def test_it_is_kept_without_outputs_and_its_links_lead_somewhere() -> None:
    cells = _cells()
    assert all(not cell.outputs and cell.execution_count is None for cell in cells if cell.cell_type == "code")
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)#]+)", text)
    assert len(links) > 3
    assert [link for link in links if not (NOTEBOOK.parent / link).is_file()] == []


@pytest.mark.slow
def test_it_runs_and_shows_progress_tables_and_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # sockets of the kernel are files here, so that it needs no network
    monkeypatch.setenv("MEDSSL_BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # no settings of who runs the tests
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(EVERY_STATE))
    for code in ("board.plot('pie')", INTERRUPTED):
        cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["raises-exception"]})
        notebook.cells.append(cell)
    client = Recorder(notebook, timeout=600, kernel_name="python3", config=Config(KernelManager={"transport": "ipc"}))
    client.drawn = {}
    client.execute()

    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    (refused,), (_, stopped) = outputs[-2:]
    assert refused.traceback == ["UserError: kind: there is no 'pie'; known here: 'differences', 'labels', 'values'"]
    assert stopped.traceback == ["stopped; what is done is kept: run the same cell again to go on"]
    outputs = outputs[1:-2]
    suite, plan, ran, differences, labels, frame, page = outputs
    assert all(output.output_type in {"display_data", "execute_result"} for each in outputs for output in each)

    assert Reader(suite[0].data["text/html"]).of("td")[-4:] == ["SimCLR + probe", "simclr", "small", "logistic"]
    assert "0 done, 25 to run" in plan[0].data["text/html"]

    progress, result = ran
    states, of_stopped = client.drawn.values()
    assert re.search(r"<b>in a notebook: \d done in \d.* s</b>", of_stopped[-1])
    assert progress.data["text/html"] == states[-1], "the output was drawn again, and no other one was made"
    assert f"<b>{progress.data['text/plain']}</b>" in states[-1]
    assert re.fullmatch(r"in a notebook: 25 done in \d.* s", progress.data["text/plain"])
    bars = [re.findall(r'<progress value="(\d+)" max="(\d+)">', state) for state in states[:-1]]
    ended = [int(found[0][0]) for found in bars]
    assert {found[0][1] for found in bars} == {"25"}
    assert (ended[0], ended[-1], ended) == (0, 25, sorted(ended))
    assert any(len(found) > 1 for found in bars), "a stage at work has a bar of its own"
    empty = [state.count(">–<") for state in states[:-1]]
    assert (empty[0], empty[-1]) == (8, 0), "the table fills in"

    table = Reader(result.data["text/html"])
    assert table.of("p")[:1] == ["25 done, 0 done before"]
    assert "in a notebook: Few labels — generated data" in table.of("b")[0]
    assert "19 of 19 results" in table.of("p")
    assert table.of("th")[:3] == ["arm \\ labels", "40", "all"]
    assert set(table.of("span")) & {"better", "worse", "cannot tell"}
    assert "text/plain" in result.data

    for (figure,) in (differences, labels):
        image = Image.open(io.BytesIO(base64.b64decode(figure.data["image/png"])))
        assert min(image.size) > 200
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 20, "something is drawn"
    assert "<td>" in frame[0].data["text/html"]
    assert (tmp_path / "report" / "report.html").is_file(), page[0].data["text/plain"]
    assert '"name = \\"in a notebook\\"' not in (tmp_path / "few-labels.toml").read_text("utf-8")
