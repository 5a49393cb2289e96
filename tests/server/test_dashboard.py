"""The page at /, in a real browser: every view, by mouse and by keyboard, and nothing stored can act in it.

Screenshots go to the folder that SHAREDCTX_SCREENSHOTS names, where it is set.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is not installed: pip install selenium")

from selenium.webdriver import Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from sharedctx import Store
from sharedctx.evolution import EvolutionStore
from sharedctx_server.testing import Running, running

EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1200,1400"
)
VIEWS = {
    "savings": "Tokens saved",
    "live": "What happens now",
    "entries": "Entries",
    "readers": "Who read what",
    "audit": "Audit",
    "evolutions": "Evolutions",
}
pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None or shutil.which("chromedriver") is None,
    reason="no browser is installed: apt-get install chromium chromium-driver",
)


class Browser:
    """The page as a person sees it."""

    def __init__(self, profile: Path, *flags: str) -> None:
        options = ChromeOptions()
        for flag in (*FLAGS.split(), *flags, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.shots = os.environ.get("SHAREDCTX_SCREENSHOTS")

    def wait(self, words: str) -> str:
        """Wait until the page says these words; returns all that it says."""
        WebDriverWait(self.driver, 30).until(lambda _: words in self.text, f"{words!r} is not in {self.text!r}")
        return self.text

    @property
    def text(self) -> str:
        return str(self.driver.execute_script("return document.body.innerText"))

    def shot(self, name: str) -> None:
        if self.shots:
            Path(self.shots).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(Path(self.shots) / f"{name}.png"))

    def faults(self) -> list[str]:
        """What the browser's console says."""
        return [f"{each['level']} {each['message']}" for each in self.driver.get_log("browser")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.driver.quit()


@pytest.fixture
def page(browser: Browser) -> Iterator[Running]:
    """A server whose session has something to show in every view."""
    with running() as server:
        fill(server.store)
        yield server


def fill(store: Store) -> None:
    ctx = store.session("default")
    ctx.configure(audit=True)
    scout, planner = ctx.bind("scout", face="langgraph"), ctx.bind("planner", face="crewai")
    rows = [{"id": n, "state": "open", "title": f"issue {n} {EVIL}"} for n in range(300)]
    scout.put("findings/issues", rows)
    planner.get("findings/issues")
    planner.put("plan", "first line\nmend the pump\n" + EVIL)
    planner.put("plan", "first line\nmend the valve\n" + EVIL)
    asyncio.run(evolve(store))


async def evolve(store: Store) -> None:
    evolutions = EvolutionStore(store=store)
    await evolutions.create_context("the/target", ["speed"])
    await evolutions.update_phase("analysis")
    await evolutions.store_original_analysis(["a.py"], {"complexity": 12, "coverage": 0.61}, [], [])
    await evolutions.store_improvement_plan([{"id": "t1", "type": "optimize", "priority": "high"}], ["t1"], {})
    await evolutions.store_implementation_log(["a.py"], [{"task": "t1", "what": "a cache"}], [])
    await evolutions.store_current_state(["a.py"], {"complexity": 9, "coverage": 0.83}, [], [])


def test_every_view_can_be_clicked_through(browser: Browser, page: Running) -> None:
    driver = browser.driver
    driver.get(page.url)
    browser.wait("Tokens saved")
    for name, heading in VIEWS.items():
        driver.find_element("css selector", f'nav a[href="#/{name}"]').click()
        browser.wait(heading)
        browser.shot(name)
        assert driver.find_element("css selector", "nav a[aria-current]").text == name.title()
    assert "100%" not in browser.text
    driver.find_element("link text", "Entries").click()
    browser.wait("findings/issues")
    driver.find_element("link text", "plan").click()
    text = browser.wait("What changed from v1 to v2")
    assert "mend the valve" in text
    assert "+mend the valve" in text
    browser.shot("entry")
    slider: Any = driver.find_element("id", "version")
    slider.send_keys(Keys.ARROW_LEFT)
    browser.wait("v1 by planner")
    assert "mend the pump" in browser.wait("What a model reads")
    driver.find_element("link text", "Evolutions").click()
    browser.wait("the/target")
    driver.find_element("css selector", "td a").click()
    text = browser.wait("Before, plan and after")
    browser.shot("evolution")
    assert "complexity" in text
    assert "-3" in text
    assert "0.22\n" in text, "a measurement without the noise of binary fractions"
    driver.find_element("link text", "Audit").click()
    assert "holds" in browser.wait("The chain of")
    assert driver.title != "owned"
    assert browser.faults() == []


def test_what_was_removed_says_so(browser: Browser, page: Running) -> None:
    ctx = page.store.session("default")
    ctx.put("gone", "a value", agent="planner")
    ctx.delete("gone")
    driver = browser.driver
    driver.get(f"{page.url}/#/entry?key=gone")
    browser.wait("This version took the value away")
    driver.find_element("id", "version").send_keys(Keys.ARROW_LEFT)
    assert "v1 by planner" in browser.wait("a value"), "the value comes after what is known of it"
    driver.find_element("link text", "All entries").click()
    browser.wait("findings/issues")
    assert browser.faults() == []


def test_a_version_that_went_meanwhile_is_told(browser: Browser, page: Running) -> None:
    browser.driver.get(f"{page.url}/#/entry?key=plan")
    browser.wait("mend the valve")
    page.store.session("default").erase("plan")
    browser.driver.find_element("id", "version").send_keys(Keys.ARROW_LEFT)
    browser.wait("v1 by planner")
    browser.wait("there is no version 1 of 'plan'")
    browser.faults()  # the refusal is told there


def test_writes_of_others_appear_as_they_are_committed(browser: Browser, page: Running) -> None:
    browser.driver.get(f"{page.url}/#/live")
    browser.wait("Now at revision")
    page.store.session("default").put(f"news {EVIL}", "x", agent="somebody")
    text = browser.wait("somebody")
    assert "news <img" in text
    assert browser.driver.title != "owned"
    browser.shot("live-after-a-write")


def test_writes_are_shown_that_came_before_the_stream_answered(browser: Browser, page: Running) -> None:
    """The first answer to the stream is to wait a little, as a flood gets."""
    busy = """
        const ask = window.fetch;
        window.fetch = async (address, options) => {
            if (window.held || !String(address).startsWith("/api/events")) return ask(address, options);
            window.held = true;
            return new Response('{"error": "wait a little"}', { status: 429 });
        };
    """
    added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": busy})
    try:
        browser.driver.get("about:blank")
        browser.driver.get(f"{page.url}/#/live")
        browser.wait("reconnecting in 1 s")
        page.store.session("default").put("early", "x", agent="somebody")
        browser.wait("somebody")
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_it_can_be_used_by_keyboard(browser: Browser, page: Running) -> None:
    driver = browser.driver
    driver.get(page.url)
    browser.wait("Tokens saved")
    for _ in range(5):  # skip link, name, Savings, Live, Entries
        driver.switch_to.active_element.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.text == "Entries"
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.wait("findings/issues")
    assert driver.switch_to.active_element.get_attribute("id") == "main"


def test_another_session_can_be_chosen(browser: Browser, page: Running) -> None:
    page.store.session("second").put("only/here", "text")
    driver = browser.driver
    driver.get(f"{page.url}/#/entries")
    driver.refresh()
    browser.wait("findings/issues")
    driver.find_element("css selector", "#session option[value=second]").click()
    assert "findings/issues" not in browser.wait("only/here")


def test_a_server_with_tokens_asks_for_one(browser: Browser, tmp_path: Path) -> None:
    token = "a token of words for tests"
    with running(token=token) as server:
        server.store.session("default").put("secret/plan", "text")
        driver = browser.driver
        driver.get(f"{server.url}/#/entries")
        browser.wait("asks for a token")
        for wrong in ("wrong", "päste… of something else"):
            driver.find_element("name", "token").send_keys(wrong, Keys.ENTER)
            browser.wait("does not accept this token")
        driver.find_element("name", "token").send_keys(token, Keys.ENTER)
        browser.wait("secret/plan")
        browser.shot("entries-with-a-token")
        assert token not in driver.current_url
        browser.faults()  # the refusals are told there


def test_the_dark_page_is_dark(page: Running, browser: Browser) -> None:
    features = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    try:
        browser.driver.get(page.url)
        browser.wait("Tokens saved")
        browser.shot("savings-dark")
        colour = browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(20, 24, 29)"
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
