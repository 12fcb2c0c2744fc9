"""One visitor of the running app, in a real Chromium."""

import re

from playwright.sync_api import BrowserContext, Page, expect

HARMLESS_404 = re.compile(r"_stcore/(health|host-config)")  # Streamlit asks for these under the page's own path too


class Visit:
    """One visitor: a fresh profile, and everything the browser complained of or asked others for."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()
        self.outside: list[str] = []
        self.complaints: list[str] = []
        context.on("request", lambda request: self._asked(request.url))
        self.page.on("console", lambda message: self._said(message.type, f"{message.text} {message.location}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, url: str) -> None:
        if url.startswith(("http", "ws")) and "127.0.0.1" not in url:
            self.outside.append(url)

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and not HARMLESS_404.search(text):
            self.complaints.append(text)

    def open(self, path: str = "/") -> "Visit":
        self.page.goto(self.address + path)
        return self.settle()

    def settle(self) -> "Visit":
        """Wait until everything is computed and drawn."""
        expect(self.page.get_by_text("Take it with you")).to_be_visible(timeout=90_000)
        expect(self.page.get_by_test_id("stProgress")).to_have_count(0, timeout=90_000)
        self.page.wait_for_function("document.querySelector('[data-test-script-state=\"notRunning\"]')", timeout=90_000)
        if "/attention" not in self.page.url:
            expect(self.page.locator(".heatmap .savers")).to_have_count(3, timeout=90_000)  # drawn to the end
            expect(self.page.locator(".graph .savers")).to_have_count(1, timeout=90_000)
        return self

    def type(self, text: str) -> "Visit":
        box = self.page.get_by_role("textbox", name="Text to explain")
        box.fill(text)
        box.press("Control+Enter")
        self.page.wait_for_timeout(300)
        return self.settle()

    def words(self, heatmap: int = 0) -> list[str]:
        return self.page.locator(".heatmap").nth(heatmap).locator(".w").all_text_contents()
