// Views of figures: bars, tables, grids and the attention graph say what their data say, and what is chosen in them is sent.

import assert from "node:assert/strict";
import { test } from "node:test";

import { base64, golden, load, texts } from "./scripts.mjs";

const sentValues = (page) => page.sent.map(([, value]) => value);

test("key phrases: a bar is as long as the effect, on the side of its sign, and picks its words", () => {
  const page = load("phrase_bars.js");
  const data = golden("phrase_bars");
  const [phrase] = data.phrases;
  data.largest = 2 * Math.abs(phrase.score);
  data.phrases = [phrase, { ...phrase, rank: 2, text: "less", score: -phrase.score / 2, tokens: [1] }];
  page.draw(data);
  assert.deepEqual(page.root.querySelectorAll(".fill").map(({ style }) => [style.width, style.left, style.right]), [["25%", "50%", undefined], ["12.5%", undefined, "50%"]]);
  const figures = data.phrases.map(({ score }) => page.read("figure")(score, true));
  assert.deepEqual(texts(page.root, ".bar .value"), figures);
  const [first, second] = page.root.querySelectorAll(".bar");
  assert.ok(first.getAttribute("aria-label").includes(`1 ${phrase.text} ${figures[0]}`));
  first.click();
  assert.deepEqual(page.root.querySelectorAll(".picked").map((node) => node.dataset.rank), ["1", "1"]); // in the text and in the list
  second.press("Enter");
  assert.deepEqual(page.picked, [phrase.tokens, [1]]);
  second.click();
  second.press("Escape");
  assert.deepEqual(page.picked.slice(2), [[], []]);
});

test("key phrases: the text is whole, and its phrases carry their numbers", () => {
  const page = load("phrase_bars.js");
  const data = golden("phrase_bars");
  data.texts[0].before = "before ";
  data.texts[0].unread = " not read";
  page.draw(data);
  const words = data.texts[0].parts.map(({ text, rank }) => text + (rank || "")).join("");
  assert.equal(page.root.querySelector(".text").textContent, `before ${words} not read`);
});

test("pairs: bars and intervals stand where their numbers say, and a pair is picked whole", () => {
  const page = load("pair_bars.js");
  const pair = (value, error, tokens) => ({ texts: ["not", "good"], tokens, value, error });
  page.draw({ ...golden("pair_bars"), largest: 2, pairs: [pair(-1, 0.5, [1, 2]), pair(2, 0, [2, 3])] });
  const place = ({ style }) => [style.left, style.width];
  assert.deepEqual(page.root.querySelectorAll(".fill").map(place), [["25%", "25%"], ["50%", "50%"]]);
  assert.deepEqual(page.root.querySelectorAll(".whisker").map(place), [["12.5%", "25%"]]);
  assert.deepEqual(texts(page.root, ".badges"), ["\u00b10.500", ""]);
  const [first, second] = page.root.querySelectorAll(".bar");
  second.click();
  assert.deepEqual(page.picked, [[2, 3]]);
  assert.ok(second.classList.contains("picked") && !first.classList.contains("picked"));
  second.click();
  first.press("Escape");
  assert.deepEqual(page.picked.slice(1), [[], []]);
  page.draw({ ...golden("pair_bars"), pairs: [] });
  assert.match(page.root.textContent, /There are no two words/);
});

test("effects: bars from the middle, a whisker for a range, and only rows with a value can be chosen", () => {
  const page = load("cut_effects.js");
  const row = (name, effect, more) => ({ name, claim: "12%", effect, flips: false, ...more });
  const rows = [row("head 3", -2, { value: { head: 3 }, flips: true, picked: true }), row("random heads", 1, { range: [-1, 1.5] })];
  page.draw({ ...golden("cut_effects"), sends: true, largest: 2, rows });
  const place = ({ style }) => [style.left, style.width];
  assert.deepEqual(page.root.querySelectorAll(".fill").map(place), [["0%", "50%"], ["50%", "25%"]]);
  assert.deepEqual(page.root.querySelectorAll(".whisker").map(place), [["25%", "62.5%"]]);
  const [head, random] = page.root.querySelectorAll(".cut-row");
  assert.deepEqual([head.getAttribute("class"), random.getAttribute("class")], ["cut-row open picked", "cut-row"]);
  assert.match(random.getAttribute("aria-label"), /from \u22121\.00 to \+1\.50 log-odds$/);
  assert.deepEqual(texts(page.root, ".badge"), ["changes the decision"]);
  head.click();
  random.click();
  head.press("Enter");
  head.press("Escape");
  assert.deepEqual(sentValues(page), [{ head: 3 }, { head: 3 }]);
});

test("whiskers: a word's score and its range share one scale, with and without signs", () => {
  const page = load("reference_whiskers.js");
  const data = golden("reference_whiskers");
  page.draw(data);
  const at = (value) => 50 + (50 * value) / data.largest;
  const shown = (kind) => page.root.querySelectorAll(kind).map(({ style }) => [parseFloat(style.left), parseFloat(style.width)]);
  const close = (left, right) => left.flat().forEach((number, place) => assert.ok(Math.abs(number - right.flat()[place]) < 1e-9));
  close(shown(".whisker"), data.words.map(({ low, high }) => [at(low), at(high) - at(low)]));
  close(shown(".fill"), data.words.map(({ score }) => [Math.min(50, at(score)), Math.abs(at(score) - 50)]));
  assert.equal(page.root.querySelectorAll(".badge").length, data.words.filter(({ changes }) => changes).length);
  page.draw({ ...data, signed: false });
  assert.equal(page.root.querySelector(".fill").style.width, `${(100 * data.words[0].score) / data.largest}%`);
});

test("head effects: a head is chosen by a click or Enter, the one chosen is marked", () => {
  const page = load("head_effects.js");
  page.draw({ ...golden("head_effects"), sends: true, chosen: [0, 1] });
  const cells = page.root.querySelectorAll(".effect");
  assert.deepEqual(texts(page.root, ".effect"), ["+0.500", "\u22122.00"]);
  assert.deepEqual(texts(page.root, ".flips"), ["\u22122.00"]);
  assert.deepEqual(texts(page.root, ".picked"), ["\u22122.00"]);
  assert.equal(cells[1].getAttribute("aria-label"), "layer 0, head 1: \u22122.00 log-odds, changes the decision");
  cells[0].click();
  cells[1].press(" ");
  cells[1].press("Escape");
  page.root.querySelector("table").click();
  assert.deepEqual(sentValues(page), [{ layer: 0, head: 0 }, { layer: 0, head: 1 }]);
});

test("head grid: each head's map is painted as its bytes say; a tile opens its head", () => {
  const page = load("head_grid.js");
  const data = golden("head_grid");
  data.heads = data.heads.slice(0, 2).map((head, place) => ({ ...head, map: base64(Uint8Array.from([0, 51, 102, 255])), value: place ? 0.5 : null }));
  page.draw({ ...data, sends: true, side: 2, largest: 1, figure: { name: "entropy", share: true }, chosen: [data.heads[1].layer, data.heads[1].head] });
  const [first, second] = page.root.querySelectorAll(".tile");
  const [small] = first.querySelector("canvas").getContext("2d").images;
  const alphas = small.getContext("2d").images[0].data.filter((_, place) => place % 4 === 3);
  assert.deepEqual([...alphas], [0, 51, 102, 255]);
  assert.deepEqual([first.getAttribute("class"), second.getAttribute("class")], ["tile", "tile picked"]);
  assert.equal(second.querySelector(".amount").style.getPropertyValue("--part"), "50%");
  assert.match(second.getAttribute("aria-label"), /: entropy 50%$/);
  second.click();
  first.press("Enter");
  first.press("Escape");
  assert.deepEqual(sentValues(page), [data.heads[1], data.heads[0]].map(({ layer, head }) => ({ layer, head })));
  page.draw({ ...data, heads: [] });
  assert.match(page.root.textContent, /No head has that much/);
});

test("attention matrix: a cell says where a token looks, and sends both tokens", () => {
  const page = load("attention_matrix.js");
  const data = { ...golden("attention_matrix"), sends: true };
  page.draw(data);
  const stage = page.root.querySelector(".stage");
  stage.press("ArrowDown");
  stage.press("Enter");
  const [name, number] = texts(page.root, ".tip div");
  assert.equal(name, `${data.units[1].text} \u2192 ${data.units[0].text}`);
  assert.match(number, data.share ? /% of its attention$/ : /\d$/);
  assert.deepEqual(sentValues(page), [{ token: data.units[1].tokens[0], source: data.units[0].tokens[0] }]);
  assert.deepEqual(page.picked, [data.units[1].tokens]);
});

test("similarity matrix: a cell picks the words of both texts, and the sum stands above", () => {
  const page = load("similarity_matrix.js");
  const data = golden("similarity_matrix");
  page.draw(data);
  assert.equal(page.root.firstChild.firstChild.textContent, data.sum);
  const stage = page.root.querySelector(".stage");
  stage.press("ArrowRight");
  stage.press("Enter");
  assert.deepEqual(page.picked, [[...data.rows[0].tokens, ...data.columns[1].tokens]]);
});

test("confusion matrix: right ones on the diagonal, names slanted where there are many", () => {
  const page = load("confusion_matrix.js");
  const data = golden("confusion_matrix");
  page.draw(data);
  const cells = page.root.querySelectorAll("td");
  assert.deepEqual(cells.map((cell) => Number(cell.textContent)), data.counts.flat());
  assert.deepEqual(cells.slice(0, 3).map((cell) => cell.getAttribute("class")), ["", "wrong", "none"]);
  assert.equal(cells[3].getAttribute("title"), `2 of those that are b taken for ${data.labels[0]} (33%)`);
  assert.equal(page.root.querySelectorAll(".slanted").length, 0);
  const labels = Array.from({ length: 7 }, (_, number) => `a label as long as this ${number}`);
  const square = labels.map(() => labels.map(() => 1 / 7));
  page.draw({ ...data, labels, counts: square, shares: square });
  assert.equal(texts(page.root, ".slanted svg text")[0], "a label as long a\u2026");
});

test("agreement matrix: what can't be compared is a dash, words in dispute have each score and place", () => {
  const page = load("agreement_matrix.js");
  const data = golden("agreement_matrix");
  data.rows[0][1] = null;
  page.draw(data);
  const [matrix, disputes] = page.root.querySelectorAll("table");
  assert.equal(texts(matrix, "td")[1], "\u2013");
  const { word, scores, places, signs } = data.disputed[0];
  assert.equal(texts(disputes, "th").at(-data.disputed.length), word);
  const shown = scores.map((score, number) => `${page.read("figure")(score, signs[number])} (no. ${places[number]})`);
  assert.deepEqual(texts(disputes, "td").slice(0, scores.length), shown);
  page.draw({ ...data, disputed: [] });
  assert.equal(page.root.querySelectorAll("table").length, 1);
});

test("state similarity: cosines with two digits, and none that is a negative zero", () => {
  const page = load("state_similarity.js");
  page.draw({ ...golden("state_similarity"), values: [[1, -0.004, -0.25], [-0.004, 1, 0.5], [-0.25, 0.5, 1]] });
  assert.deepEqual(texts(page.root, "td").slice(0, 3), ["1.00", "0.00", "\u22120.25"]);
  assert.deepEqual(texts(page.root, ".against"), ["\u22120.25", "\u22120.25"]);
});

test("probabilities: each label's share, or its logit where there is none", () => {
  const page = load("probabilities.js");
  const data = golden("probabilities");
  page.draw(data);
  assert.deepEqual(page.root.querySelectorAll(".fill").map(({ style }) => style.width), data.rows.map(({ probability }) => `${100 * probability}%`));
  assert.deepEqual(texts(page.root, ".label-row .value"), data.rows.map(({ probability }) => page.read("percent")(probability)));
  assert.equal(page.root.querySelectorAll(".label-row.decided").length, data.rows.filter(({ decided }) => decided).length);
  const rows = data.rows.map((row) => ({ ...row, probability: null, log_odds: null, logit: 1.5 }));
  page.draw({ ...data, rows });
  assert.deepEqual(texts(page.root, ".label-row .value"), rows.map(() => "+1.50"));
});

test("layer readings: the likeliest words at the mask, layer by layer", () => {
  const page = load("layer_readings.js");
  const data = golden("layer_readings");
  const words = data.means.map((_, layer) => [{ word: `word ${layer}`, share: 0.25 }]);
  page.draw({ ...data, words });
  assert.deepEqual(texts(page.root, ".words tr"), ["inputword 025%", "layer 0word 125%", "layer 1word 225%"]);
  page.draw({ ...data, lines: [], target: null });
  assert.equal(page.root.querySelectorAll(".chart").length, 0);
});

test("layer states: a token is chosen in the strip where the page listens", () => {
  const page = load("layer_states.js");
  page.draw({ ...golden("layer_states"), sends: true });
  const stage = page.root.querySelector(".stage");
  stage.press("ArrowRight");
  stage.press("Enter");
  assert.deepEqual(sentValues(page), [{ token: 1 }]);
});

/** An attention graph of two layers over three tokens; an edge is [layer, to, from, weight]. */
function graph(more = {}) {
  const page = load("layer_graph.js");
  const tokens = ["a", "good", "film"].map((text, index) => ({ index, text, special: false, segment: index === 2 ? 1 : 0 }));
  const edges = [[0, 0, 1, 0.5], [1, 2, 0, 0.25], [0, 2, 2, 1]];
  page.draw({ ...golden("layer_graph"), sends: true, layers: [3, 4], tokens, texts: ["first text", "second text"], edges, share: true, signed: false, ...more });
  const on = () => page.root.querySelectorAll("path.on").map((edge) => edge.dataset.edge).toSorted();
  const point = (column, token) => page.root.querySelectorAll("circle").find(({ dataset }) => dataset.column === `${column}` && dataset.token === `${token}`);
  return { page, on, point, edges: page.root.querySelectorAll("path") };
}

test("attention graph: where rows are below its edge, their number stands there, until it is scrolled to the end", () => {
  const { page } = graph();
  const [frame, scroll] = [".window", ".scroll"].map((part) => page.root.querySelector(part));
  const told = () => [texts(page.root, ".more-below")[0], frame.classList.contains("cut-below")];
  assert.deepEqual(told(), ["", false]);
  Object.assign(scroll, { scrollTop: 0, scrollLeft: 0, rect: { ...scroll.rect, height: 50 } }); // rows at 39, 61, and 109
  scroll.observer.react();
  assert.deepEqual(told(), ["2 more", true]);
  scroll.scrollTop = 30;
  scroll.onscroll();
  assert.deepEqual(told(), ["1 more", true]);
  scroll.scrollTop = 100;
  scroll.onscroll();
  assert.deepEqual(told(), ["", false]);
});

test("attention graph: a line is as wide and as opaque as its weight, a pair's texts stand apart", () => {
  const { page, edges } = graph();
  assert.deepEqual(edges.map((edge) => Number(edge.getAttribute("stroke-width"))), [0.5 + 1.75, 0.5 + 0.875, 4].map((width) => Number(width.toFixed(2))));
  assert.deepEqual(texts(page.root, "text.label"), ["input", "layer 3", "layer 4", "first text", "second text"]);
  const heights = page.root.querySelectorAll("circle").slice(0, 3).map((point) => Number(point.getAttribute("cy")));
  assert.deepEqual([heights[1] - heights[0], heights[2] - heights[1]], [22, 22 + 26]);
});

test("attention graph: a point traces all paths through it, and names what it attends to most", () => {
  const { page, on, point } = graph();
  point(1, 0).dispatch("pointerover");
  assert.deepEqual(on(), ["0,0,1", "1,2,0"]);
  const card = texts(page.root, ".tip div");
  assert.deepEqual(card.slice(0, 2), ["a", "after layer 3"]);
  assert.match(card[2], /good: 50%$/);
  point(1, 0).dispatch("pointerout");
  assert.deepEqual(on(), []);
  point(0, 2).dispatch("pointerover");
  assert.deepEqual(on(), ["0,2,2"]);
  assert.equal(texts(page.root, ".tip div")[1], "input");
});

test("attention graph: a line says whose attention it is, and is chosen by a click", () => {
  const { page, edges } = graph();
  edges[1].dispatch("pointerover");
  const [name, number] = texts(page.root, ".tip div");
  assert.equal(name, "film \u2190 a");
  assert.match(number, /^layer 4: 25%/);
  edges[1].click();
  assert.deepEqual(sentValues(page), [{ layer: 4, token: 2, source: 0 }]);
});

test("attention graph: a point that is clicked is kept, and let go by a second click or another pick", () => {
  const { page, on, point } = graph();
  point(1, 0).click();
  point(0, 2).dispatch("pointerover");
  point(0, 2).dispatch("pointerout");
  assert.deepEqual(on(), ["0,0,1", "1,2,0"]);
  assert.deepEqual(texts(page.root, "text.picked"), ["aa", "aa"]); // its name on both sides, each with a title
  point(1, 0).click();
  assert.deepEqual(on(), []);
  point(0, 1).click();
  page.read("pick")(golden("layer_graph").group, [2]);
  assert.deepEqual(on(), []);
  assert.deepEqual(sentValues(page), [{ token: 0, layer: 3 }, { token: null }, { token: 1, layer: null }]);
});

test("attention graph: names on the right are walked by keyboard", () => {
  const { page, on } = graph();
  const names = page.root.querySelectorAll('[role="button"]');
  assert.deepEqual(names.map((name) => name.getAttribute("aria-label")), ["a", "good", "film"].map((text) => `${text}: trace what it attends to`));
  names[0].focus();
  names[0].press("End");
  assert.equal(page.document.activeElement, names[2]);
  assert.deepEqual(on(), ["0,0,1", "1,2,0"]); // film looks at a, and a at good
  names[2].press("Enter");
  assert.deepEqual(names.map((name) => name.getAttribute("aria-pressed")), ["false", "false", "true"]);
  names[2].press("Escape");
  assert.deepEqual(page.picked, [[2], []]);
});

test("attention graph: what was chosen before is traced from the start, where it is still drawn", () => {
  const { page, on } = graph({ chosen: [1, 0, 1] });
  assert.deepEqual(on(), ["0,0,1", "1,2,0"]);
  assert.deepEqual(page.root.querySelectorAll(".chosen").map((edge) => edge.dataset.edge), ["0,0,1"]);
  assert.deepEqual(graph({ chosen: [7, 0, 1] }).on(), []);
});

test("attention graph: signed weights are told apart by class, long names are cut", () => {
  const tokens = [{ index: 0, text: "a token that is longer than fits", special: true }];
  const { page, edges } = graph({ signed: true, share: false, tokens, edges: [[0, 0, 0, -1], [1, 0, 0, 1]] });
  assert.deepEqual(edges.map((edge) => edge.getAttribute("class")), ["edge against", "edge for"]);
  assert.equal(page.root.querySelector("text.special").childNodes[0].textContent, "a token that is\u2026");
  assert.equal(page.root.querySelector("text.special title").textContent, tokens[0].text);
});
