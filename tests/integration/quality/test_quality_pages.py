"""The pages in a browser: what a clerk sees on a phone, and a leader on a desk and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quality import nightly
from quality.data_docs.site import build_data_docs
from tests.chromium import Chromium, executable

pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium on this machine")

WIDTHS = (390, 1440)
_DRAWN = """[...document.querySelectorAll('[data-chart]')].map(
    box => box.querySelectorAll('svg path, svg text').length)"""
_SQUEEZED = """[...document.querySelectorAll('td, th')].filter(cell => {
    const style = getComputedStyle(cell), room = cell.clientWidth
        - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return cell.checkVisibility() && /[\\u4e00-\\u9fff]{4}/.test(cell.textContent)
        && room < 3 * parseFloat(style.fontSize) - 1 && cell.clientHeight > 60;
}).map(cell => cell.textContent)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium


@pytest.fixture
def pages(city, catalogue, enterprise, credit, tmp_path: Path) -> dict[str, Path]:
    """A night with work for both departments, sent home."""
    bad = enterprise(unified_code="91371302MA3C000002", _rules="enterprise_kind__required",
                     _columns="enterprise_kind")  # fmt: skip
    city.deliver("market_regulation/enterprise", 1, [enterprise(), bad])
    city.deliver("development_reform/credit_record", 1, [credit(unified_code="91371302MA3C999999")])
    night, outbox = city.night(1), tmp_path / "outbox"
    results = nightly.judge(city.path, catalogue, night)
    nightly.score(city.path, night)
    nightly.order(city.path, night, catalogue)
    nightly.run_campaigns(city.path, catalogue, night)
    home = nightly.send_home(city.path, catalogue, "market_regulation", night, outbox)
    return {
        "department": home.page,
        "bulletin": nightly.publish_bulletin(city.path, catalogue, night, outbox / "big_data"),
        "data_docs": build_data_docs(catalogue.contracts, results, night, tmp_path / "data_docs"),
    }


def test_pages_are_readable_on_a_phone_and_on_a_desk(browser, pages):
    """No sideways scrolling, no column of one character a line, nothing asked of the network."""
    for name, page in pages.items():
        for width in WIDTHS:
            browser.open(page, width)
            where = f"{name} at {width}"
            assert browser.problems == [], where
            assert browser.ask("document.documentElement.scrollWidth") <= width, where
            assert browser.ask(_SQUEEZED) == [], where
            assert browser.ask("/[\\u4e00-\\u9fff]{4}/.test(document.body.innerText)"), where


def test_charts_are_drawn(browser, pages):
    """A chart that failed leaves an empty box, and no error that anyone reads."""
    for name, charts in (("department", 2), ("bulletin", 3)):
        for width in WIDTHS:
            browser.open(pages[name], width)
            drawn = browser.ask(_DRAWN)
            assert len(drawn) == charts
            assert min(drawn) > 5, f"{name} at {width}: {drawn}"


@pytest.mark.parametrize("width", WIDTHS)
def test_paper_holds_the_charts_however_wide_the_screen_was(browser, pages, width):
    """No event tells the width of the paper: a chart drawn for the screen must scale to its box."""
    for name in ("department", "bulletin"):
        browser.open(pages[name], width)
        with browser.as_print(width=703):
            outside = browser.ask("""[...document.querySelectorAll('[data-chart]')].filter(box => {
                const svg = box.querySelector('svg').getBoundingClientRect(),
                    own = box.getBoundingClientRect();
                return svg.right > own.right + 1 || svg.bottom > own.bottom + 1;
            }).length""")
            assert outside == 0, name
        pdf = browser.pdf()
        assert pdf.startswith(b"%PDF")
        assert 1 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 6
