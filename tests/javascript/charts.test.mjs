// Charts, strips and matrices: everything stands where its number says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { base64, load, texts } from "./scripts.mjs";

const percent = (share) => `${Math.round(100 * share)}%`;

function chart(options) {
  const page = load();
  const box = page.read("html")("div");
  page.root.append(box);
  const tip = page.read("tooltip")(box);
  const drawing = page.read("lineChart")(tip, { title: "Accuracy", low: 0, high: 1, say: percent, width: 400, ticks: [], ...options });
  box.append(drawing);
  return { page, box, drawing };
}

const numbers = (text) => text.split(" ").map((point) => point.split(",").map(Number));

test("lines go from left to right and from bottom to top of the axis", () => {
  const lines = [{ name: "model", points: [[0, 0, "start"], [0.5, 0.5, "middle"], [1, 1, "end"]] }];
  const { drawing } = chart({ lines, ticks: [[0, "none"], [1, "all"]] });
  const [line] = drawing.querySelectorAll("polyline");
  assert.deepEqual(numbers(line.getAttribute("points")), [[64, 180], [172, 97], [280, 14]]); // 64 left, 120 right, 14 above, 30 below
  assert.deepEqual(texts(drawing, "text.label"), ["0%", "20%", "40%", "60%", "80%", "100%", "none", "all"]);
  const ticks = drawing.querySelectorAll("text").filter((text) => ["none", "all"].includes(text.textContent));
  assert.deepEqual(ticks.map((text) => Number(text.getAttribute("x"))), [64, 280]);
  assert.equal(drawing.getAttribute("aria-label"), "Accuracy: model 0%, 50%, 100%");
  assert.equal(drawing.querySelectorAll(".zero").length, 1);
});

test("a band lies below and above its middle", () => {
  const band = { lower: [[0, 0.2], [1, 0.2]], middle: [[0, 0.5], [1, 0.5]], upper: [[0, 0.8], [1, 0.8]] };
  const { drawing } = chart({ lines: [{ name: "model", points: [[0, 1, ""], [1, 1, ""]] }], band });
  const heights = numbers(drawing.querySelector("polygon").getAttribute("points")).map(([, y]) => y);
  const close = (left, right) => assert.ok(Math.abs(left - right) < 1e-9, `${left} is not ${right}`);
  [0.8, 0.8, 0.2, 0.2].forEach((share, place) => close(heights[place], 14 + 166 * (1 - share)));
  assert.equal(drawing.querySelector(".middle").getAttribute("points"), "64,97 280,97");
});

test("names of lines that end together do not cover each other, and long ones are cut", () => {
  const line = (name) => ({ name, points: [[0, 0.5, ""], [1, 0.5, ""]] });
  const { drawing } = chart({ lines: [line("a"), line("b"), line("a name that is much longer than fits")] });
  const heights = drawing.querySelectorAll("text.end").map((text) => Number(text.getAttribute("y")));
  heights.slice(1).forEach((height, before) => assert.ok(height - heights[before] >= 13));
  assert.equal(texts(drawing, "text.end").at(-1), "a name that is much lon\u2026");
});

test("a few words can stand after a name, even a long one", () => {
  const line = (name) => ({ name, after: "beats 90%", points: [[0, 0.5, ""], [1, 0.5, ""]] });
  const { drawing } = chart({ lines: [line("a"), line("a name that is much longer than fits")] });
  assert.deepEqual(texts(drawing, "text.end"), ["a, beats 90%", "a name that is much lon\u2026, beats 90%"]);
});

test("a point that is pointed at says where it is; points of a long line are faint", () => {
  const points = Array.from({ length: 26 }, (_, place) => [place / 25, place / 25, `step ${place}`]);
  const { box, drawing } = chart({ lines: [{ name: "loss", style: 7, points }] });
  const dots = drawing.querySelectorAll("circle");
  assert.ok(dots.every((dot) => dot.classList.contains("faint") && dot.classList.contains("line2")));
  dots[5].dispatch("pointerover");
  assert.deepEqual(box.querySelector(".tip").childNodes.map((node) => node.textContent), ["loss", "step 5: 20%"]);
  dots[5].dispatch("pointerout");
  assert.equal(box.querySelector(".tip").style.opacity, 0);
});

test("an axis of one value does not divide by zero", () => {
  const { drawing } = chart({ low: 2, high: 2, lines: [{ name: "flat", points: [[0, 2, ""], [1, 2, ""]] }] });
  assert.ok(!drawing.querySelector("polyline").getAttribute("points").includes("NaN"));
});

function strip(options = {}) {
  const page = load();
  const box = page.read("html")("div");
  const choices = [];
  const tip = page.read("tooltip")(box);
  const node = page.read("tokenStrip")(page.root, tip, {
    base64: base64(Uint16Array.from([0, 13107, 26214, 39321, 52428, 65535])), // 0 to 1 in fifths
    signed: false,
    largest: 1,
    title: "Similarity",
    tokens: ["[CLS]", "a very long token", "end"],
    names: ["input", "layer 0"],
    means: [0.2, 0.8],
    full: 1,
    width: 200,
    say: percent,
    choose: (place) => choices.push({ ...place }),
    ...options,
  });
  box.append(node);
  page.root.append(box);
  const canvas = node.querySelector("canvas");
  canvas.rect = { left: 10, top: 10, width: 72, height: 40 };
  return { box, canvas, choices, node, stage: node.querySelector(".stage") };
}

test("a strip has a row for each layer, with its name and mean, and a cell of color for each token", () => {
  const { canvas, node } = strip();
  assert.deepEqual(node.querySelectorAll(".strip-names").map((column) => texts(column, "span")), [["input", "layer 0"], ["20%", "80%"]]);
  assert.deepEqual(texts(node, ".strip-heads text"), ["[CLS]", "a very long t\u2026", "end"]);
  assert.deepEqual([canvas.style.width, canvas.style.height, canvas.style.cursor], ["72px", "40px", "pointer"]);
  const [small] = canvas.getContext("2d").images;
  const alphas = small.getContext("2d").images[0].data.filter((_, place) => place % 4 === 3);
  assert.deepEqual([...alphas], [0, 51, 102, 153, 204, 255]);
  assert.equal(canvas.getAttribute("aria-label"), "Similarity: input 20%, layer 0 80% on average");
});

test("the pointer reads a cell of a strip, a click chooses its layer and token", () => {
  const { box, choices, stage } = strip();
  stage.dispatch("pointermove", { clientX: 10 + 25, clientY: 10 + 21 });
  assert.deepEqual(box.querySelector(".tip").childNodes.map((line) => line.textContent), ["a very long token", "layer 0: 80%"]);
  assert.ok(box.querySelector(".spot").classList.contains("on"));
  stage.click({ clientX: 10 + 49, clientY: 10 });
  assert.deepEqual(choices, [{ layer: 0, token: 2 }]);
  for (const [clientX, clientY] of [[9, 20], [10 + 72, 20], [20, 9], [20, 51]]) stage.click({ clientX, clientY });
  assert.equal(choices.length, 1);
  stage.dispatch("pointerleave");
  assert.ok(!box.querySelector(".spot").classList.contains("on"));
});

test("a strip marks chosen tokens, and one of many tokens has no names above", () => {
  const marked = strip({ chosen: [1], choose: null });
  assert.deepEqual(marked.node.querySelectorAll(".kept").map(({ style }) => [style.left, style.width]), [["24px", "24px"]]);
  assert.deepEqual(texts(marked.node, ".strip-heads .on"), ["a very long t\u2026"]);
  marked.stage.click({ clientX: 20, clientY: 20 });
  const narrow = strip({ width: 154 });
  assert.deepEqual(texts(narrow.node, ".strip-heads text"), []);
});

function matrix(data = {}, form = {}) {
  const page = load();
  const unit = (text, token, more) => ({ text, tokens: [token], ...more });
  const rows = [unit("[CLS]", 0, { special: true }), unit("good", 1)];
  const columns = [unit("a", 2), unit("fine", 3), unit("film", 4, { segment: 1 })];
  page.read("drawMatrix")(
    page.root,
    {
      weights: { base64: base64(Int16Array.from([32767, 0, -32767, 16384, 0, 0])), signed: true, largest: 2 },
      signed: true,
      full: 2,
      largest: 2,
      caption: "Attention",
      note: "A note.",
      group: "g",
      sends: true,
      ...data,
    },
    {
      rows,
      columns,
      stem: "matrix",
      amount: (number) => page.read("figure")(number, true),
      unit: " log-odds",
      of: " of it",
      relation: "\u2192",
      cell: 40,
      picked: (row, column) => [...row.tokens, ...column.tokens],
      told: (row, column) => ({ token: row.tokens[0], source: column.tokens[0] }),
      ...form,
    },
  );
  const canvas = page.root.querySelector("canvas");
  canvas.rect = { left: 118, top: 92, width: 120, height: 80 };
  return { page, canvas, stage: page.root.querySelector(".stage") };
}

test("a matrix has names beside it, numbers in it where they fit, and colors by sign", () => {
  const { page, canvas } = matrix({}, { numbers: true });
  assert.deepEqual(texts(page.root, "text.token"), ["[CLS]", "good", "a", "fine", "film"]);
  assert.deepEqual(texts(page.root, "text.special"), ["[CLS]"]);
  assert.deepEqual(texts(page.root, "text.second"), ["film"]);
  assert.deepEqual(texts(page.root, "text.cell"), ["+2.00", "0", "\u22122.00", "+1.00", "0", "0"]);
  const [small] = canvas.getContext("2d").images;
  const { data } = small.getContext("2d").images[0];
  const ink = page.read("INK").light;
  assert.deepEqual([...data.slice(0, 3)], [...ink.for]);
  assert.deepEqual([...data.slice(8, 11)], [...ink.against]);
  assert.equal(data[3], Math.round(255 * ink.most)); // numbers stay readable on the strongest
  assert.deepEqual(texts(page.root, ".legend > span").filter(Boolean), ["\u22122.00", "+2.00 log-odds"]);
});

test("a cell is shown, chosen, kept and picked", () => {
  const { page, stage } = matrix();
  const rectangle = (kind, place = 0) => {
    const node = page.root.querySelectorAll(`rect.${kind}`)[place];
    return ["x", "y", "width", "height"].map((name) => Number(node.getAttribute(name)));
  };
  stage.dispatch("pointermove", { clientX: 118 + 85, clientY: 92 + 5 });
  assert.deepEqual(texts(page.root, ".tip div"), ["[CLS] \u2192 film", "\u22122.00 of it"]);
  assert.deepEqual(rectangle("mark"), [198, 92, 40, 40]);
  stage.click({ clientX: 118 + 85, clientY: 92 + 45 });
  assert.deepEqual(rectangle("kept", 0), [118, 132, 120, 40]); // its row
  assert.deepEqual(rectangle("kept", 1), [198, 92, 40, 80]); // its column
  assert.deepEqual(page.picked, [[1, 4]]);
  assert.deepEqual(page.sent, [["chosen", { token: 1, source: 4 }]]);
  stage.click({ clientX: 117, clientY: 92 });
  assert.equal(page.sent.length, 1);
  stage.dispatch("pointerleave");
  assert.deepEqual(rectangle("mark"), [0, 0, 0, 0]);
});

test("what is chosen already is kept: a cell, or a row alone", () => {
  const kept = (chosen) =>
    matrix({ chosen }).page.root.querySelectorAll("rect.kept").map((node) => [Number(node.getAttribute("width")), Number(node.getAttribute("height"))]);
  assert.deepEqual(kept([1, 2]), [[120, 40], [40, 80]]);
  assert.deepEqual(kept([1, null]), [[120, 40], [0, 0]]);
});

test("weights above full color are said, and small cells have no names", () => {
  const { page } = matrix({ full: 1 }, { cell: 8 });
  assert.deepEqual(texts(page.root, ".legend > span").filter(Boolean), ["\u22121.00", "\u2265 +1.00 log-odds", "largest +2.00"]);
  assert.deepEqual(texts(page.root, "text.token"), []);
});
