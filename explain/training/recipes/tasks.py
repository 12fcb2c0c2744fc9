"""The tasks of the shipped adapters: their data, objective, default settings, and limits for the card.

No split is both measured on and used for training or tuning. `sentiment` has no labelled test split, so its figures are
of the dev split, which was used only to choose the defaults here.
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
    """A task to train an adapter for.

    Attributes:
        title: the question that the model answers, in one line.
        objective: the kind of task.
        sources: data sets; the first split to measure on gives the main figures.
        texts: names of the two texts, for tasks of two.
        examples: example texts for pages, by name; empty for those of the kind of task.
        trained_on: a phrase for the card.
        limits: sentences for the card.
        epochs, batch_size, learning_rate, dropout, rank: defaults.
        scripts: writing systems of the training texts.
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
        limits="On other texts its predictions are guesses, and its confidence was measured on such phrases only.",
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
        limits="The hypothesis alone often reveals the label: people who wrote a contradiction often used 'nobody' or "
        "'sleeping', and models learn that. It knows everyday scenes, not law, medicine or arithmetic.",
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
        limits="Names in tweets (including user names) differ from names in news or letters. Its encoder reads "
        "everything in lower case, so it can tell 'Apple' from 'apple' only by the context. "
        "Products and titles of works are not entities here.",
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
        limits="It always marks a span, even if the text has no answer, because every training question has one. "
        "It copies words from the text; it can't count, compare or answer yes or no.",
        epochs=2.0,
        batch_size=16,
        learning_rate=1e-3,
        dropout=0.0,  # a few epochs memorize nothing, and dropout takes a third of the time of a step
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
        limits="It knows only these fourteen classes, and every text gets one of them. The classes are easy to tell "
        "apart in an encyclopedia; a high accuracy there promises little for other texts.",
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
        limits="The labels are what raters read into a comment, not what its writer felt; raters often disagreed. "
        "Rare emotions (grief, pride, relief, nervousness) have few examples, so their figures are uncertain. "
        "It has learned the language and the prejudices of Reddit.",
        epochs=3.0,
        learning_rate=1e-3,
        dropout=0.0,  # with dropout and one epoch, two labels in three were never predicted
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
        trained_on="the sentence vectors of all-MiniLM-L6-v2 for English texts of several kinds",
        limits="It cannot be better than the encoder it learned from, which was trained on public pairs that include "
        "SQuAD's training questions; the figures are of SQuAD's dev split. Similar texts may contradict each other: "
        "a sentence and its negation have similar vectors.",
        epochs=1.0,
        learning_rate=1e-3,
        dropout=0.0,  # dropout would add noise to every distance
        rank=22,
    ),
}


def places_of(folders: Sequence[str], task: str) -> dict[str, str]:
    """Return the place of each data set of a task, by the data set's name.

    Args:
        folders: any of: folders with the data sets' names; folders that contain such folders; "NAME=PLACE" for a folder
            (or a data set of the hub) of another name; for a task with one data set, its place.

    Raises:
        DataError: a data set is missing, or a place is not a data set of the task.
    """
    names = [source.name for source in TASK_RECIPES[task].sources]
    requirement = f"{task} needs the data sets {', '.join(names)}"
    places: dict[str, str] = {}
    for place in folders:
        name, _, named_place = place.rpartition("=")
        folder = Path(place).expanduser()
        inside = {data_set: str(folder / data_set) for data_set in names if (folder / data_set).is_dir()}
        if name in names:
            places[name] = named_place
        elif inside:
            places = inside | places  # a data set named by itself comes before one inside a folder
        elif folder.name in names and folder.is_dir():
            places[folder.name] = place
        elif len(names) == len(folders) == 1 and not name:
            places[names[0]] = place
        else:
            raise DataError(
                f"{requirement}; {place} is not one of them and contains none. If it is one, write NAME={place}."
            )
    missing = [name for name in names if name not in places]
    if missing:
        raise DataError(
            f"{requirement}; {', '.join(missing)} is missing. Pass --data the folder of them all, or each by "
            f"itself (--data {missing[0]}=DIR)."
        )
    return places
