"""Method cards: formula, meaning, limits and settings of each registered method, written from the method itself."""

import inspect
import sys
from collections.abc import Mapping
from typing import Any

from explain.core.settings import settings_of


def card(method: type[Any]) -> str:
    """Return one method as Markdown: its module's text (formula, source), its traits and its settings."""
    module = inspect.getdoc(sys.modules[method.__module__]) or ""
    title, _, body = module.partition("\n\n")
    traits = [
        "signed" if method.signed else "sizes without a sign",
        "pieces sum to words" if method.additive else "pieces do not sum to words",
        "scores sum to the difference they explain" if method.complete else "scores do not sum to a difference",
        "needs " + " and ".join(sorted(method.requires)) if method.requires else "needs only forward passes",
        f"version {method.version} of its arithmetic",
    ]
    lines = [f"## {method.title}", "", title, "", _body(body), ""]
    lines += [
        f"**It says:** {method.meaning}",
        "",
        f"**It does not say:** {method.limits}",
        "",
        f"*{'; '.join(traits)}*",
        "",
    ]
    if settings_of(method):
        lines += ["| setting | default | range | |", "|---|---|---|---|"]
        for setting in settings_of(method):
            default = "automatic" if setting.default is None else setting.default
            lines.append(f"| `{method.name}.{setting.name}` | {default} | {setting.range} | {setting.help} |")
        lines.append("")
    return "\n".join(lines)


def _body(text: str) -> str:
    """Return Markdown in which indented formulas are code blocks."""
    blocks = []
    for block in text.split("\n\n"):
        blocks.append(f"```\n{inspect.cleandoc(block)}\n```" if block.startswith("    ") else block)
    return "\n\n".join(blocks)


def page(methods: Mapping[str, type[Any]]) -> str:
    """Return all cards: `docs/methods.md`."""
    head = (
        "# Methods\n\nWritten by `make golden` from the methods themselves; do not edit.\n\n"
        "Scores are in log-odds of the explained label unless a card says otherwise. F is the target; see the "
        "[glossary](guide/glossary.md) for its terms.\n\n"
    )
    return head + "\n".join(card(methods[name]) for name in methods)
