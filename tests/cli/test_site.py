"""`site`: a folder of pages for a web server."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from cli.conftest import Result

from medssl_bench.results.formats.text import plain

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture
def site(ran: Path, cli: Callable[..., Result]) -> Path:
    """The site of two suites of one store, the second of which shows a part of the first."""
    text = ran.read_text("utf-8").replace('name = "tiny"', 'name = "Tiny <two>"')
    ran.with_name("two.toml").write_text(text.replace('labels = [20, "all"]', "labels = [20]"), "utf-8")
    result = cli("site", ran, "two.toml", "--no-figures", "--title", "Our <results>")
    assert result.status == 0, result.err
    assert result.out == "wrote site/index.html\n"
    return Path("site")


def test_each_number_leads_to_the_record_it_is_of(site: Path, cli: Callable[..., Result]) -> None:
    cells = json.loads(cli("leaderboard", "tiny.toml", "--format", "json").out)
    text = (site / "tiny" / "index.html").read_text("utf-8")
    records = {}
    for key, number in re.findall(r'href="\.\./records/([0-9a-f]{64})\.json">([^<]+)<', text):
        records.setdefault(key, set()).add(number)
        assert socket.gethostname() not in (site / "records" / f"{key}.json").read_text("utf-8")
        found = json.loads((site / "records" / f"{key}.json").read_text("utf-8"))
        assert found["key"] == key
        assert any(plain(value) == number for value in found["metrics"].values() if isinstance(value, float))
    assert sum(len(cell["values"]) for cell in cells) == len(re.findall(r"records/", text))
    shown = re.findall(r'<td class="number[^"]*" data-value="([^"]*)">', text)[::3]
    assert [float(value) for value in shown] == pytest.approx([cell["mean"] for cell in cells])


def test_every_link_leads_to_a_file_of_the_site_and_no_name_is_markup(site: Path) -> None:
    pages = [page for page in site.rglob("*.html") if page.name == "index.html"]
    assert {page.parent.name for page in pages} == {"site", "tiny", "tiny-two"}
    for page in pages:
        text = page.read_text("utf-8")
        links = [unescape(link) for link in re.findall(r'href="([^"#]+)"', text)]
        assert links
        assert [link for link in links if not (page.parent / unquote(link)).is_file()] == []
        assert "<two>" not in text
        assert "<results>" not in text
    index = (site / "index.html").read_text("utf-8")
    assert "Our &lt;results&gt;" in index
    assert index.count("One training seed cannot tell a difference from luck") == 2
    assert "epochs selected with all 18 validation labels" in index


def test_what_it_cannot_write(ran: Path, cli: Callable[..., Result]) -> None:
    Path("again.toml").write_bytes(ran.read_bytes())
    Path("taken").write_text("mine")
    for arguments, message in (
        ((ran, "again.toml"), "error: 'tiny' and 'tiny' would be one folder of the site, tiny; rename one\n"),
        ((ran, "--store", "nowhere"), "error: nowhere: it holds no results of 'tiny'; run it first\n"),
        ((), "error: Missing argument 'SUITE...'"),
        ((ran, "-o", "taken"), "taken"),
    ):
        result = cli("site", *arguments, "--no-figures")
        assert result.status == 2
        assert message in result.err
        assert not Path("site/index.html").exists()


def test_the_leaderboard_is_filtered_and_sorted(site: Path, browser: Chrome) -> None:
    from selenium.webdriver.support.ui import Select

    browser.get((site / "tiny" / "index.html").resolve().as_uri())
    assert [entry["message"] for entry in browser.get_log("browser")] == []  # type: ignore[no-untyped-call]

    def column(number: int) -> list[str]:
        rows = browser.find_elements("css selector", "#numbers tbody tr")
        return [row.find_elements("css selector", "td, th")[number].text for row in rows if row.is_displayed()]

    assert set(column(3)) == {"accuracy"}, "the first metric, until another is chosen"
    names = [found.get_attribute("data-name") for found in browser.find_elements("css selector", "#filters select")]
    assert names == ["labels", "metric"], "nothing to choose of one comparison and one data set"
    Select(browser.find_element("css selector", "[data-name=labels]")).select_by_visible_text("20")
    Select(browser.find_element("css selector", "[data-name=metric]")).select_by_visible_text("AUROC")
    assert set(column(2)) == {"20"}
    assert set(column(3)) == {"AUROC"}
    Select(browser.find_element("css selector", "[data-name=labels]")).select_by_visible_text("any")
    for order in (["all", "20"], ["20", "all"]):
        browser.find_elements("css selector", ".sort button")[2].click()
        assert list(dict.fromkeys(column(2))) == order
    Select(browser.find_element("css selector", "[data-name=labels]")).select_by_visible_text("20")
    browser.find_elements("css selector", ".sort button")[5].click()
    means = [float(text.split()[0]) for text in column(5)]
    assert means == sorted(means, reverse=True)
    browser.find_element("id", "filter-arm").send_keys("FROZ")
    assert column(4) == ["frozen"]
    assert browser.find_element("id", "filter-count").text.startswith("1 of ")
