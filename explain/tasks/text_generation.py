"""Next word: what a causal model writes after a text, read at the text's last token. See `VocabularyTask`.

Attention only looks back, so the first token is looked at by all and gathers attention whatever it says.
"""

from explain.datatypes import Tokens
from explain.tasks.base import TASKS, Head, VocabularyTask


class TextGeneration(VocabularyTask):
    """The next word of a text, of causal models."""

    name = "text_generation"
    hub_name = "text-generation"
    title = "Next word"
    auto_class = "AutoModelForCausalLM"
    examples = {
        "capital": ("The capital of France is",),
        "agreement": ("The keys to the cabinet",),
        "who": ("When Mary and John went to the shop, John gave a drink to",),
    }

    def is_in(self, architecture: str) -> bool:
        return architecture.endswith(("ForCausalLM", "LMHeadModel")) and not architecture.startswith("Bert")

    def positions(self, tokens: Tokens, head: Head) -> tuple[int, ...]:
        return (len(tokens) - 1,)


TASKS.register("text_generation")(TextGeneration())
