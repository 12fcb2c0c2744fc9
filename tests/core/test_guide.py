"""The guide is complete and true: everything that can be chosen is in it, and its tables say what the code says."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from explain.analyses.base import ANALYSES
from explain.core import guide
from explain.core.registry import GROUPS
from explain.core.settings import settings_of
from explain.methods.base import METHODS
from explain.metrics.base import DEFAULT_METRICS, METRICS
from explain.models.base import TextModel
from explain.models.families import FAMILIES
from explain.models.loading.catalogue import list_models
from explain.models.pooling import POOLINGS
from explain.numerics.heads import HEAD_FIGURES
from explain.numerics.neurons import NEURON_FIGURES
from explain.run.plan import DEFAULT_METHODS
from explain.tasks.base import TASKS
from explain.text.phrases import PhraseSettings
from explain.text.removal import OPERATORS
from explain.training.recipes.classifier_settings import TableSettings
from explain.views.base import VIEWS
from explain.views.verdicts import UNTESTED, VERDICTS
from tests.command_line_page import commands, options

ROOT = Path(__file__).parent.parent.parent
SOURCES = [*(ROOT / "explain").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
GUIDE = {name: page.body for name, page in guide.pages().items() if "/" not in name}
TEXT = "\n".join(GUIDE.values())


def strings(path: Path) -> Iterator[str]:
    """Every string of a module, docstrings and the parts of f-strings too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def variables() -> set[str]:
    return {
        name for path in SOURCES for text in strings(path) for name in re.findall(r"EXPLAIN_[A-Z]+(?:_[A-Z]+)*", text)
    }


# Each kind of thing that can be chosen, with the names a user types.
CHOICES: Mapping[str, Any] = {
    "methods": METHODS,
    "metrics": METRICS,
    "tasks": [task.hub_name for task in TASKS.values()],
    "views": VIEWS,
    "analyses": ANALYSES,
    "entry points": GROUPS,
    "commands": commands(),
    "options": {
        option for command in commands().values() for action in options(command) for option in action.option_strings
    },
    "environment variables": variables(),
    "models": [entry.name for entry in list_models()],
    "operators": OPERATORS,
    "poolings": ["layer:N" if name == "layer" else name for name in POOLINGS],
    "figures of heads": HEAD_FIGURES,
    "figures of neurons": [name.replace("_x_", " × ").replace("_", " ") for name in NEURON_FIGURES],
    "settings of phrases": [f"phrases.{one.name}" for one in settings_of(PhraseSettings)],
    "settings of training": [one.name for one in settings_of(TableSettings)],
    "verdicts": (*VERDICTS.values(), UNTESTED),
}


@pytest.mark.parametrize("kind", CHOICES)
def test_nothing_is_missing(kind: str) -> None:
    names = list(CHOICES[kind])
    assert names
    missing = [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", TEXT)]
    assert not missing, f"Add these {kind} to docs/guide."


def test_every_page_is_listed_in_the_index() -> None:
    assert set(GUIDE) <= set(guide.contents())


def table(page: str, *columns: str) -> list[tuple[str, ...]]:
    """The named columns of the first table of a page that has them all."""
    for found in re.findall(r"(?:^\|.*\n)+", GUIDE[page] + "\n", re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in found.splitlines())
        if set(columns) <= set(head):
            return [tuple(row[head.index(column)].strip("`") for column in columns) for row in rows]
    raise AssertionError(f"{page} has no table of {columns}.")


def test_methods_are_described_as_they_are() -> None:
    rows = table("explain", "method", "`--method`", "signs", "sums up")
    for title, name, signs, sums in rows:
        method = METHODS[name]
        assert (title, signs == "yes", sums == "yes") == (method.title, method.signed, method.complete), name
    attention = table("attention", "method", "`--method`")
    assert [METHODS[name].title for _, name in attention] == [title for title, _ in attention]
    assert {name for _, name, *_ in rows} | {name for _, name in attention} == set(METHODS)
    named = [METHODS[name].title.lower() for name in DEFAULT_METHODS]
    assert f"on by default: {named[0]}, {named[1]} and {named[2]}." in GUIDE["explain"]


def test_passes_are_within_what_is_said(sentiment: TextModel) -> None:
    tokens = sentiment.encode("The film isn't good, but its cast saves it.")
    for name, passes in table("explain", "`--method`", "passes"):
        most = int(re.findall(r"[\d,]+", passes)[-1].replace(",", ""))
        if "a word" in passes:
            most = len(tokens.words) * int(re.findall(r"(\d+) a word", passes)[0]) + 2
        assert METHODS[name]().cost(tokens) <= most, name


def test_metrics_are_described_as_they_are() -> None:
    rows = table("faithfulness", "metric", "`--metric`", "better", "runs")
    for title, name, better, runs in rows:
        metric = METRICS[name]
        assert (title, better == "higher") == (metric.title, metric.higher_is_better), name
        assert (runs == "always") == (name in DEFAULT_METRICS), name


def test_analyses_are_described_as_they_are() -> None:
    about = {"text": "one text", "texts": "vectors of texts", "model": "a model"}
    rows = {name: cells for name, *cells in table("analyses", "name", "analysis", "about", "what its result says")}
    assert rows == {
        name: [analysis.title, about[analysis.subject], analysis.meaning] for name, analysis in ANALYSES.items()
    }


def test_pictures_have_their_titles() -> None:
    assert {name: title for title, name in table("pictures", "picture", "name")} == {
        name: VIEWS[name].title for name in VIEWS
    }


def test_tasks_name_the_models_that_do_them() -> None:
    for name, models in table("tasks", "task", "shipped models"):
        able = {entry.name for entry in list_models() if name.replace("-", "_") in entry.tasks}
        assert {model for model in re.split(r"[,;] ", models) if model in able} == able, name


def test_training_settings_have_their_defaults() -> None:
    defaults = {
        one.name: f"{one.default:g}" if isinstance(one.default, float) else str(one.default)
        for one in settings_of(TableSettings)
    }
    assert dict(table("training", "`--set`", "default")) == defaults


def test_families_are_all_named() -> None:
    listed = re.sub(r"[^a-z0-9, ]", "", dict(table("models", "part", "supported"))["families"].lower())
    assert {
        family for family in FAMILIES if family.replace("xlm-roberta", "xlmr").replace("-", "") not in listed
    } == set()


# The glossary.


def quoted() -> dict[str, list[str]]:
    """The terms that pages quote, with the files that do."""
    found: dict[str, list[str]] = {}
    for path in (ROOT / "pages").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "definition":
                (term,) = node.args
                assert isinstance(term, ast.Constant), f"{path.name}: name the term"
                found.setdefault(term.value, []).append(path.name)
    return found


def test_terms_that_pages_quote_are_in_the_glossary() -> None:
    assert {"pass", "piece", "target", "log-odds", "baseline", "gap"} <= set(quoted())  # by a tooltip
    assert set(quoted()) <= set(guide.definitions())
    with pytest.raises(KeyError, match="Did you mean 'pass'"):
        guide.definition("passs")


def test_the_glossary_is_short_and_in_order() -> None:
    body = guide.pages()[guide.GLOSSARY].body
    for section in body.split("\n## ")[1:]:
        terms = re.findall(r"^- \*\*(.+?)\*\*: ", section, re.MULTILINE)
        assert terms == sorted(terms, key=str.lower)
        assert len(terms) == section.count("\n- "), "an entry is not written as `- **term**: explanation`"
    for term, explanation in guide.definitions().items():
        assert explanation.endswith(".") and len(explanation.split()) <= 45, term
        assert "](" not in explanation, "tooltips show no links"
    assert len(guide.definitions()) == body.count("\n- **"), "a term is explained twice"


def test_links_in_the_app_lead_to_pages_of_the_guide() -> None:
    for page in guide.pages().values():
        text = "\n".join(part for part in guide.parts(page, "?topic={}".format) if isinstance(part, str))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            assert target.startswith("https://") or target.removeprefix("?topic=") in guide.pages(), (page.name, target)
        assert all(part.path.is_file() for part in guide.parts(page, str) if isinstance(part, guide.Picture))


def shown_on_pages() -> Iterator[tuple[str, str]]:
    """Every string of the pages that is no docstring, with its file; parts of one f-string are put together."""
    for path in (ROOT / "pages").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        inside = {id(part) for node in joined for part in node.values}
        for node in joined:
            yield path.name, "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | inside:
                yield path.name, node.value


def test_pages_explain_no_term_a_second_time() -> None:
    explained = "|".join(re.escape(term) for term in guide.definitions())
    again = re.compile(rf"(?:^|[.(] )(?:an? |the )?\W*\b({explained})s?\b\W*(?:\(|:|is |are |means )", re.IGNORECASE)
    for name, text in shown_on_pages():
        is_prose = " " in text
        assert not (is_prose and again.search(text)), f"{name} explains a glossary term: {text!r}; quote it"
        for term, explanation in guide.definitions().items():
            assert explanation.partition(".")[0] not in text, f"{name} writes out the explanation of {term}"
