"""Settings of methods, metrics and analyses: declared once, used as widget, option, cache key and record entry.

A setting is a field of a frozen dataclass:

    steps: int = setting(64, low=8, high=512, help="Points on the path.")

A setting that is no number, word or switch, such as a set of neurons, has a `Codec`, which writes it as text and JSON.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any

from explain.core.errors import SettingError
from explain.core.registry import unknown

_METADATA = "explain.setting"
_LARGEST = 1e100  # of a setting without a bound of its own


def _shown(content: Any) -> str:
    """Return a short text of a setting's content, for messages."""
    if isinstance(content, int) and not isinstance(content, bool) and abs(content) > 10**20:
        return "a number of very many digits"
    text = repr(content)
    return text if len(text) <= 80 else f"{text[:80]} ..."


@dataclass(frozen=True)
class Codec:
    """Reading and writing of settings of one kind.

    Attributes:
        expected: the values it accepts, in words.
        parse: from text of a command line to the value.
        encode: from the value to JSON; decode: from JSON, or the value itself, to the value.

    `parse` and `decode` raise ValueError, KeyError, TypeError or `SettingError` for content they can't read.
    """

    expected: str
    parse: Callable[[str], Any]
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


@dataclass(frozen=True)
class Setting:
    """One setting as a form, a command line or a page of documentation needs it."""

    name: str
    type: type
    default: Any
    low: float | None
    high: float | None
    choices: tuple[Any, ...]
    help: str
    optional: bool = False
    codec: Codec | None = None

    @property
    def required(self) -> bool:
        """Whether the setting has no default."""
        return self.default is MISSING

    @property
    def range(self) -> str:
        """The accepted values, in words."""
        if self.codec is not None:
            return self.codec.expected
        if self.choices:
            return ", ".join(str(choice) for choice in self.choices)
        if self.low is not None or self.high is not None:
            return f"{self.low} to {self.high}"
        return {int: "a whole number", float: "a number", bool: "yes or no", str: "text"}[self.type]

    def parse(self, text: str) -> Any:
        """Read a setting from a command line.

        Raises:
            SettingError: the text can't be read as the setting's type.
        """
        if self.optional and text.lower() in ("", "none", "auto"):
            return None
        try:
            if self.codec is not None:
                return self.codec.parse(text)
            if self.type is bool:
                return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
            return self.type(text)
        except (KeyError, ValueError):  # also for a number of thousands of digits
            raise SettingError(f"{self.name} is {_shown(text)}; expected {self.range}.") from None

    def check(self, content: Any) -> Any:
        """Return a setting's content as its type.

        Raises:
            SettingError: wrong type, out of range, or none of the choices.
        """
        if content is None and self.optional:
            return None
        if self.codec is not None:
            return self._decoded(content, self.codec)
        if self.type is float and type(content) is int and abs(content) < _LARGEST:
            content = float(content)
        fits = type(content) is self.type and (not self.choices or content in self.choices)
        if fits and isinstance(content, int | float):
            low = -_LARGEST if self.low is None else self.low
            high = _LARGEST if self.high is None else self.high
            fits = low <= content <= high  # NaN fits no range
        if not fits:
            raise SettingError(f"{self.name} is {_shown(content)}; expected {self.range}.")
        return content

    def _decoded(self, content: Any, codec: Codec) -> Any:
        try:
            return codec.decode(content)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SettingError(f"{self.name} is {content!r}; expected {self.range}.") from None

    def encode(self, content: Any) -> Any:
        """Return a setting's content as JSON."""
        return content if self.codec is None or content is None else self.codec.encode(content)


def setting(
    default: Any = MISSING,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] = (),
    codec: Codec | None = None,
    help: str,
) -> Any:
    """Declare a dataclass field as a setting; without a default it is required.

    `int | None` types are optional: None means "the method decides".
    """
    metadata = {_METADATA: {"low": low, "high": high, "choices": choices, "codec": codec, "help": help}}
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(owner: type | Any) -> tuple[Setting, ...]:
    """Return the settings of a dataclass or of an instance, in order."""
    return _settings_of(owner if isinstance(owner, type) else type(owner))


@functools.cache
def _settings_of(cls: type) -> tuple[Setting, ...]:
    hints = typing.get_type_hints(cls)
    settings = []
    for field in dataclasses.fields(cls):
        if _METADATA not in field.metadata:
            continue
        hint, optional = hints[field.name], False
        if isinstance(hint, types.UnionType):
            optional = type(None) in typing.get_args(hint)
            hint = next(part for part in typing.get_args(hint) if part is not type(None))
        settings.append(Setting(field.name, hint, field.default, optional=optional, **field.metadata[_METADATA]))
    return tuple(settings)


def check_settings(owner: Any) -> None:
    """Check every setting of an instance; for `__post_init__`.

    Raises:
        SettingError: see `Setting.check`; the message names the owner.
    """
    for setting in settings_of(owner):
        try:
            object.__setattr__(owner, setting.name, setting.check(getattr(owner, setting.name)))
        except SettingError as error:
            title = getattr(owner, "title", "")  # settings outside methods and analyses have no title
            raise SettingError(f"{title}: {error}" if title else str(error)) from None


def make(cls: type, settings: Mapping[str, Any], *, parse: bool = False) -> Any:
    """Make an instance from settings by name; with `parse`, the settings are text from a command line.

    Raises:
        SettingError: a setting the class does not have, or one out of its range.
    """
    declared = {setting.name: setting for setting in settings_of(cls)}
    for name in settings:
        if name not in declared:
            raise SettingError(unknown(f"setting of {cls.__name__}", name, sorted(declared)))
    for name, setting in declared.items():
        if setting.required and name not in settings:
            raise SettingError(f"{cls.__name__} needs the setting {name}: {setting.range}.")
    return cls(**{name: declared[name].parse(content) if parse else content for name, content in settings.items()})


def setting_values(instance: Any) -> dict[str, Any]:
    """Return the settings of an instance by name, as JSON values."""
    return {setting.name: setting.encode(getattr(instance, setting.name)) for setting in settings_of(instance)}
