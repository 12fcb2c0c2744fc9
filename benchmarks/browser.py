"""Waiting times of a visitor in a headless Chromium: seconds, medians over fresh visits to a warm server."""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

from explain.core.installation import site_folder
from tests import chromium

VISITS = 9

# Whether the waterfall shows the piece "isn" of the first example's "isn't".
SHOWS_PIECES = """(wanted) => {
  const roots = [...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter(Boolean);
  const words = roots.flatMap((root) => [...root.querySelectorAll('.fall .fall-word')]);
  return words.length > 0 && words.some((word) => word.textContent === 'isn') === wanted;
}"""


LONG = "A slow, sad and dull film, yet I was glad to see it. " * 60  # more than 512 pieces
# Views of the page attention, what they draw, and seconds after which it counts as never.
VIEWS = {
    "graph": ".graph text.token",
    "overview": ".heads .tile",
    "matrix": ".matrix canvas",
    "layers": ".readings canvas",
}
# Makes window.drawn(): the first drawing of a kind on the page; and window.longest: the longest the tab stood still.
WATCH = """(selector) => {
  window.drawn = () => [document, ...[...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter(Boolean)]
    .map((root) => root.querySelector(selector)).find(Boolean);
  window.before = window.drawn();
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
  }).observe({ type: 'longtask' });
}"""


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """Start the app as its command does, yield its address, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "explain", "serve", "--port", str(port)],
        cwd=site_folder(),
        env={**os.environ, "HF_HUB_OFFLINE": "1", "EXPLAIN_HISTORY": "off"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def main() -> None:
    """Start a server, visit it, and print waiting times."""
    began = time.perf_counter()
    with running_server() as url:
        wait_for(f"{url}/_stcore/health")
        print(f"server up after {time.perf_counter() - began:.1f} s", end=", ")
        wait_for(f"{url}/ready")
        print(f"model warm after {time.perf_counter() - began:.1f} s")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
            _print_times([_visit(browser, url) for _ in range(VISITS + 1)][1:])  # the first visit warms the browser
            print("512 pieces on the page attention, from Ctrl + Enter to the picture:")
            _print_times([_attention_times(browser, url, visit) for visit in range(VISITS + 1)][1:])


def _print_times(visits: list[dict[str, float]]) -> None:
    for name in visits[0]:
        seconds = [visit[name] for visit in visits]
        print(f"  {name:28} median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s")


def wait_for(url: str) -> None:
    """Wait until an address answers."""
    while True:
        try:
            with urllib.request.urlopen(url):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)


def _visit(browser: Browser, url: str) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    seconds = {}
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(".hero").wait_for()
    seconds["first content (text)"] = time.perf_counter() - began
    page.locator(".hero .w").first.wait_for()
    seconds["first heatmap"] = time.perf_counter() - began
    page.locator(".graph .edge").first.wait_for(state="attached")
    seconds["everything"] = time.perf_counter() - began
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
    seconds["first paint (browser's own)"] = paint
    began = time.perf_counter()
    page.reload(wait_until="commit")
    page.locator(".hero").wait_for()
    seconds["reload to text"] = time.perf_counter() - began
    page.locator(".hero .w").first.wait_for()
    seconds["reload to heatmap"] = time.perf_counter() - began
    page.locator(".graph .edge").first.wait_for(state="attached")
    page.wait_for_timeout(1000)
    page.get_by_text("Settings", exact=True).first.click()
    for label, pieces in (("pieces", True), ("words", False)):
        began = time.perf_counter()
        page.get_by_role("radio", name=label).or_(page.get_by_role("button", name=label, exact=True)).first.click()
        page.wait_for_function(SHOWS_PIECES, arg=pieces, polling=10)
        seconds[f"cached rerun ({label})"] = time.perf_counter() - began
    context.close()
    return seconds


def _attention_times(browser: Browser, url: str, visit: int) -> dict[str, float]:
    """Visit every view of attention with a new text of 512 pieces; return waiting times."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    seconds = {}
    for number, (view, selector) in enumerate(VIEWS.items()):
        page.goto(f"{url}/attention?view={view}")
        page.locator(selector).first.wait_for(state="attached")
        page.wait_for_timeout(1000)
        page.evaluate(WATCH, selector)
        box = page.get_by_role("textbox", name="Text to explain")
        box.fill(f"{visit}.{number}: {LONG}")
        began = time.perf_counter()
        box.press("Control+Enter")
        page.wait_for_function("window.drawn() && window.drawn() !== window.before", polling=10)
        seconds[view] = time.perf_counter() - began
        page.wait_for_timeout(1000)
        seconds[f"{view}: longest standstill"] = page.evaluate("window.longest") / 1000
    context.close()
    return seconds
