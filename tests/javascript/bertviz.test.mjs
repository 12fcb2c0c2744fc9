// BertViz: the frame that it stands in, and the script that runs inside.

import assert from "node:assert/strict";
import { test } from "node:test";

import { load, loadAfter, texts } from "./scripts.mjs";

const DATA = { page: "<p>drawn</p>", height: 300, summary: "Head view", note: "A note." };

test("the frame may run scripts and save files, and reaches nothing else", () => {
  const page = load("bertviz.js");
  const frame = page.draw(DATA).querySelector("iframe");
  assert.equal(frame.getAttribute("sandbox"), "allow-scripts allow-downloads");
  assert.equal(frame.getAttribute("srcdoc"), DATA.page);
  assert.equal(frame.getAttribute("title"), DATA.summary);
  assert.deepEqual(texts(page.root, ".note"), ["A note."]);
});

test("the frame hears of the page only its look; a look asked for need not be the page's", () => {
  const page = load("bertviz.js");
  const look = (data) => JSON.parse(page.draw(data).querySelector("iframe").getAttribute("name"));
  assert.deepEqual(look(DATA), { dark: false, text: "rgba(0,0,0,1.000)", ground: "rgba(255,255,255,1.000)", accent: "rgba(47,111,208,1.000)" });
  assert.deepEqual(look({ ...DATA, dark: true }), { dark: true, text: "#e8eaed", ground: "#14171c", accent: "#6ea8ff" });
});

test("the frame gets the height it tells, up to a limit, and only from itself", () => {
  const page = load("bertviz.js");
  const frame = page.draw(DATA).querySelector("iframe");
  const heightAfter = (source, height) => {
    page.window.dispatchEvent({ type: "message", source, data: { height } });
    return frame.style.height;
  };
  assert.equal(frame.style.height, "300px");
  assert.equal(heightAfter(frame.contentWindow, 512), "512px");
  assert.equal(heightAfter({}, 700), "512px");
  for (const nonsense of [undefined, -1, "tall", NaN]) assert.equal(heightAfter(frame.contentWindow, nonsense), "512px");
  assert.equal(heightAfter(frame.contentWindow, 1e9), "10000px");
  page.draw(DATA);
  assert.equal(page.listeners.get("message").length, 1);
  page.root.remove();
  heightAfter(frame.contentWindow, 1);
  assert.equal(page.listeners.get("message").length, 0);
});

/** A page in the frame: `about` a view, with what bertviz drew in its body. */
function insideFrame(which, look, drawn = () => []) {
  const about = JSON.stringify({ which, layers: ["3", "4"], heads: ["0", "7"], caption: "BertViz" });
  const name = JSON.stringify(JSON.stringify(look));
  const page = loadAfter(`const about = ${about}; window.name = ${name};`, "bertviz_frame.js");
  const svg = page.read("svg");
  const html = page.read("html");
  const list = html("select", { id: "layer" }, html("option", {}, "0"), html("option", {}, "1"));
  list.selectedOptions = [list.childNodes[1]];
  const drawing = html("div", { id: "vis" }, ...drawn(svg, html));
  page.document.body.append(list, drawing);
  const messages = [];
  page.window.parent = { postMessage: (message, to) => messages.push([message.height, to]) };
  return { page, drawing, messages, svg, html };
}

test("in the frame, the page's look becomes variables of the style sheet", () => {
  const { page } = insideFrame("head", { text: "#111111", ground: "#222222", accent: "#333333", dark: true });
  const root = page.document.documentElement;
  assert.deepEqual(["text", "ground", "accent"].map((part) => root.style.getPropertyValue(`--page-${part}`)), ["#111111", "#222222", "#333333"]);
  assert.ok(root.classList.contains("dark"));
  assert.equal(page.read("unpacked")({ attention: {} }).display_mode, "dark");
});

test("parameters come as whole thousandths, of attention, queries and keys alike", () => {
  const { page } = insideFrame("neuron", {});
  const parameters = page.read("unpacked")({ attention: { all: { attn: [[1000, 250]], queries: [500], left_text: ["a"] } }, layer: 2 });
  assert.deepEqual(JSON.parse(JSON.stringify(parameters)), {
    attention: { all: { attn: [[1, 0.25]], queries: [0.5], left_text: ["a"] } },
    layer: 2,
    display_mode: "light",
  });
});

test("bertviz gets its two libraries without a loader", () => {
  const { page } = insideFrame("head", {});
  Object.assign(page.window, { jQuery: "jQuery", d3: "d3" });
  const libraries = [];
  page.read("requirejs")(["jquery", "d3"], (...handedOver) => libraries.push(...handedOver));
  assert.deepEqual(libraries, ["jQuery", "d3"]);
  assert.equal(page.read("require").config({}), undefined);
});

test("when bertviz has drawn, layers have their names, the height is told and pictures can be saved", () => {
  const { page, messages } = insideFrame("model", {});
  page.document.documentElement.rect = { left: 0, top: 0, width: 1280, height: 885 }; // of 900: a bar to scroll by
  page.document.body.rect = { left: 0, top: 0, width: 500, height: 480.5 };
  page.read("finish")();
  assert.deepEqual(texts(page.document.body, "option"), ["3", "4"]);
  assert.deepEqual(messages, [[481 + 15, "*"]]);
  assert.equal(page.document.body.querySelectorAll(".save").length, 2);
  assert.equal(page.read("caption")(), "BertViz; layer 4");
});

test("long tokens are cut to their room, and told in full on pointing", () => {
  const { page, svg } = insideFrame("model", {}); // room for 78 pixels
  const text = svg("text", {}, "a long token indeed");
  page.read("shorten")(text);
  const parts = () => text.childNodes.map((node) => node.textContent);
  assert.deepEqual(parts(), ["a long\u2026", "a long token indeed"]); // seven letters of 10 pixels, and a title
  page.read("shorten")(text);
  assert.deepEqual(parts(), ["a long\u2026", "a long token indeed"]);
});

test("a wide model view is made smaller, but not too small to be read", () => {
  const { page, drawing } = insideFrame("model", {});
  page.document.documentElement.rect = { left: 0, top: 0, width: 500, height: 100 };
  for (const [width, zoom] of [[400, 1], [625, 0.8], [5000, 0.6]]) {
    drawing.rect = { left: 0, top: 0, width, height: 100 };
    page.read("fit")();
    assert.equal(drawing.style.zoom, zoom);
  }
});

test("in the head view, squares have names, and lines the opacity of their weight", () => {
  const line = (svg, weight) => Object.assign(svg("line"), { __data__: weight });
  const { page, drawing } = insideFrame("head", {}, (svg) => [
    svg(
      "svg",
      {},
      svg("g", { id: "attention" }, svg("g", {}, line(svg, 0.005), line(svg, 0.5)), svg("g", {}, line(svg, 0.75))),
      svg("g", {}, svg("rect", { fill: "#ff0000" }), svg("rect", { fill: "rgb(9, 9, 9)" })),
    ),
  ]);
  page.read("polish")();
  assert.deepEqual(texts(drawing, "title"), ["head 0", "head 7"]);
  const [on, off] = drawing.querySelectorAll("rect");
  assert.ok(!on.classList.contains("off") && off.classList.contains("off"));
  const lines = drawing.querySelectorAll("line");
  assert.deepEqual(lines.map((node) => Number(node.getAttribute("stroke-opacity"))), [0.005, 0.5, 0]);
  assert.deepEqual(lines.map((node) => node.classList.contains("faint")), [true, false, true]);
});
