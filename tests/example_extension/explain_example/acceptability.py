"""Acceptability: is the sentence grammatical?"""

from collections.abc import Sequence

from explain.tasks.base import TASKS, LabelTask


class Acceptability(LabelTask):
    """Whether a sentence is grammatical, by a head of two labels."""

    name, hub_name, title = "acceptability", "acceptability", "Acceptability"
    auto_class = "AutoModelForSequenceClassification"
    examples = {"agreement": ("The keys to the cabinet is on the table.",)}

    def fits(self, labels: Sequence[str]) -> bool:
        return set(labels) == {"acceptable", "unacceptable"}


ACCEPTABILITY = TASKS.register("acceptability")(Acceptability())
