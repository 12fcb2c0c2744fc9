"""Python code that computes what a page shows."""

from typing import Any

from explain.analyses.key_phrases import KeyPhrases
from explain.analyses.max_activations import MaxActivations
from explain.core.settings import settings_of
from explain.models.analysis import Analysis
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.run.plan import Plan
from explain.text.phrases import PhraseSettings


def as_python(plan: Plan, model: TextModel) -> str:
    """Return Python code that computes the report of a plan."""
    changed = {method.name: own for method in plan.methods if (own := changed_settings(method))}
    arguments = [
        *_text_and_model(plan, model),
        f"    methods={tuple(method.name for method in plan.methods)!r},",
        *([f"    settings={changed!r},"] if changed else []),
        *_target(plan),
    ]
    header = "import explain\n"
    if plan.phrases is None:
        arguments.append("    phrases=False,")
    elif plan.phrases != KeyPhrases():
        header += "from explain.text.phrases import PhraseSettings\n"
        settings = PhraseSettings(
            **{setting.name: getattr(plan.phrases, setting.name) for setting in settings_of(KeyPhrases)}
        )
        arguments.append(f"    phrases={settings!r},")
    body = "\n".join(arguments)
    return f"{header}\nreport = explain.explain(\n{body}\n)\nprint(report.prediction.label, report.phrases[:3])\n"


def ask_as_python(analysis: Analysis[Any, Any], plan: Plan, model: TextModel) -> str:
    """Return Python code that runs an analysis on the same text; a set of texts is read from a file."""
    body = "\n".join((*_text_and_model(plan, model), *_target(plan)))
    settings: dict[str, Any] = changed_settings(analysis)
    header, written = "import explain\n", repr(settings)
    if isinstance(analysis, MaxActivations):
        header += "from explain.data.texts import read_lines\n"
        written = "{'lines': read_lines(open('texts.txt', 'rb').read()).texts}"
    extra = f"    settings={written},\n" if settings else ""
    return f"{header}\nresult = explain.ask(\n    {analysis.name!r},\n{body}\n{extra})\n"


def changed_settings(analysis: Analysis[Any, Any]) -> dict[str, Any]:
    """Return the settings that are not at their defaults, as JSON values."""
    changed = {}
    for setting in settings_of(analysis):
        content = getattr(analysis, setting.name)
        if setting.required or content != setting.default:
            changed[setting.name] = setting.encode(content)
    return changed


def _text_and_model(plan: Plan, model: TextModel) -> list[str]:
    """Return the first arguments of a call, a line each."""
    return [
        f"    {plan.text.text!r},",
        f"    model={model.name!r},",
        *([] if catalogue.is_default(model) else [f"    task={model.task.hub_name!r},"]),
    ]


def _target(plan: Plan) -> list[str]:
    """Return the arguments that are not left to their defaults, a line each."""
    arguments = {"text_pair": plan.text.text_pair, **vars(plan.target)}
    return [f"    {name}={argument!r}," for name, argument in arguments.items() if argument is not None]
