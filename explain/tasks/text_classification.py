"""Text classification: which label a text has, or a pair of texts read together; or a number. See `LabelTask`."""

from explain.tasks.base import TASKS, LabelTask


class TextClassification(LabelTask):
    """Labels of a whole text."""

    name = "text_classification"
    hub_name = "text-classification"
    title = "Text classification"
    auto_class = "AutoModelForSequenceClassification"
    texts = ("Text", "Second text")
    pair = "perhaps"
    examples = {
        "negation": ("The film isn't good, but it is not as bad as everyone says.",),
        "mixed feelings": (
            "The plot is thin and the jokes are stale, yet the leads are so charming that I left smiling.",
        ),
        "irony": ("Oh great, another two hours of explosions. Just what the world needed.",),
        "long review": (
            "I went in expecting very little. The trailer gave away most of the story, the director's last two films "
            "were a chore to sit through, and the first twenty minutes confirm every fear: wooden dialogue, clumsy "
            "cuts, a score that never shuts up. Then something odd happens. The daughter arrives, played with real "
            "warmth by a newcomer, and the whole thing starts to breathe. Scenes run longer than they should and are "
            "better for it. A quarrel in a parked car is the best thing I have seen this year. The ending is a mess, "
            "and at least one subplot should have been cut, but I forgave it everything. It is uneven, sentimental "
            "and far too long. I can't wait to see it again.",
        ),
        "typos and emoji": ("omg this moive was soooo goood 😍😍 definately wached it twice lol 10/10",),
        "another language": ("Фильм оказался скучным и слишком длинным, я едва досидел до конца.",),
    }


TASKS.register("text_classification")(TextClassification())
