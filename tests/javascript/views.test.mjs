// Every view draws its golden data, the script's part of what Python's golden tests hold: text stays text, and is whole.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { ASSETS, GOLDEN, golden, load } from "./scripts.mjs";

const USES = { token_heatmap: ["text_marks.js"], hero: ["text_marks.js", "word_runs.js"], neuron_heatmap: ["text_marks.js"], compare: ["compared_words.js"], before_after: ["compared_words.js"] }; // as `View.uses` says
const DRAWN_BY = { neuron_heatmap: "token_heatmap", neuron_effects: "cut_effects", top_neurons: "cut_effects", pair_matrix: "similarity_matrix" };
const PROGRAMS = ["drawing.js", "text_marks.js", "word_runs.js", "compared_words.js", "bertviz.js", "bertviz_frame.js", "copy_link.js", "addresses.js", "mount.js"]; // no view with golden data
const UNSAVED = ["probabilities", "word_details", "method_tiles", "word_edits", "history"]; // a few figures, no picture
const SCRIPTS = readdirSync(ASSETS).filter((name) => name.endsWith(".js") && !PROGRAMS.includes(name));
const VIEWS = readdirSync(GOLDEN)
  .map((name) => name.replace(".json", ""))
  .filter((name) => SCRIPTS.includes(`${DRAWN_BY[name] ?? name}.js`));

const script = (view) => `${DRAWN_BY[view] ?? view}.js`;
const elements = (root) => [root, ...root.descendants];

/** Every string in data. */
function strings(data) {
  if (typeof data === "string") return [data];
  return data && typeof data === "object" ? Object.values(data).flatMap(strings) : [];
}

test("there are golden data for every script", () => {
  assert.deepEqual([...new Set(VIEWS.map(script))].toSorted(), SCRIPTS.toSorted());
});

for (const view of VIEWS) {
  test(`${view}: hostile text stays text`, () => {
    const { draw } = load(...(USES[view] ?? []), script(view));
    const root = draw(golden(view));
    for (const node of elements(root)) {
      assert.ok(!["SCRIPT", "IMG", "script", "image"].includes(node.tagName), node.tagName);
      for (const name of node.attributes.keys()) assert.doesNotMatch(name, /^on|^src|^href|[^\w-]/);
    }
  });

  test(`${view}: no number is undefined or not a number, on the screen, in its styles or for screen readers`, () => {
    const { draw } = load(...(USES[view] ?? []), script(view));
    for (const node of elements(draw(golden(view)))) {
      const styles = [...Object.values(node.style), ...node.style.custom.values()];
      for (const text of [node.textContent, ...node.attributes.values(), ...styles].filter((part) => typeof part === "string"))
        assert.doesNotMatch(text, /NaN|undefined|Infinity|\[object/);
    }
  });

  test(`${view}: its note is there, and drawing it anew changes nothing`, () => {
    const page = load(...(USES[view] ?? []), script(view));
    const data = golden(view);
    const shown = () => elements(page.root).map((node) => [node.tagName, ...node.attributes.entries()].join(" "));
    page.draw(data);
    const first = shown();
    if (data.note) assert.ok(page.root.textContent.includes(data.note));
    page.draw(data);
    assert.deepEqual(shown(), first);
  });

  test(`${view}: it is saved as a picture with its caption as title`, async () => {
    const page = load(...(USES[view] ?? []), script(view));
    const root = page.draw(golden(view));
    const [save] = root.querySelectorAll(".save");
    assert.equal(Boolean(save), !UNSAVED.includes(view));
    if (!save) return;
    save.click();
    await new Promise(setImmediate);
    assert.match(page.downloads[0].name, /^[a-z_\d.]+\.svg$/);
    const titled = page.blobs[0].text.replaceAll(/<\/text><text [^>]*>/g, " "); // a long title has several lines
    assert.ok(titled.startsWith("<svg ") && titled.endsWith(`${golden(view).caption}</text></svg>`));
    assert.doesNotMatch(page.blobs[0].text, /<script|NaN|undefined/);
  });

  test(`${view}: what can be chosen is reached by keyboard, and has a name`, () => {
    const page = load(...(USES[view] ?? []), script(view));
    const root = page.draw({ ...golden(view), sends: true });
    const buttons = root.querySelectorAll('[role="button"]');
    for (const node of buttons) assert.ok(node.getAttribute("aria-label") || node.textContent, view);
    const stages = root.querySelectorAll(".stage");
    for (const stage of stages) assert.equal(stage.tabIndex, 0);
    if (buttons.length) assert.ok(buttons.some((node) => node.tabIndex === 0));
  });
}

test("data in the dark are drawn in the dark's inks", () => {
  for (const view of ["token_heatmap", "phrase_bars", "agreement_matrix"]) {
    const page = load(...(USES[view] ?? []), script(view));
    const inks = () => elements(page.root).map((node) => node.style.backgroundColor ?? "").join();
    page.draw(golden(view));
    const light = inks();
    page.root.style.setProperty("--ground", "#14171c");
    page.draw(golden(view));
    assert.notEqual(inks(), light);
  }
});

test("golden data hold hostile text", () => {
  assert.ok(strings(golden("predicted_spans")).length > 0 && strings(golden("word_marks")).includes("script"));
});
