from dataclasses import dataclass

import pytest

from explain.errors import KnobError
from explain.knobs import check_knobs, knob, knobs_of, make, settings_of


@dataclass(frozen=True, kw_only=True)
class Oven:
    heat: int = knob(180, low=50, high=250, help="Degrees.")
    share: float = knob(0.5, low=0.0, high=1.0, help="Part.")
    mode: str = knob("fan", choices=("fan", "grill"), help="How.")
    light: bool = knob(False, help="On?")
    minutes: int | None = knob(None, low=1, high=90, help="How long.")
    other: int = 3

    def __post_init__(self) -> None:
        check_knobs(self)


def test_knobs_are_fields_that_say_so() -> None:
    assert [one.name for one in knobs_of(Oven)] == ["heat", "share", "mode", "light", "minutes"]
    assert settings_of(Oven(heat=200)) == {"heat": 200, "share": 0.5, "mode": "fan", "light": False, "minutes": None}
    assert [one.range for one in knobs_of(Oven)][:3] == ["50 to 250", "0.0 to 1.0", "fan, grill"]


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
    with pytest.raises(KnobError, match=message):
        make(Oven, settings)


@pytest.mark.parametrize("text", ["hot", "", "1e3"])
def test_text_that_is_no_number(text: str) -> None:
    with pytest.raises(KnobError, match="expected 50 to 250"):
        make(Oven, {"heat": text}, parse=True)
