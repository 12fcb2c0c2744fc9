// A history: rows with a small heatmap; finding, naming, asking before what deletes, and saving.

import assert from "node:assert/strict";
import { test } from "node:test";

import { golden, load, texts } from "./scripts.mjs";

const sample = golden("history");
const row = (number, more = {}) => ({ ...sample.entries[1], id: String(number), title: "", text: `text ${number}`, words: [["", `text ${number}`, 0.5]], ...more });
const many = (count) => ({ ...sample, sends: true, entries: Array.from({ length: count }, (_, number) => row(number)) });
const named = (root, label) => root.querySelectorAll("button").find((node) => (node.getAttribute("aria-label") ?? node.textContent).startsWith(label));
const acts = (page) => page.sent.map(([, value]) => value);

test("a row has the decision, the name and the words with their colors", () => {
  const page = load("history.js");
  const root = page.draw({ ...sample, sends: true });
  const [starred, other] = root.querySelectorAll(".entry");
  assert.equal(starred.querySelector(".title").textContent, sample.entries[0].title);
  assert.equal(starred.querySelector(".star").getAttribute("aria-pressed"), "true");
  assert.equal(starred.querySelector(".heat").textContent, sample.entries[0].text); // without scores the text itself
  assert.equal(other.querySelector(".heat").textContent, sample.entries[1].words.map(([before, word]) => before + word).join(""));
  assert.equal(other.querySelectorAll(".against").length, 1);
  assert.equal(texts(root, ".note").join(), sample.note);
});

test("without a page around it nothing can be clicked", () => {
  const root = load("history.js").draw(sample);
  assert.equal(root.querySelectorAll(".entry button").length, 0);
  assert.deepEqual(texts(root, ".star"), ["\u2605", ""]);
});

test("what is done to an entry is sent", () => {
  const page = load("history.js");
  const root = page.draw({ ...many(1), links: false });
  assert.equal(named(root, "Copy link"), undefined);
  for (const label of ["Star", "Open again", "Save", "Remove"]) named(root, label).click();
  assert.deepEqual(acts(page).map(({ act, id }) => `${act} ${id}`), ["star 0", "open 0", "export 0", "remove 0"]);
  assert.equal(acts(page)[0].on, true);
});

test("few of many rows are drawn at first, and all are found", () => {
  const root = load("history.js").draw(many(200));
  assert.equal(root.querySelectorAll(".entry").length, 30);
  const sought = root.querySelector(".sought");
  sought.value = "TEXT 17";
  sought.oninput();
  assert.deepEqual(texts(root, ".heat"), ["text 17", ...Array.from({ length: 10 }, (_, number) => `text ${170 + number}`)]);
  sought.value = "zebras";
  sought.oninput();
  assert.equal(root.querySelectorAll(".entry").length, 0);
  assert.deepEqual(texts(root, ".entries"), ["Nothing here has these words."]);
  sought.value = "";
  sought.oninput();
  named(root, "All 200").click();
  assert.equal(root.querySelectorAll(".entry").length, 200);
});

test("an empty history says what will be here", () => {
  const root = load("history.js").draw({ ...sample, entries: [], sends: true });
  assert.match(root.textContent, /Nothing yet\./);
  assert.equal(named(root, "Clear all"), undefined);
});

test("an entry is named, and the same data leave what is typed", () => {
  const page = load("history.js");
  const data = many(2);
  const root = page.draw(data);
  named(root, "Rename: text 1").click();
  let field = root.querySelector(".naming");
  field.value = " mine ";
  field.oninput();
  page.draw(data);
  assert.equal(root.querySelector(".naming"), field);
  page.draw({ ...data, note: "other" });
  field = root.querySelector(".naming");
  assert.equal(field.value, " mine ");
  field.onkeydown({ key: "Enter", stopPropagation() {} });
  assert.deepEqual(acts(page)[0], { act: "rename", id: "1", title: "mine" });
  named(root, "Rename: text 1").click();
  root.querySelector(".naming").value = "not this";
  root.querySelector(".naming").onkeydown({ key: "Escape", stopPropagation() {} });
  assert.equal(page.sent.length, 1);
  assert.equal(root.querySelector(".naming"), null);
});

test("what deletes asks once more", () => {
  const page = load("history.js");
  const root = page.draw(many(2));
  named(root, "Clear all").click();
  assert.match(root.querySelector(".choices").textContent, /Delete 2 entries\?/);
  named(root, "Cancel").click();
  assert.equal(page.sent.length, 0);
  named(root, "Clear all").click();
  named(root, "Delete").click();
  const box = root.querySelectorAll("input").find((node) => node.getAttribute("type") === "checkbox");
  box.checked = true;
  box.onchange();
  assert.match(root.querySelector(".choices").textContent, /Delete 2 entries and keep none from now on\?/);
  named(root, "Delete").click();
  assert.deepEqual(acts(page), [{ act: "clear" }, { act: "pause", on: true }]);
});

test("a history that keeps nothing is switched on without a question", () => {
  const page = load("history.js");
  const root = page.draw({ ...many(0), paused: true });
  const box = root.querySelectorAll("input").find((node) => node.getAttribute("type") === "checkbox");
  assert.equal(box.checked, true);
  box.checked = false;
  box.onchange();
  assert.deepEqual(acts(page)[0], { act: "pause", on: false });
});

test("a file is saved once", () => {
  const page = load("history.js");
  const data = { ...many(1), file: { name: "explanation.json", content: "{}", number: "a" } };
  page.draw(data);
  page.draw(data);
  assert.deepEqual(page.downloads.map((file) => file.name), ["explanation.json"]);
  page.draw({ ...data, file: null });
  page.draw({ ...data, file: { ...data.file, number: "b" } });
  assert.equal(page.downloads.length, 2);
});

test("a link to an entry holds its id and nothing else", async () => {
  const page = load("history.js");
  const copied = [];
  page.window.navigator = { clipboard: { writeText: async (text) => copied.push(text) } };
  const root = page.draw({ ...many(1), links: true });
  const button = named(root, "Copy link");
  await button.onclick({ target: button });
  assert.match(copied[0], /\/\?entry=0$/);
  assert.equal(button.textContent, "Copied");
});
