"""Whether the scores that a page shows can be trusted: a verdict in one line, and a button that tests them."""

from collections.abc import Sequence
from typing import Any

from explain.analyses.method_tests import MethodTests
from explain.analyses.parameter_randomization import ParameterRandomization, known
from explain.core.guide import definition
from explain.datatypes import Attribution, Tokens, Verdict
from explain.evaluation.verdict import verdict
from explain.methods.base import Method
from explain.metrics.base import TrialSettings
from explain.models.analysis import Analysis
from explain.models.base import TextModel
from explain.run.results import Results
from pages.shared import session, show
from pages.shared.asked import asked_for, button
from pages.shared.selection import Selection
from pages.shared.work import Work, has_ended


def tests_asked_for(selection: Selection, methods: Sequence[Method]) -> tuple[MethodTests, ...]:
    """Return the tests that the visitor asked for."""
    names = asked_for(selection)
    return tuple(MethodTests(method, TrialSettings.from_names()) for method in methods if method.name in names)


def line(results: Results, model: TextModel, method: Method, attribution: Attribution) -> None:
    """Draw the verdict on one explanation, and where its tests were not run a button that runs them."""
    show.short_verdict(judged(results, model, method))
    if all(tests.method != method for tests in results.plan.tests):
        test_button("Test now", model, method, attribution.tokens)


def test_button(label: str, model: TextModel, method: Method, tokens: Tokens) -> None:
    """Draw a button that compares a method's scores with measured effects; its help says what that costs."""
    passes = TrialSettings.from_names().cost(model, tokens, [method])
    button(label, method.name, help=f"{definition('measured effect')} {cost(passes, tokens)}")


def cost(passes: int, tokens: Tokens) -> str:
    """Return what some passes over a text cost, as a sentence."""
    return f"At most {passes:,} passes{seconds(passes, len(tokens))}."


def seconds(passes: int, tokens: int) -> str:
    """Return about how long passes over a text take, as the end of a sentence; empty where it is not known yet."""
    known = session.jobs().seconds(passes * tokens)
    return "" if known is None else f", about {max(1, round(known)):,} s"


def judged(results: Results, model: TextModel, method: Method) -> Verdict:
    """Return the verdict on a method's scores from what is known; grey while something that it waits for is computed.

    Raises:
        ValueError: the scores are not computed yet.
    """
    attribution = results.attribution(method)
    if attribution is None:
        raise ValueError(f"{method.title} is not computed yet.")
    others = [other for other in results.attributions if other is not attribution]
    randomization = results.answer(ParameterRandomization(method)) or known(model, method)
    return verdict(attribution, others, results.tests(method), randomization, _waits_for(results, model, method))


def _waits_for(results: Results, model: TextModel, method: Method) -> list[str]:
    """Return what a verdict waits for, in words; nothing comes any more where the work was stopped or has failed."""
    if has_ended(Work(results.plan, model)):
        return []
    planned = results.plan.analyses
    waits: dict[str, Sequence[Analysis[Any, Any]]] = {
        "the other methods": results.plan.methods,
        "the comparison with measured effects": [tests for tests in results.plan.tests if tests.method == method],
        "random weights": [each for each in (ParameterRandomization(method),) if each in planned],
    }
    return [words for words, analyses in waits.items() if not results.has(analyses)]
