// Views of texts: words by score, words that are marked, spans that were predicted, a link to the page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { golden, load, texts } from "./scripts.mjs";

/** Data of a heatmap of one text, and of its words. */
function heatmap(words, more = {}) {
  const units = words.map(([text, score, unit = {}], place) => ({
    text, score, error: null, rank: place + 1, tokens: [place + 1], parts: [[text, score]], special: false, gap: place ? " " : "", ...unit,
  }));
  return {
    title: "Occlusion", method: "occlusion", group: "g", scale: "log_odds", unit: "log-odds", signed: true, largest: 2, count: words.length,
    for: "for positive", against: "against", texts: [{ label: "text", before: "", units, tail: "", unread: "" }], note: "", caption: "", chosen: null, sends: true,
    ...more,
  };
}

test("a word's tint is its share of the largest score, its side is in class, name and line", () => {
  const page = load("text_marks.js", "token_heatmap.js");
  page.draw(heatmap([["good", 2], ["bad", -1], ["film", 0]]));
  const words = page.root.querySelectorAll(".w");
  assert.deepEqual(words.map((word) => word.getAttribute("class")), ["w for", "w against", "w"]);
  assert.deepEqual(words.map((word) => word.getAttribute("aria-label")), ["good: +2.00", "bad: \u22121.00", "film: 0"]);
  const most = page.read("INK").light.most;
  assert.deepEqual(words.map((word) => word.style.backgroundColor.match(/[\d.]+(?=\))/)[0]), [most, most / 2, 0].map((part) => part.toFixed(3)));
  assert.deepEqual(texts(page.root, ".legend .end"), ["against \u22122.00", "+2.00 for positive"]);
  assert.deepEqual(texts(page.root, ".legend .key"), [" for", " against"]);
});

test("a score without a sign has a scale from zero; all scores zero divide by nothing", () => {
  const page = load("text_marks.js", "token_heatmap.js");
  page.draw(heatmap([["good", 0.4]], { signed: false, scale: "share", largest: 0.4 }));
  assert.deepEqual(texts(page.root, ".legend .end"), ["0%", "40%"]);
  page.draw(heatmap([["good", 0]], { largest: 0 }));
  assert.ok(page.root.querySelector(".w").style.backgroundColor.endsWith(",0.000)"));
});

test("words that touch are joined, what was not read and what is special is told apart", () => {
  const page = load("text_marks.js", "token_heatmap.js");
  const data = heatmap([["is", 1], ["n't", 1, { gap: "" }], ["[SEP]", 0, { special: true }]]);
  data.texts.push({ ...data.texts[0], label: "second text", before: "cut off ", unread: " and the rest", tail: "!" });
  page.draw(data);
  assert.deepEqual(texts(page.root, ".joined").slice(0, 1), ["n't"]);
  assert.deepEqual(texts(page.root, ".joins").slice(0, 1), ["is"]);
  assert.deepEqual(texts(page.root, ".special").slice(0, 1), ["[SEP]"]);
  assert.deepEqual(texts(page.root, ".which"), ["text", "second text"]);
  assert.deepEqual(texts(page.root, ".unread"), ["cut off ", " and the rest"]);
  assert.equal(page.root.querySelectorAll(".text")[1].textContent, "second textcut off isn't [SEP]! and the rest");
});

test("the card of a word has its score, rank, pieces and interval", () => {
  const page = load("text_marks.js", "token_heatmap.js");
  page.draw(heatmap([["isn't", 1, { error: 0.25, parts: [["isn", 0.75], ["##t", null]] }], ["it", 0, { rank: null }]]));
  const [word, plain] = page.root.querySelectorAll(".w");
  word.dispatch("pointerover");
  const card = () => texts(page.root, ".tip div");
  assert.deepEqual(card(), ["isn't", "+1.00 log-odds", "1. of 2 by size", "isn +0.750   ##t", "\u00b1 0.250 (95%)"]);
  plain.focus();
  assert.deepEqual(card(), ["it", "0 log-odds"]);
  word.dispatch("pointerout");
  assert.equal(page.root.querySelector(".tip").style.opacity, 0);
});

test("a word is picked by a click or Enter, let go by a second one or Escape, in all drawings of the group", () => {
  const page = load("text_marks.js", "token_heatmap.js");
  page.draw(heatmap([["good", 2], ["bad", -1]]));
  const other = page.addRoot();
  page.read("draw")(other, heatmap([["good", 1], ["bad", 1]]));
  const [good, bad] = page.root.querySelectorAll(".w");
  const picked = (root) => texts(root, ".picked");
  good.click();
  assert.deepEqual([picked(page.root), picked(other)], [["good"], ["good"]]);
  assert.equal(good.getAttribute("aria-pressed"), "true");
  good.focus();
  good.press("ArrowRight");
  bad.press("Enter");
  assert.deepEqual([picked(page.root), picked(other)], [["bad"], ["bad"]]);
  bad.click();
  assert.deepEqual(picked(other), []);
  good.click();
  good.press("Escape");
  assert.deepEqual(picked(page.root), []);
  assert.deepEqual(page.sent.map(([, { token }]) => token), [1, 2, null, 1]);
  page.root.querySelector(".legend").click();
  assert.equal(page.sent.length, 4);
});

test("a word chosen before is marked from the start", () => {
  const page = load("text_marks.js", "token_heatmap.js");
  page.draw(heatmap([["good", 2], ["bad", -1]], { chosen: [2] }));
  assert.deepEqual(texts(page.root, ".picked"), ["bad"]);
});

function marks(marked = []) {
  const page = load("word_marks.js");
  const units = ["a", "good", "film", "indeed"].map((text, number) => ({ text, number, gap: number ? " " : "" }));
  const data = { of: "1", sends: true, count: 4, marked, texts: [{ label: "text", before: "", units, tail: "", unread: "" }], caption: "" };
  page.draw(data);
  const words = page.root.querySelectorAll(".w");
  const markedPlaces = () => words.map((word, place) => (word.classList.contains("marked") ? place : -1)).filter((place) => place >= 0);
  return { page, data, words, marked: markedPlaces, clear: page.root.querySelector(".link"), status: () => texts(page.root, "[role=\"status\"]")[0] };
}

test("a click marks a word and tells the page; a second one takes the mark away", () => {
  const { page, words, marked, status } = marks();
  words[1].click();
  assert.deepEqual([marked(), status(), words[1].getAttribute("aria-pressed")], [[1], "1 of 4 words marked", "true"]);
  words[1].click();
  assert.deepEqual([marked(), status()], [[], "0 of 4 words marked"]);
  assert.deepEqual(page.sent.map(([, sent]) => sent), [{ of: "1", words: [1] }, { of: "1", words: [] }]);
});

test("with Shift, all words from the last one on get its mark, in either direction", () => {
  const { words, marked } = marks();
  words[3].click();
  words[1].click({ shiftKey: true });
  assert.deepEqual(marked(), [1, 2, 3]);
  words[2].click(); // takes the mark away
  words[3].click({ shiftKey: true });
  assert.deepEqual(marked(), [1]);
  assert.ok(words[0].dispatch("mousedown", { shiftKey: true }).defaultPrevented);
  assert.ok(!words[0].dispatch("mousedown", { shiftKey: false }).defaultPrevented);
});

test("the keyboard marks as the mouse does", () => {
  const { words, marked, page } = marks();
  words[0].focus();
  const press = (key, properties) => page.document.activeElement.press(key, properties);
  press("Enter");
  press("ArrowRight");
  press("ArrowRight");
  press(" ", { shiftKey: true });
  assert.deepEqual(marked(), [0, 1, 2]);
  press("End");
  press("Enter", { shiftKey: false });
  assert.deepEqual(marked(), [0, 1, 2, 3]);
});

test("Clear takes all marks away and hands the focus to the first word", () => {
  const { page, words, marked, clear } = marks([1, 2]);
  words[0].click();
  assert.deepEqual([marked(), clear.disabled], [[0, 1, 2], false]);
  clear.click();
  assert.deepEqual([marked(), clear.disabled, page.document.activeElement], [[], true, words[0]]);
  words[3].click({ shiftKey: true }); // there is no last one any more
  assert.deepEqual(marked(), [3]);
});

test("an answer to a click does not draw over newer marks, another text does", () => {
  const { page, data, words, marked } = marks();
  words[0].click();
  page.draw({ ...data, marked: [] });
  assert.deepEqual(marked(), [0]);
  page.draw({ ...data, of: "2", marked: [3] });
  assert.deepEqual(texts(page.root, ".marked"), ["indeed"]);
});

test("predicted spans hold their words and the name of their kind; a word can be asked about", () => {
  const page = load("predicted_spans.js");
  const unit = (text, position, span, more = {}) => ({ text, position, span, kind: span === null ? null : span, asked: false, gap: position ? " " : "", ...more });
  const units = [unit("Marie", 0, 0), unit("Curie", 1, 0), unit("saw", 2, null), unit("Paris", 3, 1, { asked: true })];
  const row = (label, text, words, kind) => ({ label, text, words, kind, probability: 0.996 });
  const data = {
    texts: [{ label: "text", before: "", units, tail: ".", unread: "" }],
    kinds: ["PER", "LOC"],
    rows: [row("PER", "Marie Curie", [1, 2], 0), row("LOC", "Paris", [4, 4], 1)],
    note: "", caption: "Entities", sends: true,
  };
  page.draw(data);
  assert.deepEqual(page.root.querySelectorAll("mark").map((mark) => [mark.textContent, mark.getAttribute("class")]), [["Marie CuriePER", "span kind0"], ["ParisLOC", "span kind1"]]);
  assert.equal(page.root.querySelector(".text").textContent, "Marie CuriePER saw ParisLOC.");
  assert.deepEqual(texts(page.root, "tr"), ["PERMarie Curiewords 1\u2013299.6%", "LOCParisword 499.6%"]);
  const words = page.root.querySelectorAll(".w");
  assert.deepEqual(words.map((word) => word.getAttribute("aria-pressed")), ["false", "false", "false", "true"]);
  words[2].click();
  words[3].press("Enter");
  assert.deepEqual(page.sent.map(([, sent]) => sent), [{ position: 2 }, { position: 3 }]);
  page.draw({ ...data, sends: false, rows: Array.from({ length: 13 }, () => data.rows[0]) });
  assert.equal(page.root.querySelector(".w").getAttribute("role"), null);
  assert.equal(page.root.querySelectorAll(".scroll table tr").length, 13);
});

test("the asked word is marked above the key phrases, with one label for neighbours", () => {
  const page = load("phrase_bars.js");
  const data = golden("phrase_bars");
  const plain = { rank: 0, ends: [], asked: true };
  const parts = [{ ...plain, text: "Marie" }, { ...plain, text: " Curie" }, { ...plain, text: " was", asked: false }];
  page.draw({ ...data, asked: "asked", texts: [{ ...data.texts[0], before: "", unread: "", parts }] });
  assert.deepEqual(texts(page.root, ".w.asked"), ["Marie", " Curie"]);
  assert.equal(page.root.querySelector(".text").textContent, "Marie Curieasked was");
});

test("details of picked words have each method's score in its unit, and the pieces", () => {
  const page = load("word_details.js");
  const data = golden("word_details");
  page.draw(data);
  assert.deepEqual(texts(page.root, ".word > .name"), [data.words[data.strongest].text]); // until one is picked
  const word = data.words.find(({ pieces }) => pieces.length > 1);
  page.read("pick")(data.group, word.tokens.slice(0, 1));
  assert.deepEqual(texts(page.root, "code"), word.pieces.map(([piece]) => piece));
  const rows = page.root.querySelectorAll(".effect-row").map((row) => [".name", ".value", ".unseen"].map((part) => texts(row, part)[0]));
  assert.deepEqual(rows.map(([title]) => title), word.scores.map(([method]) => data.methods[method].title));
  word.scores.forEach(([method, value, rank, count], place) => {
    const how = data.methods[method];
    assert.equal(rows[place][1], page.read("score")(value, how));
    assert.equal(rows[place][2], `${how.unit}, ${rank}. of ${count} by size`);
  });
  page.read("pick")(data.group, data.words.flatMap(({ tokens }) => tokens));
  assert.equal(page.root.querySelectorAll(".word").length, 12);
  assert.equal(texts(page.root, ".note")[0], `${data.words.length - 12} more words are marked; pick them one by one to see their numbers.`);
});

test("details say which piece the model does not know, and a score's interval", () => {
  const page = load("word_details.js");
  page.draw({
    group: "g",
    chosen: [], strongest: 0,
    methods: { lime: { title: "LIME", scale: "log_odds", signed: true, unit: "log-odds", largest: 2 } },
    words: [{ text: "xyz", tokens: [1], pieces: [["[UNK]", 1, true]], scores: [["lime", 1, 1, 1, 0.5]], attention: {}, neuron: null }],
  });
  page.read("pick")("g", [1]);
  assert.deepEqual(texts(page.root, ".unknown"), ["[UNK]"]);
  assert.equal(texts(page.root, ".value")[0], "+1.00 \u00b1 0.500");
});

test("details of a picked word name its attention and its top neuron; a click on either is told", () => {
  const page = load("word_details.js");
  const data = {
    group: "g", sends: true, chosen: [], strongest: 0, methods: {}, awaited: true,
    hints: { to: "to others", from: "from others", neuron: "above elsewhere" },
    words: [
      { text: "good", tokens: [1], pieces: [["good", 1, false]], scores: [], attention: { to: [[1, 0.25]], from: [] }, neuron: null },
      { text: "film", tokens: [2], pieces: [["film", 2, false]], scores: [], attention: {}, neuron: ["2.107", 3.5, -0.5] },
    ],
  };
  page.draw(data);
  assert.deepEqual(texts(page.root, ".word > .name"), ["good"]); // the strongest
  assert.equal(page.root.querySelectorAll(".close").length, 0);
  page.read("pick")("g", [1]);
  assert.deepEqual(texts(page.root, ".partners"), ["to to othersfilm 25% "]);
  assert.match(page.root.textContent, /Being computed/);
  page.root.querySelector(".partners button").click();
  assert.deepEqual(texts(page.root, ".word > .name"), ["film"]);
  assert.deepEqual(texts(page.root, ".neuron"), ["2.107 +3.50 elsewhere \u22120.500above elsewhere"]);
  page.root.querySelector(".neuron button").click();
  assert.deepEqual(page.sent.map(([, sent]) => sent), [{ token: 2 }, { neuron: "2.107", token: 2 }]);
  page.draw({ ...data, awaited: false, sends: false, chosen: [1] });
  assert.doesNotMatch(page.root.textContent, /Top neuron/);
});

async function copied(data, label) {
  const page = load("copy_link.js");
  page.draw(data);
  page.root.querySelectorAll("button").find((button) => button.textContent === label).click();
  await new Promise(setImmediate);
  return page;
}

test("a link holds the settings; the text only if it is asked for, and then not the example's name", async () => {
  const data = { texts: { text: "A good & quiet film?", pair: "No." }, longest: 100 };
  const bare = await copied(data, "Copy link");
  assert.deepEqual(bare.clipboard, ["http://localhost:8501/?example=irony"]);
  assert.equal(texts(bare.root, "[role=\"status\"]")[0], "Copied.");
  const whole = new URL((await copied(data, "Copy link with text")).clipboard[0]);
  assert.deepEqual(Object.fromEntries(whole.searchParams), { text: "A good & quiet film?", pair: "No." });
});

test("a link without texts, or with one that is too long, says so", () => {
  const page = load("copy_link.js");
  const status = () => texts(page.root, "[role=\"status\"]")[0];
  page.draw({ texts: {}, longest: 10 });
  assert.match(status(), /holds the settings, not the texts/);
  page.draw({ texts: { text: "eleven chars" }, longest: 10 });
  assert.match(status(), /too long for a link \(more than 10 characters\)/);
  assert.deepEqual(texts(page.root, "button"), ["Copy link"]);
});

test("where nothing may be copied, the link is there to be copied by hand", async () => {
  const page = load("copy_link.js");
  page.window.navigator.clipboard.writeText = async () => {
    throw new Error("denied");
  };
  page.draw({ texts: {}, longest: 10 });
  page.root.querySelector("button").click();
  await new Promise(setImmediate);
  assert.equal(page.selected, page.root.querySelector("input"));
  assert.equal(page.selected.getAttribute("value"), "http://localhost:8501/?example=irony");
});

test("links that were just made stand in fields, each with a button that copies it", async () => {
  const page = load("addresses.js");
  const secret = "a-_B";
  const addresses = [
    { label: "This opens it", path: "/", parameters: { saved: secret } },
    { label: "<b>This deletes it", path: "/library", parameters: { delete: "x&y" } },
  ];
  page.draw({ addresses });
  const fields = page.root.querySelectorAll("input").map((field) => field.getAttribute("value"));
  assert.deepEqual(fields, ["http://localhost:8501/?saved=a-_B", "http://localhost:8501/library?delete=x%26y"]);
  assert.deepEqual(texts(page.root, "label"), ["This opens it", "<b>This deletes it"]);
  page.root.querySelectorAll("button")[1].click();
  await new Promise(setImmediate);
  assert.deepEqual(page.clipboard, [fields[1]]);
  assert.deepEqual(texts(page.root, "button"), ["Copy", "Copied"]);
  page.window.navigator.clipboard.writeText = async () => {
    throw new Error("denied");
  };
  page.root.querySelectorAll("button")[0].click();
  await new Promise(setImmediate);
  assert.equal(page.selected, page.root.querySelectorAll("input")[0]);
});

test("edits: what is removed and what is added are told apart by element, the answer by its path", () => {
  const page = load("counterfactual_edits.js");
  page.draw(golden("counterfactual_edits"));
  assert.deepEqual(texts(page.root, "ins"), ["not", "<b>"]);
  assert.deepEqual(texts(page.root, "del"), ["film"]);
  assert.deepEqual(texts(page.root, ".artefact .path"), ["positive 88% \u2192 negative 75%: \u22122.0 \u2192 \u22120.5 \u2192 +1.5"]);
  page.draw({ ...golden("counterfactual_edits"), parts: [], none: "None found." });
  assert.equal(page.root.querySelectorAll("section").length, 0);
  assert.ok(texts(page.root, ".note")[0].endsWith("None found."));
});
