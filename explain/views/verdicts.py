"""Verdicts in the words of a reader."""

from collections.abc import Mapping, Sequence

from explain.datatypes import Check, Verdict

VERDICTS = {"green": "it holds", "amber": "with care", "red": "don't rely on it", "grey": "too short to tell"}
TESTING = "testing …"
UNTESTED = "untested"
CHECKS = {
    "effects": "order",
    "signs": "signs",
    "additivity": "adds up",
    "random_weights": "untrained model",
    "reference": "reference text",
    "agreement": "other methods",
}  # in the order of a checklist, with the names of its columns
MARKS = {"passed": "✓", "failed": "✗", "doubtful": "?", "open": "○", "undefined": "–"}
LEGEND = "✓ passed · ✗ failed · ? doubtful · ○ not tested · – does not apply"


def verdict_word(verdict: Verdict) -> str:
    """Return the color of a verdict in words; that its tests are running; or that a test is all that is missing.

    >>> verdict_word(Verdict("occlusion", "amber", "Random orders do as well."))
    'with care'
    """
    if verdict.pending:
        return TESTING
    return UNTESTED if is_untested(verdict) else VERDICTS[verdict.color]


def is_untested(verdict: Verdict) -> bool:
    """Return whether nothing speaks against an explanation but that it was not compared with measured effects."""
    states = {check.name: check.state for check in verdict.checks}
    return verdict.color == "amber" and states.get("effects") == "open" and "doubtful" not in states.values()


def checklist(verdict: Verdict) -> list[Check]:
    """Return the checks of a verdict, the most telling first.

    >>> checklist(Verdict("occlusion", "grey", "3 words, and fewer than six prove nothing."))
    []
    """
    return sorted(verdict.checks, key=lambda check: list(CHECKS).index(check.name))


def count_passed(verdict: Verdict) -> str:
    """Return how many of the checks that decide were passed, in words; empty where none was run.

    >>> from explain.datatypes import Check
    >>> checks = Check("additivity", "passed", "The scores add up."), Check("signs", "open", "Not tested.")
    >>> count_passed(Verdict("occlusion", "amber", "The scores add up.", checks=checks))
    'passed 1 of 1 check that was run'
    """
    run = [check for check in verdict.checks if check.state in ("passed", "doubtful", "failed")]
    passed = sum(check.state == "passed" for check in run)
    return (
        f"passed {passed} of {len(run)} check{'s' * (len(run) > 1)} that {'were' if len(run) > 1 else 'was'} run"
        * bool(run)
    )


def rows(verdicts: Sequence[Verdict], titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a row for each method: its verdict, and a mark for each check; what only is told has its figure."""
    return [
        {"method": titles.get(verdict.method, verdict.method), "verdict": verdict_word(verdict)}
        | {CHECKS[check.name]: _mark(check) for check in checklist(verdict)}
        for verdict in verdicts
    ]


def _mark(check: Check) -> str:
    if check.state == "noted":
        return ", ".join(f"{number:+.2f}".replace("-", "\u2212") for number in check.facts.values())
    return MARKS[check.state]
