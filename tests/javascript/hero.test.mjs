// The head of a page: its text is heatmap and editor; tiles of methods; edits of a word.

import assert from "node:assert/strict";
import { test } from "node:test";

import { golden, load, texts } from "./scripts.mjs";

const hero = () => load("text_marks.js", "word_runs.js", "hero.js");
const editable = (text, more = {}) => ({ ...golden("hero"), heat: null, plain: [text], editor: [["Text", text]], colors: [[]], ...more });

test("the decision, its reasons and the words stand in the head", () => {
  const page = hero();
  const data = golden("hero");
  page.draw(data);
  assert.ok(page.root.querySelector(".answer").textContent.includes(data.answer.label));
  assert.equal(page.root.querySelector(".because").textContent, data.because.map(([text]) => text).join(""));
  assert.equal(page.root.querySelectorAll(".w").length, data.heat.texts[0].units.length);
  assert.equal(page.root.querySelector(".answer").getAttribute("aria-level"), "1");
});

test("the next label is asked about by a button, and no longer by a second click", () => {
  const page = hero();
  page.draw({ ...golden("hero"), why_not: { label: "<b>", text: "Why not <b>?", on: false } });
  const button = () => page.root.querySelector(".answer button");
  assert.deepEqual([button().textContent, button().getAttribute("aria-pressed")], ["Why not <b>?", "false"]);
  button().click();
  page.draw({ ...golden("hero"), why_not: { label: "<b>", text: "Why not <b>?", on: true } });
  assert.equal(button().getAttribute("aria-pressed"), "true");
  button().click();
  assert.deepEqual(page.sent, [["contrasted", { label: "<b>" }], ["contrasted", { label: null }]]);
  page.draw(golden("hero"));
  assert.equal(button(), null);
});

test("an edited text is sent once typing pauses, at once by Ctrl and Enter, and when the text is left", () => {
  const page = hero();
  page.draw(editable("a film"));
  const area = page.root.querySelector("textarea");
  area.onfocus();
  area.value = "a good film";
  area.oninput();
  assert.deepEqual(page.sent, []);
  area.onkeydown({ key: "Enter", ctrlKey: true, stopPropagation() {} });
  assert.deepEqual(page.sent, [["edited", { texts: ["a good film"], goes_on: false }]]);
  area.onkeydown({ key: "Enter", ctrlKey: true, stopPropagation() {} });
  area.onblur();
  assert.equal(page.sent.length, 1); // nothing changed since
  area.value = "another film";
  area.onblur();
  assert.deepEqual(page.sent[1], ["edited", { texts: ["another film"], goes_on: true }]);
});

test("nothing is sent while an input method composes", () => {
  const page = hero();
  page.draw(editable(""));
  const area = page.root.querySelector("textarea");
  area.onfocus();
  area.dispatch("compositionstart");
  area.value = "\u3048";
  area.oninput();
  area.onkeydown({ key: "Enter", ctrlKey: true, stopPropagation() {} });
  assert.deepEqual(page.sent, []);
  area.dispatch("compositionend");
  area.onkeydown({ key: "Enter", ctrlKey: true, stopPropagation() {} });
  assert.deepEqual(page.sent, [["edited", { texts: ["\u3048"], goes_on: false }]]);
});

test("an answer that comes while text is typed leaves the text alone, and its element", () => {
  const page = hero();
  page.draw(editable("a film"));
  const area = page.root.querySelector("textarea");
  area.onfocus();
  area.value = "a good film, and";
  area.oninput();
  page.draw(editable("a good film")); // the answer to what was sent before
  assert.equal(page.root.querySelector("textarea"), area);
  assert.equal(area.value, "a good film, and");
  area.onkeydown({ key: "Enter", ctrlKey: true, stopPropagation() {} });
  page.draw(editable("a film")); // drawn before that was known
  assert.equal(area.value, "a good film, and");
  page.draw(editable("another example"));
  assert.equal(area.value, "another example");
});

test("keys stay in the editor", () => {
  const page = hero();
  page.draw(editable("a film"));
  let stopped = 0;
  page.root.querySelector("textarea").onkeydown({ key: "p", stopPropagation: () => stopped++ });
  assert.equal(stopped, 1);
});

/** The head of a page whose marked words can be picked, and its words by number. */
function pickable() {
  const page = hero();
  const data = golden("hero");
  data.heat.sends = true;
  page.draw(data);
  const marks = page.root.querySelectorAll(".w");
  const tokens = (from, to) => data.heat.texts[0].units.slice(from, to + 1).flatMap((unit) => unit.tokens);
  const sends = (from, to) => ["chosen", { token: tokens(from, from)[0], last: tokens(to, to)[0] }];
  return { page, marks, tokens, sends };
}

test("words that the mouse is dragged over are picked together, and the click at its end picks nothing more", () => {
  const { page, marks, tokens, sends } = pickable();
  const over = (mark) => mark.dispatch("pointerover", { buttons: 1 });
  marks[3].dispatch("pointerdown", { pointerType: "mouse", button: 0 });
  over(marks[3]);
  assert.equal(page.picked.length, 0);
  over(marks[2]);
  over(marks[1]);
  assert.deepEqual(page.picked.at(-1), tokens(1, 3));
  page.window.dispatchEvent({ type: "pointerup" });
  assert.deepEqual(page.sent, [sends(1, 3)]);
  marks[1].parentElement.click();
  assert.equal(page.sent.length, 1);
  assert.deepEqual(texts(page.root, ".w.picked"), [1, 2, 3].map((number) => marks[number].textContent));
  marks[0].dispatch("pointerdown", { pointerType: "touch", button: 0 }); // a finger scrolls
  over(marks[2]);
  page.window.dispatchEvent({ type: "pointerup" });
  assert.equal(page.sent.length, 1);
  marks[4].click({ shiftKey: true });
  assert.deepEqual(page.sent[1], sends(1, 4));
  marks[1].dispatch("pointerdown", { pointerType: "mouse", button: 0 });
  over(marks[2]);
  page.window.dispatchEvent({ type: "pointerup" }); // outside of the text, where no click follows
  page.window.dispatchEvent({ type: "pointerup" }); // of a click elsewhere
  assert.deepEqual(page.sent.slice(2), [sends(1, 2)]);
});

test("Shift and the arrow keys pick neighbours together, and the page is told when Shift is let go", () => {
  const { page, marks, tokens, sends } = pickable();
  marks[1].focus();
  marks[1].press("ArrowRight", { shiftKey: true });
  page.document.activeElement.press("ArrowRight", { shiftKey: true });
  assert.deepEqual(page.picked.at(-1), tokens(1, 3));
  page.document.activeElement.press("ArrowLeft", { shiftKey: true });
  assert.deepEqual(page.picked.at(-1), tokens(1, 2));
  assert.equal(page.sent.length, 0);
  page.window.dispatchEvent({ type: "keyup", key: "Shift" });
  assert.deepEqual(page.sent, [sends(1, 2)]);
});

test("a tile sends its method, and the large one is pressed", () => {
  const page = load("method_tiles.js");
  const data = { ...golden("method_tiles"), sends: true };
  data.tiles[0].large = true;
  page.draw(data);
  const tiles = page.root.querySelectorAll("button");
  assert.equal(tiles.length, data.tiles.length);
  assert.deepEqual(tiles.map((tile) => tile.getAttribute("aria-pressed")), data.tiles.map((_, place) => String(place === 0)));
  tiles[1].click();
  assert.deepEqual(page.sent, [["chosen", { method: data.tiles[1].method }]]);
});

test("an edit of a word sends its text; a word of one's own sends the word", () => {
  const page = load("word_edits.js");
  const data = { ...golden("word_edits"), sends: true };
  page.draw(data);
  const [first] = page.root.querySelectorAll("button");
  first.click();
  assert.deepEqual(page.sent, [["chosen", { texts: data.rows[0].texts }]]);
  assert.equal(texts(page.root, ".flips").length, data.rows.filter(({ flips }) => flips).length);
  const field = page.root.querySelector("input");
  const press = (value, isComposing = false) => {
    field.value = value;
    field.onkeydown({ key: "Enter", isComposing, stopPropagation() {} });
  };
  press(" ");
  press("g", true);
  assert.equal(page.sent.length, 1);
  press(" great ");
  assert.deepEqual(page.sent[1], ["chosen", { word: "great" }]);
});

test("a text that scrolls has an overview: up is for, down is against; a click scrolls there", () => {
  const page = hero();
  const data = golden("hero");
  page.draw(data);
  const overview = page.root.querySelector(".overview");
  assert.equal(overview.hidden, true); // the whole text is in sight
  const unit = (text, score) => ({ ...data.heat.texts[0].units[0], text, score, gap: " " });
  const units = Array.from({ length: 99 }, (_, place) => unit("word", [0, data.heat.largest, -data.heat.largest / 2][place % 3]));
  const text = units.map((one) => ` ${one.text}`).join("");
  page.draw({ ...data, editor: [["Text", text]], heat: { ...data.heat, texts: [{ ...data.heat.texts[0], units }] } });
  assert.equal(overview.hidden, false);
  const sticks = overview.querySelectorAll(".stick");
  assert.equal(sticks.length, 66); // a word without a score has none
  assert.deepEqual(sticks.slice(0, 2).map((one) => [one.getAttribute("class"), one.style.height]), [["stick for", "50%"], ["stick against", "25%"]]);
  assert.equal(parseFloat(sticks[0].style.insetInlineStart), (100 * 6) / (99 * 5));
  const sheets = page.root.querySelector(".sheets");
  Object.defineProperties(sheets, { scrollHeight: { value: 1000 }, clientHeight: { value: 200 } });
  overview.getBoundingClientRect = () => ({ left: 0, right: 100, width: 100 });
  overview.onclick({ clientX: 75 });
  assert.equal(sheets.scrollTop, 650);
  sheets.onscroll();
  assert.equal(overview.querySelector(".window").style.insetInlineStart, "65%");
});
