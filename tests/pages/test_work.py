"""Work on the pages by AppTest: what starts by itself, what is refused, and what is shown while others compute."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit import runtime
from streamlit.testing.v1 import AppTest

from explain.core.errors import ExplainError
from explain.run import engine
from explain.run.jobs import Cache, Job, Jobs
from explain.run.plan import Plan, TextItem, methods_from
from explain.run.results import Results
from explain.tasks.base import TASKS
from explain.text.phrases import PhraseSettings
from pages.shared import hero, session, work
from pages.shared.work import LINK_PASSES
from tests.pages.test_explain_text import ROOT, drawn, errors, run
from tests.pages.visits import FIRST_EXAMPLE
from tests.run.test_jobs import Gate
from tests.waiting import PATIENCE, wait_for

VISITOR = "test session id"  # AppTest calls every visit so
OTHER = "another visit"
FEW_LIKED_IT = "A film that few of the people who went to see it in its first week liked."
MUCH = {"methods": "shapley_values", "shapley_values.budget": "5000", "text": FEW_LIKED_IT}


class WatchedJobs(Jobs):
    """A queue that remembers what was submitted about one text, and holds back what a link may not start."""

    def __init__(self, **options: Any) -> None:
        super().__init__(workers=1, **options)
        self.costs: list[int] = []
        self.gate = threading.Event()

    def submit(self, key: Any, work: Any, cost: int, *arguments: Any, **options: Any) -> Job:
        if not (isinstance(key, tuple) and isinstance(key[1].item, TextItem)):
            return super().submit(key, work, cost, *arguments, **options)
        self.costs.append(cost)

        def held(meter: Any) -> Iterator[Any]:
            while not self.gate.wait(0.01) and not meter.cancelled:
                pass
            yield from work(meter)

        return super().submit(key, held if cost > LINK_PASSES else work, cost, *arguments, **options)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedJobs]:
    """The queue of the pages, made for one test, with results that only this test has computed."""
    queue, results = WatchedJobs(), Cache()
    monkeypatch.setattr(session, "jobs", lambda: queue)
    monkeypatch.setattr(session, "cache", lambda: results)
    yield queue
    submitted = queue._all()
    for job in submitted:
        job.meter.cancel()
    queue.gate.set()
    assert all(job.wait(PATIENCE) for job in submitted)


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which label was drawn in each run."""
    shown: list[str] = []
    draw = hero.draw

    def watch(boxes: hero.Boxes, results: Results, *arguments: Any) -> None:
        if results.observed:
            shown.append(results.prediction.label)
        draw(boxes, results, *arguments)

    monkeypatch.setattr(hero, "draw", watch)
    return shown


@pytest.fixture
def visit() -> Callable[..., AppTest]:
    """Open a page by a link, and run it once."""

    def open_page(page: str = "navigation", **link: Any) -> AppTest:
        app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=PATIENCE)
        app.query_params.update(link)
        return app.run()

    return open_page


def asks(app: AppTest) -> bool:
    assert not app.exception
    return any(button.key == "start" for button in app.button)


def offer(app: AppTest) -> str:
    return next(one.value for one in app.markdown if one.value.startswith("This link"))


def test_a_link_that_asks_for_much_shows_the_prediction_and_a_button(
    jobs: WatchedJobs, labels: list[str], visit: Callable[..., AppTest]
) -> None:
    app = visit(**MUCH)
    wait_for(lambda: bool(labels) or bool(app.run() and labels))
    app.run()
    assert asks(app) and "This link asks for up to 5," in offer(app) and not app.error
    assert "Key phrases" in drawn(app) and "Export" not in drawn(app)
    assert set(jobs.costs) == {1}
    app.button(key="start").click().run()
    assert not asks(app) and jobs.costs[-1] > 5000 and any(button.key == "stop" for button in app.button)


def test_the_offer_says_how_long_it_takes(
    jobs: WatchedJobs, monkeypatch: pytest.MonkeyPatch, visit: Callable[..., AppTest]
) -> None:
    durations = {3: ", a few seconds.", 40: ", about 40 s.", 170: ", about 3 min.", 3600 * 61: ", about 61 h."}
    for seconds, words in {None: "passes.", **durations}.items():
        monkeypatch.setattr(jobs, "seconds", lambda positions, seconds=seconds: seconds)
        assert offer(visit(**MUCH)).endswith(words)


@pytest.mark.parametrize("change", ["text", "setting"])
def test_what_a_visitor_changes_starts_by_itself(change: str, jobs: WatchedJobs, visit: Callable[..., AppTest]) -> None:
    app = visit(**MUCH)
    assert asks(app)
    app.button_group(key="show").set_value("pieces").run()
    assert asks(app)  # of the same passes
    if change == "text":
        app.session_state["text"] = FEW_LIKED_IT.replace("liked", "hated")
        app.run()
    else:
        app.number_input(key="shapley_values.budget").set_value(4000).run()
    assert not asks(app) and jobs.costs[-1] > LINK_PASSES


def test_a_test_that_a_visitor_switches_on_starts_by_itself(jobs: WatchedJobs, visit: Callable[..., AppTest]) -> None:
    app = visit("faithfulness")
    assert not asks(app)
    app.toggle(key="test").set_value(True).run()
    assert not asks(app) and jobs.costs[-1] > LINK_PASSES
    assert asks(visit("faithfulness", test="true"))


@pytest.mark.parametrize(
    "link",
    [
        {},
        {"example": "long review"},  # 985 passes at most, but shipped
        {"model": "similarity"},  # the same, 2,930
        {"text": "A film that few people liked. " * 6, "target": "positive"},
    ],
)
def test_ordinary_links_start_by_themselves(
    link: dict[str, str], jobs: WatchedJobs, visit: Callable[..., AppTest]
) -> None:
    app = visit(**link)
    assert not asks(app) and not app.error and max(jobs.costs) > 100


def test_a_shipped_example_with_more_than_usual_does_not(jobs: WatchedJobs, visit: Callable[..., AppTest]) -> None:
    assert asks(visit(example="long review", methods=["occlusion", "lime"]))


def test_rows_in_a_link_do_not_start_their_comparison(
    jobs: WatchedJobs,
    visit: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
    tiny_folder_of: Callable[..., Path],
) -> None:
    """The page runs several times by itself before it can compare."""
    monkeypatch.setattr("streamlit.page_link", lambda *_, **__: None)  # to a page that is not there
    monkeypatch.setenv("EXPLAIN_MODELS", f"tiny={tiny_folder_of('bert', '')}")
    with monkeypatch.context() as patient:
        patient.setattr(work, "AT_ONCE_SECONDS", PATIENCE)
        app = visit("embeddings/page", encoder="tiny", one="1", other="5")
    assert not app.error and asks(app) and max(jobs.costs) <= LINK_PASSES
    app.number_input(key="other").set_value(3).run()
    assert not asks(app) and max(jobs.costs) > LINK_PASSES


def test_more_passes_than_a_server_allows_are_refused(
    jobs: WatchedJobs, labels: list[str], monkeypatch: pytest.MonkeyPatch, visit: Callable[..., AppTest]
) -> None:
    monkeypatch.setenv("EXPLAIN_MAX_PASSES", "200")
    app = visit()
    wait_for(lambda: bool(labels) or bool(app.run() and labels))
    app.run()
    assert "up to 238 passes, and this server allows 200." in errors(app).replace("\\", "")
    assert not asks(app) and set(jobs.costs) == {1} and "Export" not in drawn(app)
    assert not app.get("skeleton") and any(caption.value == "Not computed." for caption in app.caption)
    fewer = app.button(key="fewer")
    assert fewer.label == "Only Attention rollout and Occlusion"
    fewer.click()
    run(app)
    assert not app.error and "Export" in drawn(app) and jobs.costs[-1] <= 200
    monkeypatch.setenv("EXPLAIN_MAX_PASSES", "20")  # no method is cheap enough, with the key phrases
    app.session_state["text"] = FEW_LIKED_IT
    app.run()
    assert "allows 20. Choose fewer methods or tests" in errors(app).replace("\\", "")
    assert not any(button.key == "fewer" for button in app.button)


def test_more_texts_than_a_server_allows_are_refused(
    jobs: WatchedJobs, monkeypatch: pytest.MonkeyPatch, visit: Callable[..., AppTest], tiny_folder_of: Any
) -> None:
    monkeypatch.setenv("EXPLAIN_MODELS", f"tiny={tiny_folder_of('bert', '')}")
    monkeypatch.setenv("EXPLAIN_MAX_PASSES", "9")
    app = visit("embeddings/page", encoder="tiny")
    assert "up to 24 passes, and this server allows 9" in errors(app).replace("\\", "") and jobs.costs == []


@pytest.mark.parametrize(
    ("address", "variable", "most"),
    [("127.0.0.1", "", None), ("0.0.0.0", "", session.MOST_PASSES), ("0.0.0.0", "70", 70), ("127.0.0.1", "70", 70)],
)
def test_passes_are_bounded_where_strangers_can_come(
    address: str, variable: str, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.shared.session.st.get_option", lambda name: address)
    monkeypatch.setenv("EXPLAIN_MAX_PASSES", variable)
    assert session.most_passes() == most
    monkeypatch.setenv("EXPLAIN_MAX_PASSES", "many")
    with pytest.raises(ExplainError, match="EXPLAIN_MAX_PASSES is 'many'"):
        session.most_passes()


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1"])
def test_a_third_job_is_refused_where_strangers_can_come(
    address: str, monkeypatch: pytest.MonkeyPatch, visit: Callable[..., AppTest]
) -> None:
    with monkeypatch.context() as listening:
        listening.setattr("pages.shared.session.st.get_option", lambda name: address)
        queue = session.jobs.__wrapped__()
    monkeypatch.setattr(session, "jobs", lambda: queue)
    gates = [Gate(), Gate()]
    for gate in gates:
        queue.submit(gate, gate, 10, VISITOR, replace=False)
    app = visit(model="entities")  # asks for the entities before its own job replaces the others
    assert ("2 jobs of yours wait or run already" in errors(app)) == (address == "0.0.0.0")
    for gate in gates:
        gate.open.set()


def test_the_prediction_is_shown_while_others_compute(
    jobs: WatchedJobs, labels: list[str], visit: Callable[..., AppTest]
) -> None:
    gate = Gate()
    jobs.submit("long", gate, 10, OTHER)
    assert gate.entered.wait(PATIENCE)
    app = visit(text="A film that hardly anybody has seen.")
    wait_for(lambda: bool(app.run() and labels))
    app.run()
    assert "Key phrases" in drawn(app) and "Export" not in drawn(app)
    assert jobs.position(app.session_state["job"]) == 1 and not gate.open.is_set()
    gate.open.set()
    run(app)
    assert "Export" in drawn(app)


def test_what_is_known_is_shown_while_the_rest_waits_for_others(
    jobs: WatchedJobs, monkeypatch: pytest.MonkeyPatch, visit: Callable[..., AppTest]
) -> None:
    shown: list[int] = []
    draw = hero.draw
    monkeypatch.setattr(
        hero,
        "draw",
        lambda boxes, results, *more: shown.append(len(results.attributions)) or draw(boxes, results, *more),
    )
    text = "A film that nobody has seen, or wants to."
    run(visit(text=text, methods="occlusion", phrases="0"))
    gate = Gate()
    jobs.submit("long", gate, 10, OTHER)
    assert gate.entered.wait(PATIENCE)
    shown.clear()
    app = visit(text=text, methods=["occlusion", "decompx"], phrases="0")
    wait_for(lambda: bool(app.run() and shown))
    assert max(shown) == 1 and not gate.open.is_set(), "the scores that are known, and not those of the other method"
    gate.open.set()
    run(app)
    assert max(shown) == 2


def test_a_new_question_replaces_the_old_one_on_another_page_too(
    jobs: WatchedJobs, visit: Callable[..., AppTest]
) -> None:
    app = visit()
    app.switch_page("faithfulness.py").run()
    app.toggle(key="test").set_value(True).run()
    tested = app.session_state["job"]
    assert not tested.finished
    app.switch_page("explain_text.py").run()
    assert tested.meter.cancelled and not app.error


def test_work_that_was_given_up_while_the_visitor_was_away_begins_again(
    jobs: WatchedJobs, visit: Callable[..., AppTest]
) -> None:
    app = visit(**MUCH)
    app.button(key="start").click().run()
    given_up = app.session_state["job"]
    wait_for(lambda: given_up.state == "running")
    jobs.leave(given_up, VISITOR)
    jobs.gate.set()
    assert given_up.wait(PATIENCE) and given_up.state == "cancelled"
    app.run()
    assert not app.warning and app.session_state["job"] is not given_up


def test_the_connection_says_who_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = SimpleNamespace(is_active_session={"here"}.__contains__)
    assert session.is_connected("nobody knows, as no server runs")
    monkeypatch.setattr(runtime, "get_instance", lambda: sessions)
    assert session.is_connected("here") and not session.is_connected("gone")
    with monkeypatch.context() as listening:
        listening.setattr("pages.shared.session.st.get_option", lambda name: "0.0.0.0")
        assert session.jobs.__wrapped__()._present is session.is_connected


def test_the_server_warms_up_by_a_job_of_nobody(jobs: WatchedJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    text = next(iter(TASKS["text_classification"].examples.values()))[0]
    submitted: list[Job] = []
    submit = jobs.submit
    monkeypatch.setattr(jobs, "submit", lambda *a, **options: submitted.append(submit(*a, **options)) or submitted[-1])
    work.warm_up()
    (job,) = submitted
    assert job.state == "done" and job.visitors == [None] and job.key[1].text.text == text
    monkeypatch.setattr("explain.methods.occlusion.Occlusion.run", lambda *a, **options: 1 / 0)
    monkeypatch.setattr(session, "cache", Cache)
    with pytest.raises(ZeroDivisionError):
        work.warm_up()


def test_progress_names_the_part_that_is_computed_and_the_time_at_most(
    jobs: WatchedJobs, monkeypatch: pytest.MonkeyPatch, visit: Callable[..., AppTest]
) -> None:
    app = visit(**MUCH)
    wait_for(lambda: any(button.key == "start" for button in app.run().button))
    app.button(key="start").click().run()
    job, results = app.session_state["job"], Results(app.session_state["job"].key[1], {})
    computing = work.Work(job.key[1], session.model("sentiment"))
    assert computing.computed_next(results) == "Prediction" and not work.time_left(job, results)
    known = computing.known()[0]
    assert computing.computed_next(known) == "Shapley values"
    paces = {None: "", 40.0: " up to about 40 s left", 0.1: " up to about 1 s left"}
    for seconds, words in paces.items():
        monkeypatch.setattr(jobs, "seconds", lambda positions, seconds=seconds: seconds)
        assert work.time_left(job, known) == words
    positions: list[int] = []
    monkeypatch.setattr(jobs, "seconds", positions.append)
    work.time_left(job, known)
    assert positions == [(job.cost - job.done) * len(known.prediction.tokens)]
    app.run()
    assert app.button(key="stop").help == f"{job.done:,} of at most {job.cost:,} passes so far."


def test_parts_are_named_in_the_order_they_are_computed() -> None:
    model = session.model("sentiment")
    plan = Plan.for_text("A mess.", methods=methods_from(["occlusion", "attention_rollout"]), phrases=PhraseSettings())
    parts, titles = {}, []
    for name, part in engine.parts(plan, model):
        titles.append((name, work.Work(plan, model).computed_next(Results(plan, parts))))
        parts[name] = part
    assert [said for name, said in titles if isinstance(name, str)] == ["Prediction"] * 2
    assert all(said == name.title for name, said in titles if not isinstance(name, str))


def test_an_empty_text_offers_an_example(visit: Callable[..., AppTest]) -> None:
    app = visit()
    app.session_state["text"] = " "
    app.run()
    assert "is empty" in app.info[0].value
    app.button(key="use_example").click().run()
    assert not app.info and app.session_state["text"] == FIRST_EXAMPLE
