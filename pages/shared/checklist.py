"""The checks of one method's scores as a list: a sentence for each, a button that runs it, its numbers inside."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explain.analyses.parameter_randomization import ParameterRandomization
from explain.analyses.parameter_randomization import cost as cost_of_random_weights
from explain.core.guide import definition
from explain.core.settings import settings_of
from explain.data.reference_texts import REFERENCE_TEXTS
from explain.datatypes import Attribution, Check, Tokens
from explain.methods.base import Method
from explain.metrics.base import METRICS, TrialSettings
from explain.metrics.reference_robustness import REFERENCE_SETTINGS
from explain.models.analysis import Analysis
from explain.models.base import TextModel
from explain.run.results import Results
from explain.views.verdicts import checklist, count_passed
from pages.shared import show, trust
from pages.shared.asked import button
from pages.shared.work import Work, has_ended

REFERENCE = "reference_robustness"  # the metric of the check of the reference text
WEIGHTS = "random_weights"
ICONS = {
    "passed": ("check_circle", "green"),
    "failed": ("cancel", "red"),
    "doubtful": ("error", "orange"),
    "noted": ("info", "gray"),
    "open": ("radio_button_unchecked", "gray"),
    "undefined": ("do_not_disturb_on", "gray"),
}

Details = Mapping[str, Callable[[], None]]  # by the name of a check: what draws its numbers


@dataclass(frozen=True)
class _Run:
    """The analyses that run a check, by the names that ask for them, and a text on their cost."""

    names: tuple[str, ...]
    help: str


def draw(results: Results, model: TextModel, method: Method, details: Details) -> None:
    """Draw the verdict on a method's scores, and its checks; `details` draw the numbers of those that were run."""
    attribution = results.attribution(method)
    assert attribution is not None, "its scores are there"
    judged = trust.judged(results, model, method)
    runs = _runs(model, method, attribution.tokens)
    checks = [check for check in checklist(judged) if check.state != "open" or check.name in runs]
    open_checks = [check for check in checks if check.state == "open" and not _planned(results, method, check)]
    with st.container(horizontal=True, vertical_alignment="center", key="verdict"):
        show.short_verdict(judged)
        summary = count_passed(judged) or judged.sentence
        st.markdown(
            f"**{show.plain(method.title)}** {show.plain(summary)}", width="content", help=definition("verdict")
        )
        _run_all([runs[check.name] for check in open_checks])
    if not checks:  # the text is too short for a verdict
        with st.expander("Numbers"):
            for detail in details.values():
                detail()
    for check in checks:
        if check.state == "open":
            with row(check.name, check.state, check.finding):
                if check in open_checks:
                    button("Test", *runs[check.name].names, help=runs[check.name].help, key=check.name)
                else:
                    st.caption(_outcome(results, model, method, check), width="content")
        elif check.evidence or check.name in details:
            with st.expander(_label(check.state, check.finding)):
                _numbers(check, attribution)
                details.get(check.name, lambda: None)()
        else:
            with row(check.name, check.state, check.finding):
                pass


@contextlib.contextmanager
def row(name: str, state: str, sentence: str) -> Iterator[None]:
    """Draw a check without numbers as a row of the list; what is drawn inside stands at its end."""
    with st.container(
        border=True,
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        key=f"check_{name}",
    ):
        st.markdown(_label(state, sentence), width="content")
        yield


def _label(state: str, sentence: str) -> str:
    icon, color = ICONS[state]
    return f":{color}[:material/{icon}:] {show.plain(sentence)}"


def _runs(model: TextModel, method: Method, tokens: Tokens) -> dict[str, _Run]:
    """Return how each check can be run that is not free, by name; those that do not apply are left out."""
    effects, reference = TrialSettings.from_names(), TrialSettings.from_names([REFERENCE])
    cost = trust.cost(effects.cost(model, tokens, [method]), tokens)
    measured = _Run((method.name,), f"{definition('measured effect')} {cost}")
    runs = {"effects": measured, "signs": measured}
    if any(setting.name in REFERENCE_SETTINGS for setting in settings_of(type(method))):
        help = f"{METRICS[REFERENCE].meaning} {trust.cost(reference.cost(model, tokens, [method]), tokens)}"
        runs["reference"] = _Run((method.name, REFERENCE), help)
    if "random_layers" in model.capabilities:
        help = (
            f"{definition('random weights')} It is measured once for a model and a method, on {len(REFERENCE_TEXTS)} "
            f"reference texts, and kept. At most {cost_of_random_weights(model, method):,} passes."
        )
        runs[WEIGHTS] = _Run((weights_name(method),), help)
    return runs


def weights_name(method: Method) -> str:
    """Return the name that asks for a comparison of a method with random weights."""
    return f"{method.name} {WEIGHTS}"


def _planned(results: Results, method: Method, check: Check) -> list[Analysis[Any, Any]]:
    """Return the analyses of the page that run a check."""
    if check.name == WEIGHTS:
        return [analysis for analysis in results.plan.others if analysis == ParameterRandomization(method)]
    tests = [tests for tests in results.plan.tests if tests.method == method]
    return [each for each in tests if check.name != "reference" or METRICS[REFERENCE]() in each.tests.metrics]


def _outcome(results: Results, model: TextModel, method: Method, check: Check) -> str:
    """Return what became of a check that was asked for and has no result."""
    if results.has(_planned(results, method, check)):
        return "does not apply to this text"
    return "stopped" if has_ended(Work(results.plan, model)) else "running …"


def _run_all(runs: Sequence[_Run]) -> None:
    """Draw a button that asks for every check that was not run, where there are several to ask for."""
    names = list(dict.fromkeys(name for run in runs for name in run.names))
    if len(set(runs)) > 1:
        button("Run all checks", *names, help="\n\n".join(dict.fromkeys(run.help for run in runs)), key="all")


def _numbers(check: Check, attribution: Attribution) -> None:
    """Say what a check found, with its numbers."""
    if check.evidence:
        st.markdown(show.plain(f"{check.evidence[:1].upper()}{check.evidence[1:]}."))
    if check.name == "additivity":
        for total, difference in attribution.sums:
            st.markdown(f"Sum of the scores: {total:+.4f}. Difference from the reference text: {difference:+.4f}.")
