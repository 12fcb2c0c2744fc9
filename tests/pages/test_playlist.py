"""While presenting, the examples that come next are computed beforehand, as far as one request may go."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explain.models.loading.catalogue import load_model
from explain.run.jobs import Cache, Job, Jobs
from explain.run.plan import Plan, methods_from
from explain.text.phrases import PhraseSettings
from pages.shared import playlist, session
from pages.shared.examples import examples
from tests.pages.test_explain_text import ROOT, run
from tests.waiting import PATIENCE

MODEL = "sentiment"
EXAMPLES = {"good": ("A good film.",), "dull": ("A dull film.",), "fine": ("Fine.",), "bad": ("Not bad.",)}


class NotedJobs(Jobs):
    """A queue that keeps what was submitted."""

    def __init__(self) -> None:
        super().__init__(workers=1)
        self.submitted: list[Job] = []

    def submit(self, *arguments: Any, **options: Any) -> Job:
        job = super().submit(*arguments, **options)
        self.submitted.append(job)
        return job


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> NotedJobs:
    queue, results = NotedJobs(), Cache()
    monkeypatch.setattr(session, "jobs", lambda: queue)
    monkeypatch.setattr(session, "cache", lambda: results)
    monkeypatch.setattr(type(load_model(MODEL).task), "examples", EXAMPLES)  # short, so that the test is
    return queue


def page(**link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=PATIENCE)
    app.query_params.update({"methods": "attention_rollout", **link})
    return run(app)


def test_the_next_example_needs_no_pass(jobs: NotedJobs) -> None:
    app = page(present="1")
    (ahead,) = [job for job in jobs.submitted if job.background]
    assert ahead.wait(PATIENCE) and ahead.state == "done" and ahead.spent.forward > 0
    assert set(ahead.parts.values()) == {None}  # results are in the cache, and only there
    count = len(jobs.submitted)
    for name in list(examples(load_model(MODEL)))[1:]:
        app.button_group(key="example").set_value(name).run()
        assert not app.exception and not any(button.key == "stop" for button in app.button)
    assert len(jobs.submitted) == count


def test_nothing_is_computed_beforehand_for_a_visitor_who_does_not_present(jobs: NotedJobs) -> None:
    page()
    assert not any(job.background for job in jobs.submitted)


def test_the_next_come_first_and_together_cost_no_more_than_a_request_may(
    jobs: NotedJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(MODEL)
    texts = [text for text, *_ in examples(model).values()]
    plan = Plan.for_text(texts[2], methods=methods_from(["attention_rollout"]), phrases=PhraseSettings(), position=3)
    works = playlist.coming(plan, model)
    assert [work.plan.text.text for work in works] == texts[3:] + texts[:3]
    assert {(work.plan.methods, work.plan.target.position) for work in works} == {(plan.methods, None)}
    costs = [work.cost() for work in works]
    assert playlist.within(works, None) == works
    assert playlist.within(works, costs[0] + costs[1]) == works[:2]
    assert playlist.within(works, costs[0] + costs[1] - 1) == works[:1] and not playlist.within(works, costs[0] - 1)
    monkeypatch.setenv("EXPLAIN_MAX_PASSES", str(max(costs)))
    page(present="1")
    (ahead,) = [job for job in jobs.submitted if job.background]
    assert ahead.wait(PATIENCE) and ahead.cost <= max(costs)
