// The waterfall: bars where the numbers say, labels in either unit, words that are picked as in every drawing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { load, texts } from "./scripts.mjs";

const HOSTILE = "<img src=x onerror=alert(1)>";

function row(kind, text, from, to, step, more = {}) {
  const side = step.startsWith("+") ? "for" : step.startsWith("\u2212") ? "against" : "";
  return { kind, text, tokens: [], from, to, step, side, running: `r${to}`, percent: `${to}%`, more: [], ...more };
}

function waterfall(more = {}) {
  const rows = [
    row("reference", "without words", 0, 0, "", { more: ["the empty text (mask)"] }),
    row("word", "good", 0, 6, "+6.00", { tokens: [1], more: ["+12.000 before the temperature"] }),
    row("word", HOSTILE, 6, 4, "\u22122.00", { tokens: [2, 3] }),
    row("others", "3 other words", 4, 4.1, "+0.10"),
    row("missed", "not attributed", 4.1, 5, "+0.90"),
    row("answer", "positive", 5, 5, ""),
  ];
  const ticks = [{ at: 0, percent: "50%", figure: "0.00", wide: false }, { at: 5, percent: "99%", figure: "+5.00", wide: true }];
  return {
    title: "Integrated gradients", method: "integrated_gradients", group: "g", form: "steps", scale: "log_odds", signed: true,
    unit: "log-odds, divided by the temperature 2.00", of: "log-odds", percents: true, legend: true, signs: ["for positive", "against"],
    heading: "Step by step", columns: ["score", "answer"], note: "A note.", caption: "A caption", sends: true,
    falls: [{ label: "", rows, low: -1, high: 9, ticks }],
    ...more,
  };
}

/** The form that is not the waterfall, of the same words. */
function other(form, more = {}) {
  const data = waterfall();
  const [, good, bad] = data.falls[0].rows;
  const rows = form === "bars" ? [good, bad] : [row("answer", "positive", 5, 5, ""), { ...good, from: 5, to: -1 }, { ...bad, from: 5, to: 7 }];
  return { ...data, form, columns: form === "bars" ? ["score", ""] : ["score", "without it"], falls: [{ ...data.falls[0], rows }], ...more };
}

const lines = (root) => root.querySelectorAll("[data-row]");
const steps = (line) => line.querySelectorAll(".step");

test("a bar goes from one running total to the next, and lines lead from row to row", () => {
  const page = load("waterfall.js");
  page.draw(waterfall());
  const [reference, good, bad, others, missed, answer] = lines(page.root);
  const bar = (line) => [steps(line)[0].getAttribute("x"), steps(line)[0].getAttribute("width")];
  assert.deepEqual([good, bad, others, missed].map(bar), [["10.000%", "60.000%"], ["50.000%", "20.000%"], ["50.000%", "1.000%"], ["51.000%", "9.000%"]]);
  assert.deepEqual([reference, answer].map((line) => line.querySelector("circle").getAttribute("cx")), ["10.000%", "60.000%"]);
  const links = (line) => line.querySelectorAll(".link-line").map((link) => link.getAttribute("x1"));
  assert.deepEqual(lines(page.root).map(links), [["10.000%"], ["10.000%", "70.000%"], ["70.000%", "50.000%"], ["50.000%", "51.000%"], ["51.000%", "60.000%"], ["60.000%"]]);
  for (const line of lines(page.root)) assert.deepEqual(line.querySelectorAll(".grid").map((grid) => grid.getAttribute("class")), ["grid zero", "grid"]);
});

test("against is striped and has a minus, not a color alone; the tip of the arrow says the direction", () => {
  const page = load("waterfall.js");
  page.draw(waterfall());
  const [, good, bad, others] = lines(page.root);
  assert.deepEqual([good, bad].map((line) => line.querySelectorAll(".step-stripes").length), [0, 1]);
  assert.deepEqual([good, bad].map((line) => line.querySelector(".value").textContent), ["+6.00", "\u22122.00"]);
  const tip = (line) => line.querySelector(".cut").parentElement.getAttribute("x");
  assert.deepEqual([tip(good), tip(bad)], ["70.000%", "50.000%"]);
  const points = (line) => line.querySelector(".cut").getAttribute("points");
  assert.ok(points(good).startsWith("-6,") && points(bad).startsWith("6,"));
  assert.equal(others.querySelector(".cut"), null); // a sliver has no tip
  assert.equal(steps(others)[0].getAttribute("class"), "step for thin");
  assert.deepEqual(page.root.querySelectorAll(".legend .key").map((key) => [key.textContent, key.querySelectorAll(".step-stripes").length]), [[" for positive", 0], [" against", 1]]);
});

test("the switch changes labels, never lengths, and stays over a redraw", () => {
  const page = load("waterfall.js");
  page.draw(waterfall());
  const box = () => page.root.querySelector(".fall");
  const lengths = () => page.root.querySelectorAll(".step").map((step) => [step.getAttribute("x"), step.getAttribute("width")].join());
  const before = lengths();
  const pressed = () => page.root.querySelectorAll(".unit-button").map((button) => [button.textContent, button.getAttribute("aria-pressed")]);
  assert.deepEqual(pressed(), [["%", "true"], ["log-odds", "false"]]);
  assert.ok(!box().classList.contains("in-figures"));
  page.root.querySelectorAll(".unit-button")[1].click();
  assert.deepEqual(pressed(), [["%", "false"], ["log-odds", "true"]]);
  assert.ok(box().classList.contains("in-figures"));
  assert.deepEqual(lengths(), before);
  assert.deepEqual(texts(page.root, ".answer .as-percent"), ["0%", "6%", "4%", "4.1%", "5%", "5%"]);
  assert.deepEqual(texts(page.root, ".answer .as-figure"), ["r0", "r6", "r4", "r4.1", "r5", "r5"]);
  assert.deepEqual(page.root.querySelectorAll(".fall-ticks text").map((label) => [label.textContent, label.getAttribute("class")]), [["50%", "as-percent"], ["0.00", "as-figure"], ["99%", "as-percent wide"], ["+5.00", "as-figure wide"]]);
  page.draw(waterfall());
  assert.ok(box().classList.contains("in-figures"));
});

test("a unit that is no log-odds has no percents and no switch", () => {
  const page = load("waterfall.js");
  const data = waterfall({ percents: false, of: "similarity", unit: "similarity" });
  for (const line of data.falls[0].rows) line.percent = "";
  for (const tick of data.falls[0].ticks) tick.percent = "";
  page.draw(data);
  assert.equal(page.root.querySelectorAll(".unit-button").length, 0);
  assert.deepEqual(texts(page.root, ".value.answer"), ["r0", "r6", "r4", "r4.1", "r5", "r5"]);
  assert.deepEqual(texts(page.root, ".fall-ticks text"), ["0.00", "+5.00"]);
  assert.match(page.root.querySelector(".fall-word").getAttribute("aria-label"), /^good: \+6\.00 similarity, for, answer r6$/);
});

test("rows are a table for screen readers, and each word says its step and the answer", () => {
  const page = load("waterfall.js");
  page.draw(waterfall());
  const [grid] = page.root.querySelectorAll('[role="table"]');
  assert.equal(grid.getAttribute("aria-label"), "Integrated gradients, Step by step");
  for (const line of lines(page.root)) assert.equal(line.querySelectorAll('[role="cell"]').length, 4);
  assert.deepEqual(texts(page.root, '[role="columnheader"]'), ["Word", "Bar", "score", "answer"]);
  const words = page.root.querySelectorAll(".fall-word");
  assert.deepEqual(words.map((word) => word.getAttribute("aria-label")), ["good: +6.00 log-odds, for, answer 6%", `${HOSTILE}: \u22122.00 log-odds, against, answer 4%`]);
  for (const drawing of page.root.querySelectorAll(".track-drawing")) assert.ok(drawing.closest('[aria-hidden="true"]'));
});

test("long and hostile words are text, cut with the whole word as title", () => {
  const page = load("waterfall.js");
  page.draw(waterfall());
  const [good, bad] = page.root.querySelectorAll(".fall-word");
  assert.equal(bad.textContent, `${HOSTILE.slice(0, 25)}\u2026`);
  assert.deepEqual([good.getAttribute("title"), bad.getAttribute("title"), bad.getAttribute("dir")], [null, HOSTILE, "auto"]);
  assert.equal(page.root.querySelectorAll("img").length, 0);
});

test("a word is picked by click and key, in all drawings of the group, and let go", () => {
  const page = load("waterfall.js");
  page.draw(waterfall());
  const picked = () => texts(page.root, ".picked .fall-word");
  const [good, bad] = page.root.querySelectorAll(".fall-word");
  lines(page.root)[1].click(); // anywhere in its row
  assert.deepEqual([picked(), good.getAttribute("aria-pressed"), page.picked], [["good"], "true", [[1]]]);
  good.focus();
  good.press("ArrowDown");
  bad.press("Enter");
  assert.deepEqual(page.picked[1], [2, 3]);
  bad.click();
  lines(page.root)[3].click(); // others are no word
  page.root.querySelector(".legend").click();
  good.press("Escape");
  assert.deepEqual([picked(), page.picked.slice(2)], [[], [[], []]]);
  assert.deepEqual(page.sent.map(([, { token }]) => token), [1, 2, null]);
  page.read("pick")("g", [3]);
  assert.deepEqual(picked(), [bad.textContent]);
  page.draw(waterfall({ chosen: [1] }));
  assert.deepEqual(picked(), ["good"]);
});

test("the card has the step, the answer in both units and what else is known", () => {
  const page = load("waterfall.js");
  page.draw(waterfall());
  const card = () => texts(page.root, ".tip div");
  const [reference, good] = lines(page.root);
  good.dispatch("pointerover");
  assert.deepEqual(card(), ["good", "+6.00 log-odds", "answer: 6% (r6 log-odds)", "+12.000 before the temperature"]);
  reference.dispatch("pointerover");
  assert.deepEqual(card(), ["without words", "answer: 0% (r0 log-odds)", "the empty text (mask)"]);
  page.root.querySelector(".fall").dispatch("pointerout");
  assert.equal(page.root.querySelector(".tip").style.opacity, 0);
  good.querySelector(".fall-word").focus();
  assert.equal(page.root.querySelector(".tip").style.opacity, 1);
  lines(page.root)[2].querySelector(".fall-word").focus();
  assert.equal(card()[0], HOSTILE);
});

test("the answer without each word begins every bar at the answer", () => {
  const page = load("waterfall.js");
  page.draw(other("without"));
  const [answer, good, bad] = lines(page.root);
  assert.equal(answer.querySelector("circle").getAttribute("cx"), "60.000%");
  assert.deepEqual([good, bad].map((line) => steps(line)[0].getAttribute("x")), ["0.000%", "60.000%"]);
  assert.deepEqual([answer, good, bad].map((line) => line.querySelectorAll(".link-line").map((link) => link.getAttribute("x1"))), [["60.000%"], ["60.000%"], ["60.000%"]]);
  good.dispatch("pointerover");
  assert.match(texts(page.root, ".tip .more")[0], /^answer without it: /);
  page.draw(other("without", { falls: [{ ...waterfall().falls[0], rows: [row("answer", "positive", 5, 5, "")] }] }));
  assert.equal(page.root.querySelectorAll(".link-line").length, 0);
});

test("bars begin at zero, have no answer and no arrows; sizes have no side", () => {
  const page = load("waterfall.js");
  const data = other("bars", { percents: false, of: "", signs: [] });
  for (const line of data.falls[0].rows) Object.assign(line, { side: "", running: "", percent: "" });
  page.draw(data);
  assert.equal(page.root.querySelectorAll(".cut").length + page.root.querySelectorAll(".link-line").length, 0);
  assert.deepEqual(page.root.querySelectorAll(".step").map((step) => step.getAttribute("class")), ["step even", "step even"]);
  assert.equal(page.root.querySelector(".fall-word").getAttribute("aria-label"), "good: +6.00");
  lines(page.root)[0].dispatch("pointerover");
  assert.deepEqual(texts(page.root, ".tip div").slice(0, 2), ["good", "+6.00"]);
  page.draw({ ...data, falls: [] });
  assert.equal(page.root.querySelectorAll("[data-row]").length, 0);
});

test("each of two texts has a table with its name", () => {
  const page = load("waterfall.js");
  const [fall] = waterfall().falls;
  const other = structuredClone(fall);
  page.draw(waterfall({ falls: [{ ...fall, label: "Premise" }, { ...other, label: "Hypothesis" }] }));
  assert.deepEqual(texts(page.root, ".fall-label"), ["Premise", "Hypothesis"]);
  assert.equal(page.root.querySelectorAll('[role="table"]')[1].getAttribute("aria-label"), "Integrated gradients, Step by step, Hypothesis");
  const numbers = lines(page.root).map((line) => +line.dataset.row);
  assert.deepEqual(numbers, numbers.map((_, place) => place));
});
