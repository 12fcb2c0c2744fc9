from dataclasses import dataclass

import pytest

from explain.core.errors import SettingError
from explain.core.settings import check_settings, make, setting, setting_values, settings_of


@dataclass(frozen=True, kw_only=True)
class Oven:
    heat: int = setting(180, low=50, high=250, help="Degrees.")
    share: float = setting(0.5, low=0.0, high=1.0, help="Part.")
    mode: str = setting("fan", choices=("fan", "grill"), help="How.")
    light: bool = setting(False, help="On?")
    minutes: int | None = setting(None, low=1, high=90, help="How long.")
    other: int = 3

    def __post_init__(self) -> None:
        check_settings(self)


def test_knobs_are_fields_that_say_so() -> None:
    assert [one.name for one in settings_of(Oven)] == ["heat", "share", "mode", "light", "minutes"]
    assert setting_values(Oven(heat=200)) == {"heat": 200, "share": 0.5, "mode": "fan", "light": False, "minutes": None}
    assert [one.range for one in settings_of(Oven)][:3] == ["50 to 250", "0.0 to 1.0", "fan, grill"]


def test_text_becomes_values() -> None:
    made = make(Oven, {"heat": "60", "share": "0.25", "mode": "grill", "light": "yes", "minutes": "none"}, parse=True)
    assert made == Oven(heat=60, share=0.25, mode="grill", light=True)
    assert make(Oven, {"minutes": "5"}, parse=True).minutes == 5
    assert Oven(share=1).share == 1.0 and type(Oven(share=1).share) is float


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"heat": 20}, "heat is 20; expected 50 to 250"),
        ({"heat": 60.5}, "heat"),
        ({"heat": True}, "heat"),
        ({"share": float("nan")}, "share"),
        ({"mode": "boil"}, "mode is 'boil'; expected fan, grill"),
        ({"minutes": 0}, "minutes"),
        ({"heet": 60}, "Did you mean 'heat'"),
    ],
)
def test_wrong_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make(Oven, settings)


@pytest.mark.parametrize("text", ["hot", "", "1e3"])
def test_text_that_is_no_number(text: str) -> None:
    with pytest.raises(SettingError, match="expected 50 to 250"):
        make(Oven, {"heat": text}, parse=True)
