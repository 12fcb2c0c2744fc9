"""One visitor of the running app, in a real Chromium."""

import re

from playwright.sync_api import BrowserContext, Page, Request, expect

from explain.tasks.base import TASKS

FIRST_EXAMPLE = next(iter(TASKS["text_classification"].examples.values()))[0]

PATIENCE = 240_000  # milliseconds: a long review takes one core some ten seconds, and the machine may do other things
HARMLESS_404 = re.compile(r"_stcore/(health|host-config)")  # Streamlit asks for these under the page's own path too


class Visit:
    """One visitor: a page of their own, and everything the browser complained of or asked others for."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()
        self.outside: list[str] = []
        self.complaints: list[str] = []
        context.on("request", self._asked)
        self.page.on("console", lambda message: self._said(message.type, f"{message.text} {message.location}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, request: Request) -> None:
        if request.url.startswith(("http", "ws")) and "127.0.0.1" not in request.url:
            self.outside.append(request.url)

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and not HARMLESS_404.search(text):
            self.complaints.append(text)

    def open(self, path: str = "/") -> "Visit":
        self.page.goto(self.address + path)
        return self.settle()

    def settle(self) -> "Visit":
        """Wait until everything is computed and drawn."""
        expect(self.page.get_by_text("Take it with you")).to_be_visible(timeout=PATIENCE)
        expect(self.page.get_by_test_id("stProgress")).to_have_count(0, timeout=PATIENCE)
        self.page.wait_for_function(
            "document.querySelector('[data-test-script-state=\"notRunning\"]')", timeout=PATIENCE
        )
        if not re.search("/(attention|inside)", self.page.url):
            expect(self.page.locator(".heatmap .savers")).to_have_count(3, timeout=PATIENCE)  # drawn to the end
            expect(self.page.locator(".graph .savers")).to_have_count(1, timeout=PATIENCE)
        return self

    def type(self, text: str) -> "Visit":
        box = self.page.get_by_role("textbox", name="Text to explain")
        box.fill(text)
        box.press("Control+Enter")
        self.page.wait_for_timeout(300)
        return self.settle()

    def leave(self) -> None:
        """Close every page but the profile's first, and undo what was done to the profile; what was cached stays."""
        session = self.context.new_cdp_session(self.page)
        cleared = "cookies,local_storage,indexeddb,service_workers"
        session.send("Storage.clearDataForOrigin", {"origin": self.address, "storageTypes": cleared})
        for page in self.context.pages[1:]:
            page.close()
        self.context.set_offline(False)
        self.context.remove_listener("request", self._asked)

    def words(self, heatmap: int = 0) -> list[str]:
        return self.page.locator(".heatmap").nth(heatmap).locator(".w").all_text_contents()
