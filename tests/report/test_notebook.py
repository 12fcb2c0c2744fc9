"""Every result draws itself in a notebook, without a network, and is text where a viewer removes frames."""

import inspect
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import nh3
import numpy as np
import pytest
from IPython.lib.pretty import PrettyPrinter, pretty
from nbclient import NotebookClient
from playwright.sync_api import Browser, Frame

import explain
from explain import api
from explain.analyses.base import ANALYSES
from explain.core.errors import RecordError
from explain.datatypes import Answer, Displayed, Ranking, Report
from explain.methods.base import METHODS
from explain.report import notebook
from explain.report.comparison import compare
from explain.report.notebook import notebook_html, text_of
from explain.report.record import read
from explain.views.base import VIEWS
from tests.golden import HOSTILE, results, sample_report
from tests.waiting import PATIENCE

CELLS = (
    f"""import explain
from explain.testing import TOY_MODELS

settings = {{"integrated_gradients": {{"steps": 8}}}}
report = explain.explain({HOSTILE!r}, TOY_MODELS["planted"], settings=settings)
report""",
    "report.attribution('integrated_gradients')",
    "explain.show(report.attribution('occlusion'), 'waterfall', height=300)",
    "explain.ask('key_phrases', 'A good zebra film.', TOY_MODELS['planted'])",  # has no view
)


class Frames(HTMLParser):
    """The frames of a page, and whether it has scripts of its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.frames: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "iframe":
            self.frames.append(dict(attributes))


@pytest.fixture(scope="module")
def shown() -> list[dict[str, str]]:
    """What each cell shows, by media type, after a kernel has run them."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    book = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(book, timeout=PATIENCE, kernel_name="python3", startup_timeout=PATIENCE).execute()
    nbformat.validate(book)
    assert not [output for cell in book.cells for output in cell.outputs if output.output_type == "error"]
    return [
        next(output.data for output in cell.outputs if output.output_type == "execute_result") for cell in book.cells
    ]


def test_a_cell_that_ends_with_a_result_shows_its_pictures(shown: list[dict[str, str]]) -> None:
    views = [
        ("probabilities", "token_heatmap", "waterfall", "word_details"),
        ("token_heatmap", "waterfall"),
        ("waterfall",),
    ]
    for data, names in zip(shown, views):
        parsed = Frames(data["text/html"])
        (frame,) = parsed.frames
        assert parsed.tags == {"iframe", "details", "summary", "pre"}  # nothing else enters the notebook's own page
        assert frame["sandbox"] == "allow-scripts allow-downloads" and frame["title"]
        page = frame["srcdoc"] or ""
        assert all(f'data-view="{name}"' in page for name in names)
        assert "default-src 'none'" in page
        assert set(re.findall(r"https?://[^\s\"'<)]+", page)) <= {"http://www.w3.org/2000/svg"}
        assert "<script>alert" not in page and "<script>alert" not in data["text/html"]
    assert "height:300px" in shown[2]["text/html"]
    assert Frames(shown[3]["text/html"]).tags == {"pre"}


def test_a_report_in_a_notebook_names_its_methods(shown: list[dict[str, str]]) -> None:
    page = Frames(shown[0]["text/html"]).frames[0]["srcdoc"] or ""
    for name in ("integrated_gradients", "occlusion", "attention_rollout"):
        assert f"<h2>{METHODS[name].title}</h2>" in page and METHODS[name].limits.split(".")[0] in page


def test_a_viewer_that_removes_frames_shows_text(shown: list[dict[str, str]]) -> None:
    for data in shown:
        clean = nh3.clean(data["text/html"])
        assert "iframe" not in clean and "srcdoc" not in clean and "<script" not in clean
        assert "zebra" in re.sub(r"<[^>]*>", "", clean)
        bare = nh3.clean(data["text/html"], tags=set())  # every tag removed, as in a mail
        assert "zebra" in bare and len(bare) < 5_000
    assert (
        "+4.570  zebra" in nh3.clean(shown[1]["text/html"])
        and "integrated_gradients  [log-odds]" in shown[1]["text/html"]
    )


def test_a_viewer_without_html_shows_the_same_text(shown: list[dict[str, str]]) -> None:
    for data in shown[:2]:
        assert "zebra" in data["text/plain"] and data["text/plain"].splitlines()[0] in data["text/html"]
        assert "array(" not in data["text/plain"] and "--format" not in data["text/plain"]
    assert shown[2]["text/plain"].startswith("occlusion  [log-odds]")


def test_every_result_displays_itself() -> None:
    returned = {analysis.returns for analysis in ANALYSES.values()} | {method.returns for method in METHODS.values()}
    returned |= {
        inspect.signature(function, eval_str=True).return_annotation for function in (api.explain, api.attention)
    }
    returned |= {inspect.signature(api.embed, eval_str=True).return_annotation}
    accepted = {VIEWS[name].accepts for name in VIEWS if VIEWS[name].alone}
    assert not {kind.__name__ for kind in returned | accepted if not issubclass(kind, Displayed)}


@pytest.mark.parametrize("name", VIEWS)
def test_what_a_view_draws_is_drawn_in_a_notebook(name: str) -> None:
    result = results()[name]
    if not VIEWS[name].alone and not isinstance(result, Displayed):
        return  # texts and tokens: parts of results, not results
    page = result._repr_html_()
    assert page == notebook_html(result) and nh3.clean(page)
    assert ("<iframe" in page) == (isinstance(result, Report) or any(view.alone for view in VIEWS.for_result(result)))
    assert pretty(result) == text_of(result)


def test_an_answer_is_shown_as_its_result() -> None:
    _, maps = sample_report()
    answer = Answer("attention", {}, maps)
    assert answer._repr_html_() == maps._repr_html_() and text_of(answer) == text_of(maps)


def test_the_page_of_a_report_holds_its_record(tmp_path: Path) -> None:
    report, _ = sample_report()
    page = tmp_path / "explanation.html"
    page.write_text(explain.show(report).html, encoding="utf-8")
    assert compare(read(page), report).within(0)
    page.write_text("<!doctype html><p>Something else.", encoding="utf-8")
    with pytest.raises(RecordError, match="is a page that holds no record"):
        read(page)


def test_results_without_a_picture_are_text() -> None:
    ranking = Ranking(np.array([2, 0]), np.array([0.5, -0.25]))
    assert ranking._repr_html_().startswith("<pre>Ranking\nmembers: [2., 0.]\ncosines: [ 0.5 , -0.25]")


def test_a_picture_that_is_too_large_is_drawn_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    report, _ = sample_report()
    monkeypatch.setattr(notebook, "MOST_BYTES", 1000)
    page = report._repr_html_()
    assert "<iframe" not in page and "zebra" in page and "explain.show(result) draws it" in page
    assert "<iframe" in explain.show(report)._repr_html_()


def test_a_picture_without_text_and_a_cycle_have_a_name() -> None:
    picture = notebook.Picture("<p>", 10)
    assert pretty(picture) == "Picture" and "<details>" not in picture._repr_html_()
    report, _ = sample_report()
    out = io.StringIO()
    report._repr_pretty_(PrettyPrinter(out), True)
    assert out.getvalue() == "Report"


@pytest.mark.browser
def test_the_frame_draws_inside_its_sandbox(browser: Browser) -> None:
    report, _ = sample_report()
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if "http" in request.url[:5] else None)
    page.set_content(f"<title>notebook</title>{report._repr_html_()}")
    frame: Frame = page.frames[1]
    frame.wait_for_selector(".fall-row")
    assert frame.evaluate("origin") == "null" and not complaints
    frame.click(".fall-word")
    assert frame.locator(".heatmap .w.picked").count() > 0
    page.locator("summary").click()
    assert "zebra" in page.locator("pre").inner_text()
    page.close()
