"""`report`: what it writes, and the page in a real browser."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli.conftest import SUITE, Result, arrays_of, write_squares
from cli.test_start_up import HEAVY, WATCHED

from medssl_bench import run

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

EVIL = "<img src=x onerror=alert(1)>"
REPORTED = (
    SUITE.replace('analyses = ["silhouette"]', 'analyses = ["silhouette", { name = "embedding", perplexities = [5] }]')
    .replace('title = "Squares"', f'title = "Squares {EVIL}"')
    .replace(
        'path = "squares.npz"', f'path = "squares.npz"\nclasses = ["dark", "</script>", "{EVIL}"]\nlicence = "CC0"'
    )
)

FEW = ("--only", "frozen", "--draws", "0")
"""What leaves out figures that are like others."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite and the store of its run."""
    folder = tmp_path_factory.mktemp("report")
    write_squares(folder / "squares.npz")
    (folder / "tiny.toml").write_text(REPORTED, "utf-8")
    assert not run(folder / "tiny.toml", store=folder / "store").failed
    return folder


@pytest.fixture
def here(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(lab)
    return lab


@pytest.fixture(scope="module")
def page(lab: Path) -> Path:
    from medssl_bench import make_report

    return make_report(lab / "tiny.toml", lab / "whole", store=lab / "store").page


def test_a_folder_has_page_tables_and_figures(cli: Callable[..., Result], here: Path, page: Path) -> None:
    result = cli("report", "tiny.toml", *FEW, "-o", "out", "--formats", "png,svg,pdf")
    assert result.status == 0, result.err
    assert "tiny: 2 of 2 results" in result.out
    assert "wrote out/report.html" in result.out
    told = "epochs selected with all 18 validation labels"
    for folder in ("out", page.parent):
        for file in ("report.html", "tables/leaderboard.md", "tables/leaderboard.tex", "figures/captions.txt"):
            assert told in (here / folder / file).read_text("utf-8").replace("Epochs", "epochs"), file
    files = {str(file.relative_to(here / "out")) for file in (here / "out").rglob("*") if file.is_file()}
    assert {f"tables/leaderboard.{ending}" for ending in ("md", "csv", "json", "tex")} <= files
    stems = {Path(file).stem for file in files if file.startswith("figures/") and file.endswith(".png")}
    assert stems
    for stem in stems:
        assert {f"figures/{stem}.svg", f"figures/{stem}.pdf"} <= files
    captions = (here / "out" / "figures" / "captions.txt").read_text("utf-8")
    assert all(f"{stem}:" in captions for stem in stems)
    with (page.parent / "tables" / "leaderboard.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == sum(map(len, _values(cli)))


@pytest.mark.slow
def test_figures_are_png_unless_more_is_asked_for(cli: Callable[..., Result], here: Path, tmp_path: Path) -> None:
    def endings() -> set[str]:
        return {file.suffix for file in (tmp_path / "figures").iterdir()}

    first = cli("report", "tiny.toml", *FEW, "-o", tmp_path)
    assert first.status == 0, first.err
    assert endings() == {".png", ".txt"}
    assert "data:image/png" in (tmp_path / "report.html").read_text("utf-8")
    assert cli("report", "tiny.toml", *FEW, "-o", tmp_path, "--formats", "svg, pdf").status == 0
    assert endings() == {".png", ".svg", ".pdf", ".txt"}
    assert "data:image/svg+xml" in (tmp_path / "report.html").read_text("utf-8")
    again = cli("report", "tiny.toml", *FEW, "-o", tmp_path)
    assert f"note: {tmp_path}/figures has figures of an earlier report as svg, pdf, left as they were" in again.err


def test_the_page_has_a_picture_where_pdf_alone_is_asked_for(
    cli: Callable[..., Result], here: Path, tmp_path: Path
) -> None:
    assert cli("report", "tiny.toml", *FEW, "-o", tmp_path / "page.html", "--formats", "pdf").status == 0
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    assert "data:image/png" in (tmp_path / "page.html").read_text("utf-8")


def test_a_format_that_is_not_there(cli: Callable[..., Result], here: Path) -> None:
    result = cli("report", "tiny.toml", "-o", "none", "--formats", "png,gif")
    assert result.status == 2
    assert result.err == "error: --formats: 'gif' is no format of figures; give some of png, svg, pdf\n"
    assert not (here / "none").exists()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot keep a process to one processor")
def test_a_second_report_imports_nothing_that_computes(lab: Path, tmp_path: Path) -> None:
    """The first one makes what no stage kept, here maps of another perplexity and pictures of views."""
    shutil.copytree(lab, tmp_path / "lab", ignore=shutil.ignore_patterns("whole", "out"))
    alone = "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"  # so it draws all itself
    code = alone + WATCHED.replace("sys.argv.pop()", repr(",".join(HEAVY)))
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", code, "report", "tiny.toml", "-o", "out"]
    loaded, pictures = [], []
    for _ in range(2):
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path / "lab", env=environment
        )
        assert done.returncode == 0, done.stderr
        loaded.append(done.stderr.splitlines()[-1].split()[1:])
        pictures.append({file.name: file.read_bytes() for file in (tmp_path / "lab" / "out" / "figures").iterdir()})
    assert {"torch", "sklearn"} <= set(loaded[0])
    assert set(loaded[1]) <= {"scipy"}, "its special functions, for intervals"
    assert pictures[0] == pictures[1]
    assert "augmentation-nat-squares.png" in pictures[1]


def _values(cli: Callable[..., Result]) -> list[list[object]]:
    return [cell["values"] for cell in json.loads(cli("leaderboard", "tiny.toml", "--format", "json").out)]


def test_the_page_alone(cli: Callable[..., Result], here: Path, tmp_path: Path) -> None:
    result = cli("report", "tiny.toml", "--no-figures", "-o", tmp_path / "deep" / "page.html")
    assert result.status == 0, result.err
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["page.html"]


def test_the_page_loads_nothing_and_no_text_of_a_suite_is_markup(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    assert "http" not in re.sub(r"data:image/[^\"]*", "", text).replace("http-equiv", "")
    assert EVIL not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert text.count("</script>") == 2
    assert "default-src 'none'" in text


def test_only_the_number_of_a_best_cell_is_bold() -> None:
    """A verdict stands beside the number, and is no part of what is best."""
    style = files("medssl_bench.report.page").joinpath("page.css").read_text("utf-8")
    plain = re.findall(r"^(.*) { font-weight: 400;", style, re.MULTILINE)
    assert ".spread, .missing, .line, .verdict" in plain


def test_what_it_cannot_write_or_has_nothing_to_write_of(cli: Callable[..., Result], here: Path) -> None:
    (here / "taken").write_text("mine", "utf-8")
    for arguments, message in (
        (("-o", "taken"), "error: -o taken: this is a file; give a folder, or NAME.html for the page alone"),
        (("--store", "nowhere"), "error: nowhere: it holds no results of 'tiny'; run it first"),
        (("-o", "taken/page.html"), "error: -o taken/page.html: this cannot be written: "),
    ):
        result = cli("report", "tiny.toml", "--no-figures", *arguments)
        assert result.status == 2
        assert message in result.err
    assert (here / "taken").read_text("utf-8") == "mine"


def test_a_store_is_enough_where_the_data_are_gone(cli: Callable[..., Result], lab: Path, tmp_path: Path) -> None:
    for name in ("tiny.toml", "store"):
        copy = shutil.copytree if (lab / name).is_dir() else shutil.copy
        copy(lab / name, tmp_path / name)
    result = cli("report", tmp_path / "tiny.toml", *FEW, "--store", tmp_path / "store", "-o", tmp_path / "out")
    assert result.status == 0, result.err
    assert "tiny: 2 of 2 results" in result.out


@pytest.mark.filterwarnings("always::medssl_bench.errors.DamageWarning")
def test_an_altered_result_is_set_aside_and_missing_in_the_report(
    cli: Callable[..., Result], lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(lab / "store", tmp_path / "store")
    monkeypatch.chdir(lab)
    file = min((tmp_path / "store").glob("done/*/*/predictions.npz"))
    content = bytearray(file.read_bytes())
    content[-30] ^= 1
    file.write_bytes(content)
    options = ["-o", str(tmp_path / "out"), "--store", str(tmp_path / "store"), "--no-figures"]
    result = cli("report", "tiny.toml", *options)
    assert result.status == 0, result.err
    assert "the SHA-256 of predictions.npz is not that of its record; it is set aside in" in result.err
    assert "tiny: 9 of 10 results" in result.out


def test_where_only_scaled_results_are_they_are_reported_as_such(
    cli: Callable[..., Result], here: Path, tmp_path: Path
) -> None:
    store = tmp_path / "scaled"
    assert not run("tiny.toml", store=store, epochs_scale=0.5, only=["frozen"]).failed
    result = cli("report", "tiny.toml", "--store", store, "--no-figures", "-o", tmp_path / "page.html")
    assert result.status == 0, result.err
    assert "note: only results with --epochs-scale 0.5 are in" in result.err
    assert "SCALED: epochs x 0.5, not comparable with a full run" in (tmp_path / "page.html").read_text("utf-8")


def test_the_script_expects_no_element_that_the_page_lacks(page: Path) -> None:
    """Without a browser: one that is left out of a page must be looked for with that in mind."""
    text = page.read_text("utf-8")
    script = (files("medssl_bench.report.page") / "page.js").read_text("utf-8")
    for name, wanted in re.findall(r'(\w+) = document\.getElementById\("([\w-]+)"\)', script):
        used = re.search(rf"^  {name}(\?)?\.", script, re.MULTILINE)
        assert f'id="{wanted}"' in text or (used and used[1]), f"{wanted} is not on a page without a reference"


@pytest.fixture
def opened(browser: Chrome, page: Path) -> Chrome:
    from selenium.webdriver.support.ui import WebDriverWait

    browser.set_window_size(1200, 900)
    browser.get("about:blank")  # going to where one is already may return before the page is there
    browser.get(page.as_uri())
    there = "return location.href === arguments[0] && document.readyState === 'complete'"
    WebDriverWait(browser, 60).until(lambda found: found.execute_script(there, page.as_uri()))
    return browser


def test_no_script_fails_and_none_is_smuggled_in(opened: Chrome) -> None:
    assert opened.title == "tiny: medssl-bench report"
    assert [entry["message"] for entry in opened.get_log("browser")] == []  # type: ignore[no-untyped-call]
    assert not opened.find_elements("css selector", "img[src=x]")


def test_a_column_is_sorted_by_value_both_ways_and_back(opened: Chrome) -> None:
    table = opened.find_element("css selector", "#tables table.grid")

    def column() -> list[float]:
        cells = table.find_elements("css selector", "tbody tr td:nth-of-type(1)")
        return [float(cell.get_attribute("data-value") or "nan") for cell in cells]

    before = column()
    button = table.find_elements("css selector", ".sort button")[1]
    for expected, state in ((sorted(before, reverse=True), "descending"), (sorted(before), "ascending")):
        button.click()
        assert column() == expected
        assert table.find_element("css selector", f"[aria-sort={state}]")
    button.click()
    assert column() == before


def test_pointing_at_a_dot_shows_the_image_its_label_and_the_prediction(opened: Chrome, lab: Path) -> None:
    from selenium.webdriver import ActionChains

    canvas = opened.find_element("id", "explorer-canvas")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", canvas)  # type: ignore[no-untyped-call]
    x, y = opened.execute_script(_PLACE_OF_FIRST_DOT)  # type: ignore[no-untyped-call]
    size = canvas.size
    ActionChains(opened).move_to_element_with_offset(canvas, x - size["width"] / 2, y - size["height"] / 2).perform()
    said = opened.find_element("id", "explorer-said").text
    number = re.search(r"test image (\d+)", said)
    assert number, said
    image = int(number[1])
    labels = arrays_of(lab / "squares.npz")["test_labels"][:, 0]
    assert f"label: {['dark', '</script>', EVIL][labels[image]]}" in said
    assert re.search(r"prediction: .+, \d+ %", said)
    assert ("right" in said) != ("wrong" in said)
    shown = opened.execute_script(  # type: ignore[no-untyped-call]
        "const drawn = document.getElementById('explorer-image').getContext('2d');"
        "return [...drawn.getImageData(84, 84, 1, 1).data]"
    )
    assert abs(shown[0] - int(arrays_of(lab / "squares.npz")["test_images"][image, 14, 14])) <= 1


_PLACE_OF_FIRST_DOT = """
const data = JSON.parse(document.getElementById('explorer-data').textContent);
const map = data.maps[0], points = Object.values(map.projections)[0];
const canvas = document.getElementById('explorer-canvas');
const scale = Math.min(canvas.clientWidth, canvas.clientHeight) - 32;
return [(canvas.clientWidth - scale) / 2 + points[0] / 65535 * scale,
        canvas.clientHeight - (canvas.clientHeight - scale) / 2 - points[1] / 65535 * scale];
"""


def test_the_explorer_by_keyboard_with_filters_and_choices(opened: Chrome) -> None:
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    canvas = opened.find_element("id", "explorer-canvas")
    said = opened.find_element("id", "explorer-said")
    about = opened.find_element("id", "explorer-about")
    canvas.send_keys(Keys.ARROW_RIGHT)
    first = said.text
    assert first.startswith("test image")
    seen = {first}
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.ARROW_DOWN):
        canvas.send_keys(key)
        seen.add(said.text)
    assert len(seen) > 1
    canvas.send_keys(Keys.ESCAPE)
    assert said.text == "No image is pointed at."

    assert about.text.startswith("30 of 30 test images")
    assert "licence of the images: CC0" in about.text
    assert "silhouette in 2 components" in about.text
    opened.find_element("css selector", "#explorer-classes input").click()
    assert about.text.startswith("20 of 30 test images")
    opened.find_element("id", "explorer-none").click()
    assert about.text.startswith("0 of 30 test images")
    opened.find_element("id", "explorer-all").click()
    assert about.text.startswith("30 of 30 test images")

    maps = Select(opened.find_element("id", "explorer-map"))
    assert [option.text for option in maps.options] == ["PCA", "t-SNE, perplexity 5"]
    maps.select_by_visible_text("t-SNE, perplexity 5")
    encoders = Select(opened.find_element("id", "explorer-encoder"))
    names = [option.text for option in encoders.options]
    trained = {f"supervised, {labels} labels, seed 0, draw 0" for labels in ("20", "all")}
    assert {*trained, "frozen, seed 0"} <= set(names)
    encoders.select_by_visible_text("frozen, seed 0")
    assert Select(opened.find_element("id", "explorer-map")).first_selected_option.text == "t-SNE, perplexity 5"
    assert "predictions: frozen, 20 labels" in about.text


def test_a_figure_is_enlarged_by_a_click_and_by_keyboard_and_can_be_downloaded(opened: Chrome) -> None:
    from selenium.webdriver.common.keys import Keys

    button = opened.find_element("css selector", "#answer .enlarge")
    enlarged = opened.find_element("id", "enlarged")
    for act in (button.click, lambda: button.send_keys(Keys.ENTER)):
        opened.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)  # type: ignore[no-untyped-call]
        act()
        assert enlarged.is_displayed()
        small, large = (found.find_element("tag name", "img") for found in (button, enlarged))
        assert large.get_attribute("src") == small.get_attribute("src")
        assert large.size["width"] > small.size["width"]
        file = enlarged.find_element("tag name", "a")
        assert file.get_attribute("download") == "table-forest-accuracy.png"
        assert (file.get_attribute("href") or "").startswith("data:image/png;base64,")
        enlarged.send_keys(Keys.ESCAPE)
        assert not enlarged.is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_colour_schemes(opened: Chrome, scheme: str) -> None:
    """Contrast of 4.5 to 1 at least, as of WCAG 2.1, of what stands on the paper."""
    opened.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )  # type: ignore[no-untyped-call]

    def luminance(property_: str, css: str) -> float:
        code = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        parts = re.findall(r"\d+", opened.execute_script(code, css, property_))[:3]  # type: ignore[no-untyped-call]
        linear = [(v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4) for v in (int(p) / 255 for p in parts)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    paper = luminance("backgroundColor", "nav")
    assert (paper < 0.1) == (scheme == "dark")
    for css in ("body", "nav a", ".lead", ".note", ".mark", ".verdict, .spread"):
        light, dark = sorted((paper, luminance("color", css)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, css


@pytest.mark.parametrize("width", [500, 1300, 1600])
def test_it_fits_a_phone_and_a_screen(opened: Chrome, width: int) -> None:
    opened.set_window_size(width, 800)
    wide = opened.execute_script(  # type: ignore[no-untyped-call]
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    inside = opened.find_element("css selector", "nav a[href='#provenance']")
    assert inside.is_displayed()


def test_it_fits_paper_with_all_that_is_folded_but_the_stages(opened: Chrome) -> None:
    opened.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 687, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    )  # 182 mm, what the margins leave of A4
    closed = opened.execute_script(
        "return [...document.querySelectorAll('details:not([open])')].map((e) => e.className)"
    )
    wide = opened.execute_script(
        "return [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > 688)"
        ".map((e) => e.outerHTML.slice(0, 80))"
    )
    opened.execute_script("window.dispatchEvent(new Event('afterprint'))")
    again = opened.execute_script("return document.querySelectorAll('details[open]').length")
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert closed == ["reference"]
    assert wide == []
    assert again == 0


def test_everything_can_be_reached_by_keyboard_and_has_a_name(opened: Chrome) -> None:
    unnamed = opened.execute_script(  # type: ignore[no-untyped-call]
        "return [...document.querySelectorAll('button, select, input, canvas[tabindex], a')].filter((item) => "
        "!(item.textContent.trim() || item.getAttribute('aria-label') || item.labels?.length || "
        "item.querySelector('img[alt]'))).length"
    )
    assert unnamed == 0
    assert opened.execute_script("return document.querySelectorAll('img:not([alt])').length") == 0  # type: ignore[no-untyped-call]
