"""Work that takes a while: submitted to the queue, followed on a page, drawn part by part, stopped, tried again."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from explain.analyses.key_phrases import KeyPhrases
from explain.analyses.method_tests import MethodTests
from explain.analyses.word_edits import StrongestWordEdits
from explain.core.errors import ExplainError, TextError
from explain.core.meter import Meter
from explain.datatypes import Prediction
from explain.methods.base import Method
from explain.models.analysis import Analysis, ExplainedText
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.run import engine
from explain.run.jobs import Job, failure
from explain.run.plan import DEFAULT_METHODS, Plan, TextItem, methods_from, similarity_of
from explain.run.results import Results, is_partial
from explain.text.phrases import PhraseSettings
from pages.shared import session, show
from pages.shared.examples import examples

AT_ONCE_SECONDS = 0.6  # a page waits this long before it shows progress
POLL_SECONDS = 0.4
LINK_PASSES = 500  # a link that asks for more starts nothing by itself
PENDING = "pending"  # in the session: whether what is missing on the page is being computed
CLICKED = "clicked"  # in the session: a click in a part of the page concerns the whole page

Draw = Callable[[Results, TextModel], None]


@dataclass(frozen=True)
class Panel:
    """One view of a page: the analyses it needs, and how it draws their results."""

    analyses: tuple[Analysis[Any, Any], ...]
    draw: Callable[[Results], None]


@dataclass(frozen=True)
class Progress:
    """Results of a piece of work so far.

    Attributes:
        results: the parts that are there.
        job: the job that computes the rest, or None.
        ended: "failed" or "cancelled" where the job did not end well; message: what the visitor should know.
    """

    results: Results
    job: Job | None = None
    ended: str = ""
    message: str = ""


@dataclass(frozen=True)
class Work:
    """A plan, and the model that it is computed with."""

    plan: Plan
    model: TextModel

    @property
    def key(self) -> Hashable:
        """The key of the job: equal work is one job."""
        return self.model.record, self.plan

    def parts(self, meter: Meter) -> Iterator[tuple[Hashable, Any]]:
        """Compute the plan part by part."""
        return engine.parts(self.plan, self.model, meter, session.cache())

    def known(self) -> tuple[Results, bool]:
        """Return the parts that need no computing, and whether these are all."""
        return engine.known(self.plan, self.model, session.cache())

    def cost(self) -> int:
        """Return the most passes and steps that the plan takes."""
        return engine.cost(self.plan, self.model)

    def parts_at_once(self) -> int:
        """Return how many of the first parts never wait behind other work."""
        return engine.parts_at_once(self.plan, self.model)

    def prediction(self) -> "Work":
        """Return the work of the prediction alone."""
        return Work(replace(self.plan, analyses=()), self.model)

    def is_shipped(self) -> bool:
        """Return whether this explains a shipped example with the default analyses."""
        methods = methods_from(DEFAULT_METHODS)
        item = self.plan.item
        usual = {*methods, KeyPhrases.of(PhraseSettings()), *map(StrongestWordEdits, methods)}
        shipped = [(text, next(iter(second), None)) for text, *second in examples(self.model).values()]
        return (
            isinstance(item, TextItem)
            and (item.text, item.text_pair) in shipped
            and usual.union(similarity_of(self.model)).issuperset(self.plan.analyses)
        )

    def computed_next(self, results: Results) -> str:
        """Return the title of the part of one text that is being computed, by those that are there."""
        if not results.observed or results.target is None:
            return "Prediction"
        subject = ExplainedText(results.prediction.tokens, results.target)
        for analysis in engine.in_order(self.plan, self.model, subject):
            if not results.has([analysis]):
                return f"Tests of {analysis.method.title}" if isinstance(analysis, MethodTests) else analysis.title
        return "The rest"

    def methods_within(self, most: int) -> tuple[Method, ...]:
        """Return the cheapest methods, as many as take at most so many passes with all else of the plan but tests."""
        subject = ExplainedText.untargeted(self.model.encode(self.plan.text.text, self.plan.text.text_pair))
        others = tuple(part for part in self.plan.analyses if not isinstance(part, Method | MethodTests))
        within: tuple[Method, ...] = ()
        for method in engine.cheapest_first(self.plan, self.model, subject):
            more = (*within, method)
            if Work(replace(self.plan, analyses=(*more, *others)), self.model).cost() > most:
                break
            within = more
        return within

    def results(self, job: Job) -> Results:
        """Return the parts that a job has computed so far."""
        return Results(self.plan, job.parts)


@dataclass(frozen=True)
class Limit:
    """Why only the prediction is computed.

    Attributes:
        message: what the work costs, and where it is refused what to change.
        startable: whether the visitor may start it all the same.
        fewer: methods that may be computed, where the refused ones are too many.
    """

    message: str
    startable: bool
    fewer: tuple[Method, ...] = ()


def limit_of(work: Work) -> Limit | None:
    """Return why a piece of work does not start by itself; None where it does, or is computed already.

    Raises:
        ExplainError: even its prediction costs more than a request may.
    """
    memory, most = st.session_state, session.most_passes()
    if not session.arrived_by_link() and memory.get("unstarted") != work.key:
        memory.unstarted = None  # the visitor asks for something else now
    of_link = session.arrived_by_link() or memory.get("unstarted") is not None
    job: Job | None = memory.get("job")
    if (most is None and not of_link) or (job is not None and job.key == work.key):
        return None
    cost = work.cost()
    allowed = cost if most is None else most
    refused = cost > allowed
    asks = of_link and cost > LINK_PASSES and isinstance(work.plan.item, TextItem) and not work.is_shipped()
    if not (refused or asks) or work.known()[1]:
        return None
    if not refused:
        memory.unstarted = work.key
        return Limit(f"This link asks for up to {cost:,} passes{_duration(work, cost)}.", startable=True)
    message = f"This takes up to {cost:,} passes, and this server allows {allowed:,}."
    advice = "Choose fewer methods or tests, a smaller budget, or fewer or shorter texts."
    if not isinstance(work.plan.item, TextItem) or not work.parts_at_once():
        raise ExplainError(f"{message} {advice}")
    fewer = () if work.plan.tests else work.methods_within(allowed)
    return Limit(message if fewer else f"{message} {advice}", startable=False, fewer=fewer)


def _duration(work: Work, cost: int) -> str:
    """Return about how long passes over a text take, as the end of a sentence; empty where it is not known yet."""
    tokens = work.model.encode(work.plan.text.text, work.plan.text.text_pair)
    seconds = session.jobs().seconds(cost * len(tokens))
    if seconds is None:
        return ""
    return ", a few seconds" if seconds < 10 else f", about {in_words(seconds)}"


def in_words(seconds: float) -> str:
    """Return a time in whole seconds, minutes or hours.

    >>> in_words(0.2), in_words(40), in_words(170), in_words(3600 * 61)
    ('1 s', '40 s', '3 min', '61 h')
    """
    for unit, length in (("s", 1), ("min", 60), ("h", 3600)):
        if seconds < 60 * length or unit == "h":
            break
    return f"{max(1, round(seconds / length)):,} {unit}"


def advance(work: Work) -> Progress:
    """Return the results so far, and submit what is missing, unless it was stopped or has failed before.

    The visitor's earlier job is left when the work has changed. A job that was given up while the visitor was not
    connected is submitted again. The session keeps unfinished jobs only, since results
    are large and belong in the bounded cache.
    """
    key = work.key
    memory = st.session_state
    finished = memory.pop("finished", None)
    if finished is not None and finished[0] == key:
        return finished[1]
    job: Job | None = memory.get("job")
    if job is not None and job.key != key:
        session.jobs().leave(job, session.visitor())
        job = memory.job = None
    if job is not None and job.state == "cancelled":
        job = memory.job = None
    if job is None:
        results, complete = work.known()
        if complete:
            memory.ended = None
            return Progress(results)
        if memory.get("ended") and memory.ended[0] == key:
            return Progress(results.over(memory.get("drawn", {})), None, *memory.ended[1:])
        job = session.jobs().submit(key, work.parts, work.cost(), session.visitor(), at_once=work.parts_at_once())
        memory.job, memory.ended = job, None
        job.wait(AT_ONCE_SECONDS)  # most texts are done by then, and nothing flickers
    if not job.finished:
        return Progress(work.known()[0].over(job.parts), job)  # while it waits its turn, what is known is shown
    memory.job = None
    if job.state == "done":
        return Progress(work.results(job))
    memory.ended, memory.drawn = (key, job.state, failure(job)), {}
    return Progress(work.results(job), None, *memory.ended[1:])


def hand_over(work: Work, progress: Progress) -> None:
    """Keep the results that a poll has seen for the next run of the page.

    Otherwise results too large for the cache would be computed again and again.
    """
    st.session_state.finished = (work.key, progress)


def predicted(loaded: TextModel, text: str, pair: str | None = None) -> Prediction | None:
    """Return the prediction for a text, where it is known or computed in a moment."""
    work = Work(Plan.for_text(text, pair), loaded)
    results, complete = work.known()
    if not complete:
        visitor = session.visitor()
        job = session.jobs().submit(
            work.key, work.parts, work.cost(), visitor, at_once=work.parts_at_once(), replace=False
        )
        if not job.wait(0.25):
            session.jobs().leave(job, visitor)
        results = work.results(job)
    return results.prediction if results.observed else None


def text_problem(loaded: TextModel, text: str, pair: str | None = None) -> str:
    """Return why a model cannot read texts, and what to do; empty where it can."""
    try:
        loaded.task.positions(loaded.encode(text, pair), loaded.head)
    except TextError as error:
        return str(error)
    return ""


def stop() -> None:
    """Stop watching the visitor's job; it ends unless someone else waits for the same text."""
    job: Job | None = st.session_state.get("job")
    if job is not None:
        session.jobs().leave(job, session.visitor())
        st.session_state.job = None
        st.session_state.ended = (job.key, "cancelled", "You stopped it.")
        # A partial result is in no cache; it is small and was on screen.
        st.session_state.drawn = {name: part for name, part in job.parts.items() if is_partial(part)}


def has_ended(work: Work) -> bool:
    """Whether a piece of work, or more about the same text and target, was stopped or has failed: no more will come."""
    ended = st.session_state.get("ended")
    if not ended:
        return False
    record, plan = ended[0]
    same = record == work.model.record and plan == replace(work.plan, analyses=plan.analyses)
    return same and set(plan.analyses).issuperset(work.plan.analyses)


def try_again() -> None:
    """Forget that the request was stopped or failed."""
    st.session_state.ended = None


def edits_of_strongest(model: TextModel, methods: Sequence[Method]) -> tuple[StrongestWordEdits, ...]:
    """Return the analysis that a page holds while no word is picked: edits of the word on the card."""
    by_signs = sorted(methods, key=lambda method: not method.signed)  # as the card chooses
    return tuple(
        StrongestWordEdits(method) for method in by_signs[:1] if StrongestWordEdits.requires <= model.capabilities
    )


def warm_up() -> None:
    """Load the model that the page opens with and explain its first example; an early visitor joins the job."""
    first = session.model(catalogue.DEFAULT_MODEL)
    text, *second = next(iter(examples(first).values()))
    methods = methods_from(DEFAULT_METHODS)
    edits = edits_of_strongest(first, methods)
    plan = Plan.for_text(text, next(iter(second), None), methods=methods, phrases=PhraseSettings(), analyses=edits)
    work = Work(plan, first)
    job = session.jobs().submit(work.key, work.parts, work.cost(), at_once=work.parts_at_once())
    job.wait()
    if job.error is not None:
        raise job.error


def follow(plan: Plan, model: TextModel, draw: Draw, head: Callable[[Results], None] | None = None) -> None:
    """Compute a plan about one text and draw its results, repeatedly while a job runs.

    Args:
        head: draws what stands above the progress, also before there is a result.
    """

    def draw_results(results: Results) -> None:
        if results.observed:
            draw(results, model)

    follow_work(Work(plan, model), draw_results, head=head)


def follow_work(
    work: Work,
    draw: Callable[[Results], None],
    progress_text: Callable[[Job], str] | None = None,
    head: Callable[[Results], None] | None = None,
) -> None:
    """Compute any work and draw its results; `progress_text` describes progress that is not counted in passes."""
    st.session_state.pop(CLICKED, None)  # this run takes it into account
    limit = limit_of(work)
    progress = [advance(work if limit is None else work.prediction())]  # used once; the part below advances it itself
    pending = progress[0].job is not None
    st.fragment(_results, run_every=POLL_SECONDS if pending else None)(
        work, limit, draw, progress_text, head, progress, polled=pending
    )


def _results(
    work: Work,
    limit: Limit | None,
    draw: Callable[[Results], None],
    progress_text: Callable[[Job], str] | None,
    head: Callable[[Results], None] | None,
    handed: list[Progress],
    polled: bool,
) -> None:
    if st.session_state.pop(CLICKED, False):
        st.rerun()  # a click in a drawing reruns this part only, but changes the whole page
    started = work if limit is None else work.prediction()
    try:
        progress = handed.pop() if handed else advance(started)
        if polled and progress.job is None:
            hand_over(started, progress)
            session.rerun()  # the page once more, without polling
        if progress.job is not None and not polled:
            session.rerun()  # the page once more, with polling
        if head is not None:
            head(progress.results.of_plan(work.plan))
        with st.container():  # so that the elements below keep their place, and their focus, when this one vanishes
            if progress.job is not None:
                show_progress(progress.job, started, progress.results, progress_text)
            show_end(progress)
            if limit is not None:
                show_limit(limit)
        st.session_state[PENDING] = progress.job is not None and limit is None
        draw(progress.results.of_plan(work.plan))
    except ExplainError as error:
        show.problem(str(error))


def awaited(height: int, *, missed: bool = True) -> None:
    """Draw a placeholder for a part that is being computed, and where it will not come a word if it is `missed`."""
    if st.session_state.get(PENDING):
        st.skeleton(height=height)
    elif missed:
        st.caption("Not computed.")


def show_progress(job: Job, work: Work, results: Results, progress_text: Callable[[Job], str] | None = None) -> None:
    """Draw what is being computed or how many jobs are before it, and a button that stops it."""
    ahead = session.jobs().position(job)
    if ahead:
        text = f"Waiting for {ahead} other job{'s' * (ahead > 1)}."
    else:
        text = progress_text(job) if progress_text else f"{work.computed_next(results)} \u2026{time_left(job, results)}"
    with st.container(horizontal=True, vertical_alignment="center", key="progress"):
        st.progress(0.0 if ahead else job.progress, text=text)
        spent = f"{job.done:,} of at most {job.cost:,} passes so far."
        st.button("Stop", key="stop", on_click=stop, type="tertiary", help=spent)


def time_left(job: Job, results: Results) -> str:
    """Return how long a job goes on at most, at the pace of passes so far; empty where it is not known yet."""
    if not results.observed:
        return ""
    tokens = len(results.prediction.tokens)
    seconds = session.jobs().seconds(max(0, job.cost - job.done) * tokens)
    return "" if seconds is None else f" up to about {in_words(seconds)} left"


def show_limit(limit: Limit) -> None:
    """Draw why only the prediction is computed, and where it may be started a button for the rest."""
    if limit.startable:
        with _row():
            st.markdown(limit.message, width="content")
            st.button("Start", key="start", type="primary", on_click=_start)
        return
    with _row():
        show.problem(limit.message)
        if limit.fewer:
            titles = " and ".join(method.title for method in limit.fewer)
            names = [method.name for method in limit.fewer]
            st.button(f"Only {titles}", key="fewer", on_click=_keep_methods, args=(names,))


def _row() -> Any:
    """Return a line for a sentence and the button that helps."""
    return st.container(horizontal=True, vertical_alignment="center")


def _keep_methods(names: list[str]) -> None:
    st.session_state.methods = names
    st.session_state[CLICKED] = True  # the whole page, as after any other click


def _start() -> None:
    st.session_state.unstarted = None
    st.session_state[CLICKED] = True  # the whole page, as after any other click


def show_end(progress: Progress) -> None:
    """Draw a message about a job that did not end well, and a button that tries again."""
    if not progress.ended:
        return
    with _row():
        if progress.ended == "failed":
            show.problem(progress.message)
        else:
            st.warning("Stopped. The results so far are shown.")
        st.button("Try again", key="again", on_click=try_again)
