"""Lemmas: a word as a dictionary lists it, by the package simplemma, which is an extra (Barbaresi 2021)."""

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec

from explain.core.errors import SettingError

ENGLISH = "en"
MISSING = "Words by lemma need the package simplemma: pip install 'explain-transformers[lemma]'."
_REMEMBERED = 200_000  # words


def lemmas_are_there() -> bool:
    """Return whether the package is installed."""
    return find_spec("simplemma") is not None


def languages() -> tuple[str, ...]:
    """Return the codes of the languages, such as "en"; none without the package."""
    if not lemmas_are_there():
        return ()
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

    return tuple(sorted(SUPPORTED_LANGUAGES))


@lru_cache(maxsize=4)
def lemma_of(language: str) -> Callable[[str], str]:
    """Return a function that returns the lemma of a word, without regard to case.

    A word that the dictionary lacks is its own lemma. The text around a word is not looked at: "saw" is always "see".

    Raises:
        SettingError: the package is not installed, or has no such language.
    """
    if not lemmas_are_there():
        raise SettingError(MISSING)
    if language not in languages():
        raise SettingError(f"simplemma has no lemmas of {language!r}. It has: {', '.join(languages())}.")
    from simplemma import lemmatize

    @lru_cache(maxsize=_REMEMBERED)
    def lemma(word: str) -> str:
        return str(lemmatize(word, lang=language)).casefold()

    return lemma
