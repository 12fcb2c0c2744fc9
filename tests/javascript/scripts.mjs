// Loads the scripts as a page does: all in one scope, which tests read names from.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

import { fakePage } from "./fake_dom.mjs";

export const ASSETS = new URL("../../explain/views/assets/", import.meta.url);
export const GOLDEN = new URL("../golden/", import.meta.url);

/** Data of a view, as Python makes it for the golden files. */
export function golden(view) {
  return JSON.parse(readFileSync(new URL(`${view}.json`, GOLDEN), "utf-8"));
}

/**
 * A page that has run `drawing.js` and the named scripts after it.
 *
 * `read(expression)` evaluates an expression in their scope; `draw(data)` draws with the last script's `draw` into `root`,
 * an element of 900 by 600 pixels on a light ground; what is chosen in it is in `sent`, what is picked in `picked`.
 */
export function load(...names) {
  const page = fakePage();
  vm.createContext(page.window);
  return Object.assign(page, withScripts(page, ["drawing.js", ...names]));
}

/** As `load`, with code that a page runs between `drawing.js` and the scripts. */
export function loadAfter(code, ...names) {
  const page = fakePage();
  vm.createContext(page.window);
  runAsset(page, "drawing.js");
  vm.runInContext(code, page.window);
  return Object.assign(page, withScripts(page, names));
}

function withScripts(page, names) {
  for (const name of names) runAsset(page, name);
  const read = (expression) => vm.runInContext(expression, page.window);
  const { root, sent } = fakeRoot(page);
  const picked = [];
  page.window.addEventListener("explain:pick", (event) => picked.push([...event.detail.tokens]));
  const draw = (data) => {
    read("draw")(root, data);
    return root;
  };
  const addRoot = () => fakeRoot(page).root;
  return { read, root, sent, picked, draw, addRoot };
}

function fakeRoot(page) {
  const sent = [];
  const root = page.document.createElement("div");
  root.style.setProperty("--ground", "#ffffff");
  root.style.setProperty("--accent", "#2f6fd0");
  root.rect = { left: 0, top: 0, width: 900, height: 600 };
  root.explainSend = (name, value) => sent.push([name, JSON.parse(JSON.stringify(value))]);
  page.document.body.append(root);
  return { root, sent };
}

function runAsset(page, name) {
  const address = new URL(name, ASSETS);
  const script = new vm.Script(readFileSync(address, "utf-8"), { filename: fileURLToPath(address) });
  script.runInContext(page.window);
}

/** The texts of elements that match a selector. */
export function texts(root, selector) {
  return [...root.querySelectorAll(selector)].map((node) => node.textContent);
}

/** Base64 of a typed array's bytes, as Python packs numbers. */
export function base64(numbers) {
  return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString("base64");
}
