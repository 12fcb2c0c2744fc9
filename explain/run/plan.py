"""A plan: which analyses are computed, of which text or texts, about which target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from explain.analyses.key_phrases import KeyPhrases
from explain.analyses.method_tests import MethodTests
from explain.analyses.similarity import SimilarityAttribution
from explain.core.errors import SettingError
from explain.core.settings import make
from explain.data.texts import LoadedTexts
from explain.datatypes import TextVectors
from explain.methods.base import METHODS, Method
from explain.metrics.base import TrialSettings
from explain.models.analysis import Analysis
from explain.models.base import TextModel
from explain.text.phrases import PhraseSettings

DEFAULT_METHODS = ("integrated_gradients", "occlusion", "attention_rollout")  # see docs/decisions/0012


@dataclass(frozen=True)
class TextItem:
    """One text, or two that are read together."""

    text: str
    text_pair: str | None = None


@dataclass(frozen=True)
class TextsItem:
    """Many texts that become vectors, each read by itself.

    Attributes:
        pooling: how a text's tokens become its vector, see `explain.models.pooling`.
        kept: the vectors, where a run kept them; kept_in: the hash of that run's manifest.
    """

    texts: LoadedTexts
    pooling: str
    kept: TextVectors | None = field(default=None, compare=False, repr=False)
    kept_in: str = ""


@dataclass(frozen=True)
class TargetChoice:
    """The target a user asks for.

    Attributes:
        label, against, scale, position: None means the decided label, no contrast, the task's first scale, and of
            several positions that the model is read at the one that the task takes by default.
    """

    label: str | None = None
    against: str | None = None
    scale: str | None = None
    position: int | None = None


@dataclass(frozen=True)
class Plan:
    """Analyses of one text, or of the vectors of many.

    Attributes:
        item: what they are about.
        analyses: what is computed, methods and tests among them; parts come cheapest method first.
        target: the number that is explained, of one text.
    """

    item: TextItem | TextsItem
    analyses: tuple[Analysis[Any, Any], ...] = ()
    target: TargetChoice = field(default_factory=TargetChoice)

    @classmethod
    def for_text(
        cls,
        text: str,
        text_pair: str | None = None,
        *,
        methods: Sequence[Method] = (),
        phrases: PhraseSettings | None = None,
        tests: TrialSettings | None = None,
        analyses: Sequence[Analysis[Any, Any]] = (),
        label: str | None = None,
        against: str | None = None,
        scale: str | None = None,
        position: int | None = None,
    ) -> "Plan":
        """Plan one text: methods, key phrases if they have settings, tests of each method, further analyses."""
        search = () if phrases is None else (KeyPhrases.of(phrases),)
        trials = () if tests is None else tuple(MethodTests(method, tests) for method in methods)
        everything = tuple(dict.fromkeys((*methods, *search, *trials, *analyses)))
        return cls(TextItem(text, text_pair), everything, TargetChoice(label, against, scale, position))

    @property
    def text(self) -> TextItem:
        """The one text.

        Raises:
            TypeError: the plan is about many texts.
        """
        if not isinstance(self.item, TextItem):
            raise TypeError("This plan is about many texts.")
        return self.item

    @property
    def methods(self) -> tuple[Method, ...]:
        """The attribution methods among the analyses, in the order they were asked for."""
        return tuple(analysis for analysis in self.analyses if isinstance(analysis, Method))

    @property
    def phrases(self) -> KeyPhrases | None:
        """The search for key phrases, if it is among the analyses."""
        return next((analysis for analysis in self.analyses if isinstance(analysis, KeyPhrases)), None)

    @property
    def tests(self) -> tuple[MethodTests, ...]:
        """The tests of methods among the analyses."""
        return tuple(analysis for analysis in self.analyses if isinstance(analysis, MethodTests))

    @property
    def others(self) -> tuple[Analysis[Any, Any], ...]:
        """The analyses that are neither methods nor tests nor the search for key phrases."""
        special = (Method, MethodTests, KeyPhrases)
        return tuple(analysis for analysis in self.analyses if not isinstance(analysis, special))


def methods_from(
    names: Sequence[str | Method], settings: Mapping[str, Mapping[str, Any]] | None = None, *, parse: bool = False
) -> tuple[Method, ...]:
    """Make methods from names and settings by method.

    Raises:
        UnknownNameError, SettingError: a name or a setting that does not exist, or a value out of its range.
    """
    settings = settings or {}
    methods = [
        name if isinstance(name, Method) else make(METHODS[name], settings.get(name, {}), parse=parse) for name in names
    ]
    for name in settings:
        if name not in names:
            listed = ", ".join(name if isinstance(name, str) else name.name for name in names)
            raise SettingError(
                f"There are settings for {METHODS[name].name!r}, which is not among the methods. They are: {listed}."
            )
    return tuple(dict.fromkeys(methods))


def similarity_of(model: TextModel) -> tuple[Analysis[Any, Any], ...]:
    """Return the analyses that every explanation of a model holds: of two texts compared, which words are alike."""
    return (SimilarityAttribution(),) if SimilarityAttribution.requires <= model.capabilities else ()
