"""Each printed figure of a waterfall follows from the attribution, the temperature and nothing else."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

import explain
from explain.datatypes import Attribution, Report
from explain.methods.base import METHODS
from explain.models.loading.catalogue import load_model
from explain.report.record import from_json, to_json
from explain.testing import TOY_MODELS, check_view, default_item
from explain.views.base import VIEWS, percent
from explain.views.confidence import divisor, headline
from explain.views.document import document
from explain.views.waterfall import MOST, form_of
from tests.waiting import PATIENCE

WATERFALL = VIEWS["waterfall"]
FILM = "The film isn't good, but it is not as bad as everyone says."
ADDING = ["integrated_gradients", "shapley_values", "deeplift"]


@pytest.fixture(scope="module")
def film() -> Report:
    settings = {"shapley_values": {"budget": 80, "granularity": "word"}, "integrated_gradients": {"steps": 8}}
    methods = [*ADDING, "occlusion", "attention_rollout", "lime"]
    return explain.explain(FILM, "sentiment", methods=methods, settings=settings, phrases=False)


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def drawn(report: Report, method: str, **options: Any) -> dict[str, Any]:
    return WATERFALL.data(report.attribution(method), prediction=report.prediction, **options)


def by_kind(rows: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["kind"] == kind]


def chance(log_odds: float) -> str:
    return percent(float(1 / (1 + np.exp(-log_odds))))


@pytest.mark.parametrize("method", ADDING)
def test_printed_figures_follow_from_the_scores_and_add_up(film: Report, method: str) -> None:
    attribution, data = film.attribution(method).per_word(), drawn(film, method)
    by = film.prediction.temperature
    assert data["form"] == "steps" and len(data["falls"]) == 1 and by > 1
    rows = data["falls"][0]["rows"]
    first, *steps, last = rows
    assert (first["kind"], last["kind"]) == ("reference", "answer")
    assert first["running"] == f"{attribution.baseline_output / by:+.2f}"
    assert last["running"] == f"{attribution.output / by:+.2f}"

    scores = {unit: score / by for unit, score in zip(attribution.units, attribution.scores.tolist()) if score}
    words = by_kind(rows, "word")
    expected = sorted(scores.values(), key=abs, reverse=True)[: len(words)]
    assert len(words) == MOST
    assert [number(row["step"]) for row in words] == [pytest.approx(round(score, 2)) for score in expected]
    for row in words:
        assert row["to"] - row["from"] == pytest.approx(scores[tuple(row["tokens"])])
        assert row["side"] == ("for" if number(row["step"]) > 0 else "against")
        assert row["more"][0] == f"{scores[tuple(row['tokens'])] * by:+.3f} before the temperature".replace("-", "−")
    (others,) = by_kind(rows, "others")
    rest = sum(scores.values()) - sum(expected)
    assert others["to"] - others["from"] == pytest.approx(rest, abs=1e-9)
    assert abs(number(others["step"]) - rest) < 0.005 * (len(steps) + 2)

    running = number(first["running"])
    for row, before in zip(steps, rows):
        running += number(row["step"])
        assert number(row["running"]) == pytest.approx(running)
        assert row["from"] == pytest.approx(before["to"]) and row["percent"] == chance(row["to"])
    assert running == pytest.approx(number(last["running"])) and steps[-1]["to"] == pytest.approx(last["to"])


def test_the_last_answer_is_the_calibrated_one_of_the_headline(film: Report) -> None:
    for method in (*ADDING, "occlusion"):
        data = drawn(film, method)
        (answer,) = by_kind(data["falls"][0]["rows"], "answer")
        assert answer["percent"] == percent(film.prediction.confidence)
        assert answer["percent"] in headline(film.prediction).text()
        assert answer["text"] == film.target.label
        assert data["unit"] == f"calibrated log-odds (÷ {film.prediction.temperature:.2f})"
        assert "records keep raw scores" in data["note"]


def test_records_keep_raw_scores_and_the_file_divides_them(film: Report) -> None:
    read = from_json(to_json(film))
    assert np.array_equal(read.attribution("deeplift").scores, film.attribution("deeplift").scores)
    assert "calibrated log-odds (÷" in document(read, {}) and 'data-view="waterfall"' in document(read, {})
    alone = WATERFALL.data(film.attribution("integrated_gradients"))
    assert alone["unit"] == "log-odds" and "temperature" not in alone["note"]
    assert alone["falls"][0]["rows"][-1]["running"] == f"{film.attributions[0].output:+.2f}"


def test_what_the_scores_miss_is_not_attributed(film: Report) -> None:
    for method, misses in (("deeplift", True), ("shapley_values", False)):
        rows = drawn(film, method)["falls"][0]["rows"]
        missed = by_kind(rows, "missed")
        assert bool(missed) == misses
        if missed:
            gap = film.attribution(method).completeness_gap / film.prediction.temperature
            assert missed[0]["text"] == "not attributed" and missed[0]["to"] - missed[0]["from"] == pytest.approx(gap)
            assert number(missed[0]["step"]) == pytest.approx(round(gap, 2))


def test_without_others_rounding_is_shared_by_the_words() -> None:
    model = TOY_MODELS["curved"]
    attribution = METHODS["integrated_gradients"]().attribute(model, *default_item(model, "so good and bad"))
    rows = WATERFALL.data(attribution)["falls"][0]["rows"]
    assert not by_kind(rows, "others") and not by_kind(rows, "missed")
    assert number(rows[0]["running"]) + sum(number(row["step"]) for row in rows[1:-1]) == pytest.approx(
        number(rows[-1]["running"])
    )


def test_of_many_labels_no_percent_contradicts_the_calibrated_answer() -> None:
    report = explain.explain(
        "Two dogs run.", "entailment", text_pair="Animals are out.", methods=["decompx"], phrases=False
    )
    assert report.prediction.temperature is not None and divisor(report.prediction, report.target) is None
    data = drawn(report, "decompx")
    rows = data["falls"][0]["rows"]
    assert not data["percents"] and {row["percent"] for row in rows} == {""} and data["unit"] == "log-odds"
    assert number(rows[-1]["running"]) == pytest.approx(report.attributions[0].output, abs=0.01)
    assert data["note"].endswith(f"Calibrated, the answer is {percent(report.prediction.confidence)}.")
    assert rows[0]["text"] == "the biases alone"
    assert by_kind(rows, "special") and by_kind(rows, "others")[0]["text"].endswith(" others")
    assert {line for row in by_kind(rows, "word") for line in row["more"]} == {"Premise", "Hypothesis"}


def test_labels_decided_alone_are_divided() -> None:
    report = explain.explain("I am so happy, thank you!", "emotions", methods=["occlusion"], phrases=False)
    assert not report.prediction.output.exclusive
    prediction = dataclasses.replace(report.prediction, temperature=2.0)
    data = WATERFALL.data(report.attributions[0], prediction=prediction)
    shown = 1 / (1 + np.exp(-report.attributions[0].output / 2))
    assert data["unit"] == "calibrated log-odds (÷ 2.00)"
    assert data["falls"][0]["rows"][0]["percent"] == percent(float(shown))


def test_the_answer_without_each_word_is_a_pass_without_it(film: Report) -> None:
    model, target, data = load_model("sentiment"), film.target, drawn(film, "occlusion")
    tokens = film.prediction.tokens
    assert data["heading"] == "The answer without each word" and "do not add up" in data["note"]
    answer, *words = data["falls"][0]["rows"]
    for row in words[:2]:
        ids = tokens.ids.copy()
        ids[row["tokens"]] = model.mask_id
        without = model.value(model.predict(dataclasses.replace(tokens, ids=ids)), target)
        assert row["percent"] == chance(without / film.prediction.temperature)
        assert row["to"] == pytest.approx(without / film.prediction.temperature, abs=1e-4)
        assert number(answer["running"]) - number(row["step"]) == pytest.approx(number(row["running"]))
    assert not {"others", "missed", "reference"} & {row["kind"] for row in data["falls"][0]["rows"]}


def test_texts_that_are_emptied_in_turn_have_a_waterfall_each() -> None:
    report = explain.explain(
        "A near station?", "similarity", text_pair="The closest stop?", methods=["integrated_gradients"], phrases=False
    )
    (attribution,) = report.attributions
    data = drawn(report, "integrated_gradients")
    assert not data["percents"] and [fall["label"] for fall in data["falls"]] == ["Text", "Other text"]
    for fall, start, (total, _) in zip(data["falls"], attribution.emptied_outputs, attribution.sums):
        first, *steps, last = fall["rows"]
        assert first["text"] == f"without the {fall['label'].lower()}"
        assert (first["from"], last["to"]) == (pytest.approx(start), pytest.approx(attribution.output))
        assert sum(row["to"] - row["from"] for row in steps if row["kind"] != "missed") == pytest.approx(total)
        assert all(row["percent"] == "" for row in fall["rows"])


@pytest.mark.parametrize("scale", ["probability", "log_probability", "logit"])
def test_only_log_odds_of_a_decision_are_percents(scale: str) -> None:
    report = explain.explain(
        FILM, "sentiment", methods=["integrated_gradients", "occlusion"], scale=scale, phrases=False
    )
    for attribution in report.attributions:
        data = drawn(report, attribution.method)
        assert not data["percents"] and "temperature" not in data["unit"] + data["note"]
        (fall,) = data["falls"]
        assert all(row["percent"] == "" for row in fall["rows"]) and all(not tick["percent"] for tick in fall["ticks"])
        (answer,) = by_kind(fall["rows"], "answer")
        assert number(answer["running"]) == pytest.approx(attribution.output, abs=0.006)
        assert answer["running"].startswith("+") == (scale != "probability" and attribution.output > 0)


def test_asked_words_are_what_the_way_begins_with() -> None:
    report = explain.explain(
        "Marie Curie saw Paris.", "entities", methods=["integrated_gradients"], position=1, phrases=False
    )
    assert drawn(report, "integrated_gradients")["falls"][0]["rows"][0]["text"] == "“Marie” alone"


def test_no_method_gets_a_false_waterfall(film: Report) -> None:
    model = TOY_MODELS["curved"]
    item = default_item(model, "one two three four")
    for name, method in METHODS.items():
        if not method.requires <= model.capabilities:
            continue
        attribution = method().attribute(model, *item)
        form = form_of(attribution)
        assert (form == "steps") == bool(attribution.signed and attribution.sums), name
        assert (form == "without") == (name == "occlusion"), name
        check_view(WATERFALL, attribution)
    for name in ("attention_rollout", "lime"):
        rows = drawn(film, name)["falls"][0]["rows"]
        assert all(row["from"] == 0 and row["running"] == row["percent"] == "" for row in rows)
    shares = drawn(film, "attention_rollout")["falls"][0]["rows"]
    assert sum(row["to"] for row in shares) == pytest.approx(1)
    assert [row["step"] for row in shares] == [percent(row["to"]) for row in shares]


def test_another_method_may_say_that_it_removes_words_one_at_a_time(film: Report) -> None:
    theirs = dataclasses.replace(film.attribution("occlusion"), method="leave_one_out")
    assert form_of(theirs) == "bars"
    said = dataclasses.replace(theirs, diagnostics={"removes_each": True})
    assert form_of(said) == "without"
    assert form_of(dataclasses.replace(said, scale="share")) == "bars"


def hostile(text: str) -> Attribution:
    model = TOY_MODELS["curved"]
    return METHODS["integrated_gradients"]().attribute(model, *default_item(model, text))


def test_names_are_one_line_and_hide_no_characters() -> None:
    words = [row["text"] for row in WATERFALL.data(hostile("good\u202e</script> x\x07y"))["falls"][0]["rows"]]
    assert "\u202e" not in "".join(words) and not any("\n" in word for word in words)
    check_view(WATERFALL, hostile("<script>alert(1)</script> &amp; good"))


def test_nothing_to_score_is_nothing_to_draw() -> None:
    attribution = hostile("good")
    none = dataclasses.replace(attribution, units=(), scores=np.array([]), error=None)
    assert not WATERFALL.fits(none) and WATERFALL.fits(attribution)
    silent = dataclasses.replace(attribution, scores=0 * attribution.scores, baseline_output=attribution.output)
    rows = WATERFALL.data(silent)["falls"][0]["rows"]
    assert [row["kind"] for row in rows] == ["reference", "others", "answer"] and number(rows[1]["step"]) == 0
    bars = dataclasses.replace(silent, baseline_output=None)
    assert WATERFALL.data(bars)["falls"] == []


# The contrast of every text in the drawing with the ground below it.
CONTRAST = """(root) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const light = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return [...root.querySelectorAll(".value, .fall-name, .legend, .fall-ticks text, .note")].map((node) => {
    const style = getComputedStyle(node);
    const ink = light(node.tagName === "text" ? style.fill : style.color);
    return Math.max(ink, ground) / Math.min(ink, ground);
  });
}"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_shows_rows_that_are_read_and_walked(film: Report, browser: Browser, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_content(document(film, {}))
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    drawing = page.locator(".fall").first
    heights = drawing.locator(".fall-row[data-row]").evaluate_all("(rows) => rows.map((row) => row.offsetHeight)")
    assert len(heights) >= MOST + 3 and all(26 <= height <= 31 for height in heights)
    assert min(drawing.evaluate(CONTRAST)) >= 4.5
    assert drawing.locator(".fall-word[tabindex='0']").count() == 1  # one stop of the keyboard
    drawing.locator(".fall-word").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    second = drawing.locator(".fall-word").nth(1)
    assert second.get_attribute("aria-pressed") == "true"
    assert page.locator(".heatmap .w.picked").first.inner_text() == second.inner_text()
    assert not complaints
    context.close()
