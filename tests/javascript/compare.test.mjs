// Two explanations side by side: every word above its partner, every difference where its number says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { golden, load, texts } from "./scripts.mjs";

const MINUS = "\u2212";

/** A row of the words of A and of B with their scores; a word that is not there is null. */
function row(number, words, scores, more = {}) {
  const difference = scores.includes(null) ? null : scores[1] - scores[0];
  const kind = words[0] === null ? "only_b" : words[1] === null ? "only_a" : words[0] === words[1] ? "same" : "replaced";
  return { row: number, kind, words, scores, difference, error: null, asked: ["", ""], tokens: words.map((word) => (word === null ? [] : [number + 1])), ...more };
}

/** Data of a comparison by one method. */
function compared(rows, { method = {}, answers = {}, ...more } = {}) {
  const sizes = rows.map((each) => Math.abs(each.difference ?? 0));
  return {
    names: ["A", "B"],
    answers: { sides: [{ name: "A", text: "positive, 94% sure", value: 2, after: "" }, { name: "B", text: "negative", value: -1, after: "27% positive" }], difference: -3, largest: 3, unit: "calibrated log-odds", ...answers },
    methods: [{
      method: "occlusion", title: "Occlusion", scales: ["log_odds", "log_odds"], units: ["calibrated log-odds", "calibrated log-odds"], one_scale: true, signed: [true, true],
      largest: [2, 2], largest_difference: Math.max(...sizes), texts: [{ label: "", rows }], parting: [], agreement: "Agreement.", note: "", ...method,
    }],
    note: "A note.",
    caption: "Two texts compared",
    sends: true,
    ...more,
  };
}

const ROWS = [row(0, ["so", "so"], [0.5, 0.5]), row(1, ["good", "bad"], [2, -2]), row(2, [null, "film"], [null, 0.25]), row(3, ["!", null], [-0.5, null])];

test("each word of A stands above its partner, and a missing one leaves its place empty", () => {
  const { draw, root } = load("compared_words.js", "compare.js");
  draw(compared(ROWS));
  const cells = root.querySelectorAll(".pair").slice(1); // the first names the lines
  assert.deepEqual(cells.map((cell) => cell.getAttribute("class")), ["pair same", "pair replaced", "pair only_b", "pair only_a"]);
  assert.deepEqual(cells.map((cell) => texts(cell, ".w").join("/")), ["so/so", "good/bad", "film", "!"]);
  assert.deepEqual(cells.map((cell) => cell.querySelectorAll(".none").length), [0, 0, 1, 1]);
  assert.deepEqual(cells[1].querySelectorAll(".w").map((word) => word.getAttribute("class")), ["w for", "w against"]);
  assert.deepEqual(texts(root, ".side"), ["A", "B"]);
});

test("tints are shares of one scale, and the legend says which", () => {
  const page = load("compared_words.js", "compare.js");
  page.draw(compared(ROWS));
  const most = page.read("INK").light.most;
  const shares = page.root.querySelectorAll(".pair .w").map((word) => Number(word.style.backgroundColor.match(/[\d.]+(?=\))/)[0]));
  assert.deepEqual(shares, [0.25, 0.25, 1, 1, 0.125, 0.25].map((share) => Number((share * most).toFixed(3))));
  assert.deepEqual(texts(page.root, ".legend .end"), [`${MINUS}2.00`, "+2.00"]);
  assert.ok(page.root.querySelector(".legend").textContent.endsWith(`upper line: A, lower line: B, below: B ${MINUS} A`));
});

test("a difference goes up or down from the middle, with its sign and two digits that matter", () => {
  const { draw, root } = load("compared_words.js", "compare.js");
  draw(compared([row(0, ["a", "a"], [0, 20]), row(1, ["b", "b"], [5, 0]), row(2, ["c", "c"], [2.5, 0]), row(3, ["d", "d"], [1, 0])]));
  const bars = root.querySelectorAll(".change .fill").map((bar) => [bar.style.top, bar.style.height]);
  assert.deepEqual(bars, [["0%", "50%"], ["50%", "12.5%"], ["50%", "6.25%"], ["50%", "2.5%"]]);
  assert.deepEqual(texts(root, ".amount"), ["+20", `${MINUS}5.0`, `${MINUS}2.5`, ""]);
  draw(compared([row(0, ["a", "a"], [0, 0.05]), row(1, ["b", "b"], [0, -0.25])], { method: { largest_difference: 0.25 } }));
  assert.deepEqual(texts(root, ".amount"), ["+0.050", `${MINUS}0.25`]);
  draw(compared([row(0, ["a", "a"], [1, 1])]));
  assert.deepEqual(root.querySelectorAll(".change .fill").map((bar) => bar.style.height), ["0%"]);
});

test("answers are bars to one scale, and their difference", () => {
  const { draw, root } = load("compared_words.js", "compare.js");
  draw(compared(ROWS));
  const fills = root.querySelectorAll(".answers .fill").map((bar) => [bar.style.left, bar.style.width].map((part) => `${Math.round(parseFloat(part))}%`));
  assert.deepEqual(fills, [["50%", "33%"], ["33%", "17%"], ["0%", "50%"]]);
  assert.deepEqual(texts(root, ".answers .value"), ["+2.00", `${MINUS}1.00`, `${MINUS}3.00`]);
  assert.deepEqual(texts(root, ".answers .badges"), ["", "27% positive", "calibrated log-odds"]);
  draw(compared(ROWS, { answers: { difference: null } }));
  assert.deepEqual(texts(root, ".answers .value"), ["+2.00", `${MINUS}1.00`]);
  assert.equal(root.querySelectorAll(".answers .fill").length, 0);
});

test("where units differ there are two scales, ranks and no difference", () => {
  const { draw, root } = load("compared_words.js", "compare.js");
  const rows = ROWS.map((each) => ({ ...each, difference: null }));
  const method = { one_scale: false, scales: ["log_odds", "share"], units: ["log-odds", "of the whole"], signed: [true, false], largest: [2, 0.5], parting: [{ ...rows[0], ranks: [4, 1] }] };
  draw(compared(rows, { method }));
  assert.deepEqual(texts(root, ".legend .end"), [`${MINUS}2.00`, "+2.00", "0%", "50%"]);
  assert.deepEqual(texts(root, ".legend .unit"), ["log-odds", "of the whole"]);
  assert.equal(root.querySelectorAll(".change").length, 0);
  assert.deepEqual(texts(root, ".parting .badges"), ["4. \u2192 1. by size"]);
  assert.deepEqual(texts(root, ".parting .value"), [""]);
});

test("where they part, words, both scores, difference and interval are said", () => {
  const { draw, root } = load("compared_words.js", "compare.js");
  const parting = [{ ...ROWS[1], error: 0.5, ranks: [] }, { ...ROWS[0], ranks: [] }];
  draw(compared(ROWS, { method: { parting } }));
  assert.deepEqual(texts(root, ".parting .name"), ["good \u2192 bad", "so"]);
  assert.deepEqual(texts(root, ".parting .value"), [`${MINUS}4.00 \u00b10.500`, "0"]);
  assert.deepEqual(texts(root, ".parting .badges"), [`+2.00 \u2192 ${MINUS}2.00`, "+0.500 \u2192 +0.500"]);
  const whisker = root.querySelector(".parting .whisker");
  assert.deepEqual([whisker.style.left, whisker.style.width].map((part) => Math.round(parseFloat(part))), [0, 11]); // 1 of 9
});

test("shares differ by percentage points; a method without signs has no line for against", () => {
  const { draw, root } = load("compared_words.js", "compare.js");
  const rows = [row(0, ["a", "a"], [0.2, 0.31])];
  draw(compared(rows, { method: { scales: ["share", "share"], signed: [false, false], largest: [0.5, 0.5], parting: [{ ...rows[0], ranks: [] }] } }));
  assert.deepEqual(texts(root, ".amount"), ["+11"]);
  assert.deepEqual(texts(root, ".parting .value"), ["+11.0 pp"]);
  assert.equal(root.querySelectorAll(".line").length, 0);
  assert.ok(root.querySelector(".legend").textContent.includes("in percentage points"));
});

test("the card of a row has both scores, the difference and its interval; so has its name for screen readers", () => {
  const { draw, root } = load("compared_words.js", "compare.js");
  draw(compared([{ ...ROWS[1], error: 0.25 }, { ...ROWS[2], asked: ["", "asked"], scores: [null, null] }]));
  const [cell, other] = root.querySelectorAll("[data-row]");
  const card = () => texts(root, ".tip div");
  cell.dispatch("pointerover");
  assert.deepEqual(card(), ["good \u2192 bad", "A +2.00", `B ${MINUS}2.00`, `difference ${MINUS}4.00`, "\u00b1 0.250 (95%)"]);
  assert.equal(cell.textContent, `A good +2.00; B bad ${MINUS}2.00; difference ${MINUS}4.0`); // for screen readers
  other.focus();
  assert.deepEqual(card(), ["film", "A has no such word", "B no score (asked)"]);
  assert.equal(other.textContent, "A \u00a0has no such word; B film no score (asked); ");
  assert.ok(other.querySelector(".w").classList.contains("asked"));
  root.querySelector(".compare").dispatch("pointerout");
  assert.equal(root.querySelector(".tip").style.opacity, 0);
});

test("a row that is chosen is marked wherever it is drawn, and the page is told its tokens", () => {
  const { draw, root, sent } = load("compared_words.js", "compare.js");
  draw(compared(ROWS, { method: { parting: [{ ...ROWS[1], ranks: [] }] } }));
  const marked = () => root.querySelectorAll(".picked").map((node) => node.getAttribute("data-row"));
  const cell = root.querySelectorAll("[data-row]")[1];
  cell.click();
  assert.deepEqual(marked(), ["1", "1"]);
  assert.deepEqual(sent.at(-1), ["chosen", { row: 1, tokens: [[2], [2]] }]);
  cell.press("Enter");
  assert.deepEqual([marked(), sent.at(-1)], [[], ["chosen", { row: null, tokens: [[], []] }]]);
  cell.click();
  cell.press("Escape");
  assert.deepEqual(marked(), []);
});

test("two texts that are read together each have their name; a text without rows is not drawn", () => {
  const { draw, root } = load("compared_words.js", "compare.js");
  const of = (label, rows) => ({ label, rows });
  draw(compared(ROWS, { method: { texts: [of("Premise", [ROWS[0]]), of("Hypothesis", [ROWS[1]]), of("third", [])] } }));
  assert.deepEqual(texts(root, ".which"), ["Premise", "Hypothesis"]);
  assert.deepEqual(root.querySelectorAll(".pairs-of-words").map((line) => line.getAttribute("aria-label")), ["Occlusion, Premise", "Occlusion, Hypothesis"]);
});

test("before and after: each word has a bar, words of one side are marked, and the cross is sent", () => {
  const { draw, root, sent } = load("compared_words.js", "before_after.js");
  const data = { ...golden("before_after"), sends: true };
  draw(data);
  const rows = data.words.texts[0].rows;
  assert.equal(root.querySelector(".former").textContent, data.before);
  assert.equal(root.querySelectorAll(".move").length, rows.length);
  assert.equal(root.querySelectorAll("del").length, rows.filter(({ kind }) => ["replaced", "only_a"].includes(kind)).length);
  assert.equal(root.querySelectorAll("ins").length, rows.filter(({ kind }) => ["replaced", "only_b"].includes(kind)).length);
  assert.equal(root.querySelectorAll(".move .change .fill").length, rows.filter((row) => row.difference !== null).length);
  root.querySelectorAll(".move")[0].dispatch("pointerover");
  assert.match(root.querySelector(".tip").textContent, /before.*now/);
  root.querySelector(".close").click();
  assert.deepEqual(sent, [["chosen", { dismissed: true }]]);
  draw({ ...data, words: null, note: "Two labels." });
  assert.equal(root.querySelector(".move"), null);
  assert.ok(root.textContent.includes("Two labels."));
});
