"""The tasks we make adapters for: which data has which part, what is trained, and what a card says of the limits.

What is measured on was never trained on and nothing was tuned on it; `sentiment` has no labelled test split, so its
figures are of the dev split, which decided nothing but the defaults here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explain.core.errors import DataError
from explain.training.objectives.answers import Answers
from explain.training.objectives.base import Objective, Source
from explain.training.objectives.classification import OneLabel, SeveralLabels
from explain.training.objectives.entities import Entities
from explain.training.objectives.similarity import Similarity


@dataclass(frozen=True, kw_only=True)
class TaskRecipe:
    """How one adapter is made.

    Attributes:
        title: what it decides, as a page asks it, in one plain line.
        objective: the kind of task.
        sources: its data; the first split to measure on gives the main figures.
        texts: names of the two texts, where it reads two.
        examples: texts to start from on a page, by a name for each; none: the task's own.
        trained_on, limits: for the card, a phrase and a sentence or more.
        epochs, batch_size, learning_rate, dropout, rank: the defaults.
        scripts: the scripts its training texts are in.
    """

    title: str
    objective: Objective[Any]
    sources: tuple[Source, ...]
    texts: tuple[str, ...] = ()
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trained_on: str
    limits: str
    epochs: float = 3.0
    batch_size: int = 32
    learning_rate: float = 5e-4
    dropout: float = 0.1
    rank: int = 16
    scripts: tuple[str, ...] = ("Latin",)


_TWEETS = {
    "person": "PER",
    "location": "LOC",
    "corporation": "ORG",
    "group": "ORG",
    "product": "O",
    "creative-work": "O",
}
_TOPICS = {
    "Company": "Company",
    "EducationalInstitution": "Educational institution",
    "Artist": "Artist",
    "Athlete": "Athlete",
    "OfficeHolder": "Office holder",
    "MeanOfTransportation": "Means of transportation",
    "Building": "Building",
    "NaturalPlace": "Natural place",
    "Village": "Village",
    "Animal": "Animal",
    "Plant": "Plant",
    "Album": "Album",
    "Film": "Film",
    "WrittenWork": "Written work",
}
_EMOTIONS = (
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval "
    "disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief "
    "remorse sadness surprise neutral"
)
_QUESTION = ("question", "context")
_ENTITIES = ("tokens",)

TASK_RECIPES = {
    "sentiment": TaskRecipe(
        title="Is a review negative or positive?",
        objective=OneLabel(labels=("negative", "positive")),
        sources=(Source(name="sst2_glue", title="SST-2", training=("train",), measuring=("dev",)),),
        trained_on="short English film-review phrases",
        limits="On other texts its answers are guesses, and its confidence was measured on such phrases only.",
    ),
    "entailment": TaskRecipe(
        title="Does the second text follow from the first?",
        objective=OneLabel(labels=("entailment", "neutral", "contradiction")),
        sources=(
            Source(
                name="snli",
                title="SNLI",
                training=("train",),
                tuning=("dev",),
                measuring=("test",),
                texts=("text", "text_b"),
                label="label_name",
            ),
        ),
        texts=("Premise", "Hypothesis"),
        examples={
            "it follows": ("Two dogs are running through a snowy field.", "Animals are outdoors."),
            "it can't be": ("A woman in a red coat is reading on a bench.", "The woman is asleep."),
            "it may be": ("A man is playing the guitar on a stage.", "The man is famous."),
            "denial": ("Nobody in the room is smiling.", "Someone is smiling."),
            "who did what": ("The boy is chased by a large dog.", "The boy is chasing a dog."),
        },
        trained_on="a sample of SNLI: captions of photographs, and sentences that people wrote to each",
        limits="The hypotheses alone often give the label away: who wrote a contradiction wrote 'nobody' or "
        "'sleeping', and models learn that. It knows plain scenes, not law, medicine or arithmetic.",
        epochs=4.0,
    ),
    "entities": TaskRecipe(
        title="Which words name a person, a place or an organization?",
        objective=Entities(labels=("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")),
        sources=(
            Source(
                name="btc_ner",
                title="Broad Twitter Corpus",
                training=("train",),
                tuning=("dev",),
                measuring=("test",),
                texts=_ENTITIES,
                label="tags",
            ),
            Source(
                name="wnut17",
                title="WNUT-17",
                training=("train",),
                measuring=("test",),
                texts=_ENTITIES,
                label="tags",
                renamed=_TWEETS,
            ),
            Source(
                name="uner_ewt",
                title="Universal NER, English Web Treebank",
                measuring=("test",),
                texts=_ENTITIES,
                label="tags",
                renamed={"OTHER": "O"},
            ),
        ),
        trained_on="English tweets",
        limits="What counts as a name in tweets (user names among them) is not what counts in news or letters. Its "
        "encoder reads everything in lower case, so it can't tell 'Apple' from 'apple' but by what stands around. "
        "Products and titles of works are no entities here.",
        epochs=5.0,
    ),
    "answers": TaskRecipe(
        title="Where in the text is the answer to the question?",
        objective=Answers(),
        sources=(
            Source(
                name="squadshifts",
                title="SQuADShifts",
                training=("new_wiki", "amazon", "reddit"),
                texts=_QUESTION,
                label="answers",
            ),
            Source(name="squad11", title="SQuAD 1.1", measuring=("dev",), texts=_QUESTION, label="answers"),
        ),
        texts=("Question", "Context"),
        trained_on="questions on Wikipedia paragraphs, product reviews and Reddit posts",
        limits="It always marks some span, also where the text holds no answer: every question it was trained on "
        "has one. It picks words out of the text; it can't count, compare or say yes or no.",
        epochs=2.0,
        batch_size=16,
        learning_rate=1e-3,
        dropout=0.0,  # in a few epochs nothing is learned by heart, and drawing its noise takes a third of a step
    ),
    "topics": TaskRecipe(
        title="What kind of thing is the text about?",
        objective=OneLabel(labels=tuple(_TOPICS.values())),
        sources=(
            Source(
                name="dbpedia14",
                title="DBpedia, 14 classes",
                training=("train",),
                tuning=("dev",),
                measuring=("test",),
                label="label_name",
                renamed=_TOPICS,
            ),
        ),
        examples={
            "a plant": ("Salvia hispanica is grown for its seeds, which are rich in oil and eaten in many countries.",),
            "a ship": ("HMS Beagle was launched in 1820 and carried Charles Darwin round the world.",),
            "a record or a film": ("Purple Rain was released in 1984 and won its author an Academy Award.",),
            "a village": ("Nowa Wola lies in the east of Poland, near the border with Belarus.",),
        },
        trained_on="first sentences of Wikipedia articles",
        limits="It knows these fourteen classes and nothing else: any text gets one of them. The classes are easy to "
        "tell apart in encyclopedia prose; a high accuracy there promises little for other writing.",
        epochs=2.0,
    ),
    "emotions": TaskRecipe(
        title="Which emotions does a comment show?",
        objective=SeveralLabels(labels=tuple(_EMOTIONS.split())),
        sources=(
            Source(
                name="go_emotions",
                title="GoEmotions",
                training=("train",),
                tuning=("dev",),
                measuring=("test",),
                label="labels",
            ),
        ),
        examples={
            "thanks and joy": ("Thank you so much, this made my whole day!",),
            "two at once": ("I'm so sorry for your loss, this is heartbreaking.",),
            "a question": ("Wait, how did you even find that out?",),
            "irony": ("Oh great, another Monday.",),
            "none to speak of": ("The meeting is at nine in room four.",),
        },
        trained_on="English Reddit comments that a few raters each labelled with emotions",
        limits="The labels say what raters read into a comment, not what its writer felt; raters often disagreed. "
        "Rare emotions (grief, pride, relief, nervousness) have few examples, and their figures are rough. Reddit's "
        "language, and its prejudices, are in it.",
        epochs=3.0,
        learning_rate=1e-3,
        dropout=0.0,  # with it, and one epoch, two labels in three were never given
    ),
    "similarity": TaskRecipe(
        title="How near are two texts in meaning?",
        objective=Similarity(),
        sources=(
            Source(
                name="lm_wiki",
                title="Wikipedia paragraphs",
                training=("all",),
                label=None,
                leave_out="squad11-dev",
            ),
            Source(name="snli", title="SNLI", training=("train",), texts=("text", "text_b"), label=None, most=10_000),
            Source(
                name="squadshifts",
                title="SQuADShifts",
                training=("new_wiki", "amazon", "reddit"),
                texts=_QUESTION,
                label=None,
            ),
            Source(name="sst", title="SST", training=("train",), label=None),
            Source(name="go_emotions", title="GoEmotions", training=("train",), label=None, most=10_000),
            Source(name="squad11", title="SQuAD 1.1", measuring=("dev",), texts=_QUESTION, label=None),
        ),
        texts=("Text", "Other text"),
        trained_on="the sentence vectors that all-MiniLM-L6-v2 gives to English texts of several kinds",
        limits="It can be no better a judge of meaning than the encoder it learned from, which was itself trained on "
        "public pairs that include SQuAD's training questions; the figures are of SQuAD's dev split. Nearness is no "
        "agreement: a sentence and its denial lie near each other.",
        epochs=1.0,
        learning_rate=1e-3,
        dropout=0.0,  # noise in a vector is noise in every distance
        rank=22,
    ),
}


def places_of(given: Sequence[str], task: str) -> dict[str, str]:
    """Where each data set of a task is: by name.

    Args:
        given: any of: folders with the data sets' names; folders that hold such folders; "NAME=PLACE" for a folder (or
            a data set of the hub) of another name; and, for a task made from one data set, simply its place.

    Raises:
        DataError: one is missing, or something given is none of them.
    """
    names = [source.name for source in TASK_RECIPES[task].sources]
    wanted = f"{task} is made from {', '.join(names)}"
    found: dict[str, str] = {}
    for place in given:
        name, _, named_place = place.rpartition("=")
        folder = Path(place).expanduser()
        inside = {one: str(folder / one) for one in names if (folder / one).is_dir()}
        if name in names:
            found[name] = named_place
        elif inside:
            found = inside | found  # what was given by itself comes before what a folder happens to hold
        elif folder.name in names and folder.is_dir():
            found[folder.name] = place
        elif len(names) == len(given) == 1 and not name:
            found[names[0]] = place
        else:
            raise DataError(
                f"{wanted}; {place} is none of these, nor a folder that holds one. Give NAME={place} if it is."
            )
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"{wanted}; {', '.join(missing)} is missing. Give --data the folder that holds them all, or each by itself "
            f"(--data {missing[0]}=DIR)."
        )
    return found
