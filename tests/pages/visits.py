"""One visitor of the running app, in a real Chromium."""

import re
from collections.abc import Callable

from google.protobuf.message import DecodeError
from playwright.sync_api import BrowserContext, Locator, Page, Request, WebSocket, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from explain.tasks.base import TASKS
from tests.waiting import PATIENCE

FIRST_EXAMPLE = next(iter(TASKS["text_classification"].examples.values()))[0]

LOOK_AGAIN = 20  # milliseconds
HARMLESS_404 = re.compile(r"_stcore/(health|host-config)")  # Streamlit asks for these under the page's own path too

UNDRAWN = '[data-testid^="stBidiComponent"]:not(:has(.view > *))'  # a view whose script has not drawn yet
# Resolves when the browser has drawn all that it was sent: when it was idle twice. While something moves on a page,
# a browser on a busy machine may never be idle; then this waits for its turn after the tasks before it.
CAUGHT_UP = """() => new Promise((done) => {
  const idle = (next) => requestIdleCallback(next, { timeout: 10_000 });
  idle(() => idle(() => done()));
})"""


class Runs:
    """Runs of the app for one page: how many the page requested, and whether the last one is over.

    Read from the messages between page and server, since the page looks idle until the server answers.
    """

    def __init__(self, page: Page) -> None:
        self.requested = self.answered = 0
        self.running = False
        page.on("websocket", self._connect)

    @property
    def over(self) -> bool:
        return 0 < self.requested == self.answered and not self.running

    def _connect(self, socket: WebSocket) -> None:
        self.answered, self.running = self.requested, False  # nobody answers what an earlier connection requested
        socket.on("framesent", self._read_request)
        socket.on("framereceived", self._read_answer)

    def _read_request(self, frame: bytes | str) -> None:
        try:
            message = BackMsg.FromString(frame) if isinstance(frame, bytes) else BackMsg()
        except DecodeError:
            return  # half a character: the server can't read it either
        if message.WhichOneof("type") == "rerun_script" and not message.rerun_script.is_auto_rerun:
            self.requested += 1  # the server drops automatic ones of what is no longer on the page

    def _read_answer(self, frame: bytes | str) -> None:
        kind = ForwardMsg.FromString(frame).WhichOneof("type") if isinstance(frame, bytes) else None
        if kind == "new_session":
            self.running, self.answered = True, self.requested
        elif kind == "script_finished":
            self.running = False


class Visit:
    """One visitor: a page of their own, and everything the browser complained of or asked others for."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        context.set_default_timeout(1000 * PATIENCE)
        self.page: Page = context.new_page()
        self.runs = Runs(self.page)
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
        self._wait_for_results()
        expect(self.page.get_by_test_id("stProgress")).to_have_count(0)
        self.wait_until(lambda: self.runs.over)
        self.page.evaluate(CAUGHT_UP)
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)
        expect(self.page.locator(UNDRAWN)).to_have_count(0)
        self.page.evaluate(CAUGHT_UP)
        return self

    def _wait_for_results(self) -> None:
        """Wait for the end of the page, as long as the computation goes on; start it where a link asks for much."""
        progress = self.page.get_by_test_id("stProgress")
        end, start = (
            self.page.get_by_text("Export", exact=True).first,
            self.page.get_by_role("button", name="Start", exact=True),
        )
        before: list[str] = []
        while True:
            try:
                expect(end.or_(start)).to_be_visible()
                if start.count():
                    start.click()
                return expect(end).to_be_visible()
            except AssertionError:
                if (now := progress.all_text_contents()) == before:
                    raise
                before = now

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that this process can tell, while the page goes on.

        Raises:
            AssertionError: the condition does not hold within `PATIENCE`.
        """
        for _ in range(1000 * PATIENCE // LOOK_AGAIN):
            if condition():
                return
            self.page.wait_for_timeout(LOOK_AGAIN)
        raise AssertionError("the app is still running")

    def after_run(self, act: Callable[[], None]) -> "Visit":
        """Act, and wait until the app has run because of that and everything is drawn."""
        requested = self.runs.requested
        act()
        self.wait_until(lambda: self.runs.requested > requested and self.runs.over)
        self.page.evaluate(CAUGHT_UP)  # until then it shows what it showed before
        return self.settle()

    def type(self, text: str) -> "Visit":
        box = self.page.get_by_role("textbox", name="Text to explain")
        box.fill(text)
        return self.after_run(lambda: box.press("Control+Enter"))

    def leave(self) -> None:
        """Close every page but the profile's first, and undo what was done to the profile; what was cached stays."""
        session = self.context.new_cdp_session(self.page)
        cleared = "cookies,local_storage,indexeddb,service_workers"
        session.send("Storage.clearDataForOrigin", {"origin": self.address, "storageTypes": cleared})
        for page in self.context.pages[1:]:
            page.close()
        self.context.set_offline(False)
        self.context.remove_listener("request", self._asked)

    @property
    def words(self) -> Locator:
        """The words of the head of the page."""
        return self.page.locator(".hero .w")

    def open_menu(self, name: str) -> Locator:
        """Open a menu of the top bar: "model", "settings" or "export"; return what it holds."""
        self.settle()  # what is drawn anew while its button is clicked would be lost
        menu = self.page.locator(f".st-key-{name}_menu")
        menu.locator("summary").first.click()
        expect(menu.get_by_test_id("stExpanderDetails").first).to_be_visible()
        return menu

    def close_menu(self) -> None:
        """Close the menu that is open."""
        self.page.keyboard.press("Escape")
        expect(self.page.locator('[class*="_menu"] details[open]')).to_have_count(0)

    def open_graph(self) -> None:
        """Open the attention graph of the page of words."""
        self.page.get_by_text("Attention, layer by layer").click()
        expect(self.page.locator(".graph svg")).to_be_visible()
        self.settle()  # a graph drawn anew, or pushed down by what comes above, would lose the mouse
