// Pictures that are saved: what is on the screen, as SVG and from that as PNG.

import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./scripts.mjs";

/** A page, and a box on it of 300 by 100 pixels, 50 from the left and 20 from the top. */
function boxOnPage() {
  const page = load();
  const box = page.read("html")("div", { class: "box" });
  box.rect = { left: 50, top: 20, width: 300, height: 100 };
  page.root.append(box);
  return { page, box, html: page.read("html"), svg: page.read("svg") };
}

/** The parts of a saved picture: [tag, attributes, text]. */
function parts(page, box, caption = "A caption") {
  const { text } = page.read("asSvg")(page.root, box, caption);
  return [...text.matchAll(/<([\w]+)((?: [\w:-]+="[^"]*")*)>([^<]*)/g)].map(([, tag, attributes, inner]) => [
    tag,
    Object.fromEntries([...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value])),
    inner,
  ]);
}

const only = (all, tag) => all.filter(([name]) => name === tag);

test("a picture is as large as the box, has its ground and its caption", () => {
  const { page, box } = boxOnPage();
  page.root.style.setProperty("--ground", "#14171c");
  const picture = page.read("asSvg")(page.root, box, "Scores <of> words");
  assert.deepEqual([picture.width, picture.height], [300 + 32, 100 + 32 + 26]);
  const [frame, ground, caption] = parts(page, box, "Scores");
  assert.equal(frame[1].viewBox, "0 -26 332 158");
  assert.equal(ground[1].fill, "rgba(20,23,28,1.000)");
  assert.deepEqual([caption[0], caption[2]], ["text", "Scores"]);
  assert.ok(picture.text.includes("Scores &lt;of>"));
  assert.ok(!box.classList.contains("saving"));
});

test("a long caption is a title of several lines above the box; a word that is longer than a line is broken", () => {
  const { page, box } = boxOnPage();
  const caption = `Integrated gradients: from no words to the answer ${"a".repeat(50)} end`;
  const titles = only(parts(page, box, caption), "text");
  assert.deepEqual(titles.map(([, , text]) => text), ["Integrated gradients: from no words to", "the answer", "a".repeat(40), `${"a".repeat(10)} end`]);
  assert.deepEqual(titles.map(([, { y }]) => +y), [0, 1, 2, 3].map((number) => 16 + 12 + 18 * number - 80));
  const picture = page.read("asSvg")(page.root, box, caption);
  assert.equal(picture.height, 100 + 32 + 80);
  assert.match(picture.text, / viewBox="0 -80 332 212"/);
  assert.deepEqual(only(parts(page, box, ""), "text").map(([, , text]) => text), [""]);
});

test("nothing scrolls while a picture is read, even if reading fails", () => {
  const { page, box } = boxOnPage();
  box.getBoundingClientRect = () => {
    assert.ok(box.classList.contains("saving"));
    throw new Error("no layout");
  };
  assert.throws(() => page.read("asSvg")(page.root, box, ""), /no layout/);
  assert.ok(!box.classList.contains("saving"));
});

test("text stands where the browser put it, each line by itself", () => {
  const { page, box, html } = boxOnPage();
  const word = html("span", {}, "aaaa bbbb cc");
  word.rect = { left: 60, top: 40, width: 50, height: 60 }; // five letters to a line
  word.style.fontSize = "10px";
  word.style.color = "rgb(10, 20, 30)";
  box.append(word);
  const lines = only(parts(page, box), "text").slice(0, -1);
  assert.deepEqual(lines.map(([, , text]) => text), ["aaaa ", "bbbb ", "cc"]);
  assert.deepEqual(lines.map(([, { x }]) => Number(x)), [26, 26, 26]); // 60 - 50 + the margin of 16
  const middle = (line) => 40 - 20 + 16 + 20 * line + 10 + 0.35 * 10;
  assert.deepEqual(lines.map(([, { y }]) => Number(y)), [0, 1, 2].map(middle));
  assert.deepEqual(lines.map(([, { textLength }]) => textLength), ["50.0", "50.0", "20.0"]);
  assert.equal(lines[0][1].fill, "rgba(10,20,30,1.000)");
});

test("text from right to left begins at the right; half of a pair of surrogates is never cut off", () => {
  const { page, box, html } = boxOnPage();
  const hebrew = html("span", {}, "\u05d0\u05d1");
  const smile = html("span", {}, "ab\u{1f600}");
  hebrew.style.setProperty("direction", "rtl"); // as a browser finds it for dir="auto"
  hebrew.rect = { left: 60, top: 40, width: 100, height: 20 };
  smile.rect = { left: 60, top: 40, width: 30, height: 40 }; // its second half would begin the next line
  box.append(hebrew, smile);
  const [right, face] = only(parts(page, box), "text");
  assert.equal(right[1].direction, "rtl");
  assert.equal(Number(right[1].x), 60 + 20 - 50 + 16);
  assert.deepEqual([face[2], face[1].direction], ["ab\u{1f600}", "ltr"]);
});

test("text that follows its own direction begins where its first letter says", () => {
  const { page, box, html } = boxOnPage();
  const rect = { left: 60, top: 40, width: 200, height: 20 };
  const nodes = ["1. \u05d0\u05d1 ab", "ab \u05d0\u05d1", "12"].map((text) => html("p", {}, text));
  for (const node of nodes) Object.assign(node, { rect }).style.unicodeBidi = "plaintext";
  const inside = html("span", {}, "\u05d0\u05d1 ab"); // a word of another script in an English sentence
  inside.rect = rect;
  box.append(...nodes, inside);
  const directions = only(parts(page, box), "text").map(([, { direction }]) => direction);
  assert.deepEqual(directions.slice(0, 4), ["rtl", "ltr", "ltr", "ltr"]);
});

test("an outline becomes a frame around the word", () => {
  const { page, box, html } = boxOnPage();
  const word = html("span", {});
  word.rect = { left: 60, top: 40, width: 50, height: 20 };
  Object.assign(word.style, { outlineStyle: "solid", outlineWidth: "2px", outlineOffset: "1px", outlineColor: "rgb(1, 2, 3)" });
  box.append(word);
  const frame = only(parts(page, box), "rect").map(([, look]) => look).find((look) => look.stroke);
  assert.equal(frame.stroke, "rgba(1,2,3,1.000)");
  assert.deepEqual([frame.x, frame.y, frame.width, frame.height].map(Number), [60 - 50 + 16 - 2, 40 - 20 + 16 - 2, 54, 24]);
});

test("spaces alone are not drawn, and what has no place stays with the text before it", () => {
  const { page, box, html } = boxOnPage();
  const word = html("span", {}, "a\nb");
  const blank = html("span", {}, "   ");
  for (const node of [word, blank]) node.rect = { left: 60, top: 40, width: 100, height: 20 };
  box.append(word, blank);
  assert.deepEqual(only(parts(page, box), "text").slice(0, -1).map(([, , text]) => text), ["a\nb"]);
});

test("grounds and lower borders become rectangles and lines; a dashed border is dashed", () => {
  const { page, box, html } = boxOnPage();
  const word = html("span", {});
  word.rect = { left: 60, top: 40, width: 50, height: 20 };
  Object.assign(word.style, {
    backgroundColor: "rgba(217,115,13,0.5)",
    borderTopLeftRadius: "3px",
    borderBottomWidth: "2px",
    borderBottomStyle: "dashed",
    borderBottomColor: "rgb(47,111,208)",
  });
  box.append(word);
  const all = parts(page, box);
  const ground = only(all, "rect")[1][1];
  assert.deepEqual([ground.x, ground.y, ground.width, ground.height, ground.rx], ["26", "36", "50", "20", "3"]);
  assert.equal(ground.fill, "rgba(217,115,13,0.502)"); // as a canvas keeps it, in 255 steps
  const border = only(all, "line")[0][1];
  assert.deepEqual([border.x1, border.x2, border.y1, border.y2], ["26", "76", "55", "55"]);
  assert.equal(border["stroke-dasharray"], "4 3");
});

test("what is hidden, and what belongs to the page, is in no picture", () => {
  const { page, box, html } = boxOnPage();
  const invisible = html("span", {}, "invisible");
  invisible.style.visibility = "hidden";
  const gone = html("span", {}, "gone");
  gone.style.display = "none";
  box.append(invisible, gone, html("div", { class: "tip" }, "card"), html("div", { class: "savers" }, "buttons"), html("script", {}, "code"));
  const { text } = page.read("asSvg")(page.root, box, "");
  for (const word of ["invisible", "gone", "card", "buttons", "code"]) assert.ok(!text.includes(word), word);
});

test("a canvas is kept as an image, a drawing with the styles it had", () => {
  const { page, box, html, svg } = boxOnPage();
  const canvas = html("canvas");
  canvas.rect = { left: 50, top: 20, width: 30, height: 30 };
  const group = svg("g");
  group.style.fill = "#ff0000";
  const faint = svg("line", { "stroke-opacity": 0.001 });
  const strong = svg("line", { "stroke-opacity": 0.5, class: "edge", style: "stroke: rgb(1, 2, 3)" });
  const unseen = svg("rect");
  unseen.style.display = "none";
  const inside = svg("circle", { class: "point" });
  inside.style.fill = "#ff0000";
  group.append(inside, faint, strong, unseen);
  const drawing = svg("svg", { viewBox: "0 0 10 10" }, group);
  drawing.rect = { left: 70, top: 40, width: 100, height: 50 };
  box.append(canvas, drawing);
  const all = parts(page, box);
  const [, image] = only(all, "image")[0];
  assert.deepEqual([image.x, image.y, image.width, image.height], ["16", "16", "30", "30"]);
  assert.ok(image.href.startsWith("data:image/png"));
  const copy = only(all, "svg")[1][1];
  assert.deepEqual([copy.x, copy.y, copy.width, copy.height, copy.viewBox], ["36", "36", "100", "50", "0 0 10 10"]);
  assert.equal(only(all, "g")[0][1].fill, "rgba(255,0,0,1.000)");
  assert.deepEqual(only(all, "circle")[0][1], {}); // the same fill as the group's: it has it from there
  assert.deepEqual(only(all, "line").map(([, attributes]) => attributes), [{ stroke: "rgba(1,2,3,1.000)", "stroke-opacity": "0.5" }]);
  assert.equal(only(all, "rect").length, 1);
});

test("both buttons save the picture under its name, and forget it afterwards", async () => {
  const { page, box } = boxOnPage();
  const source = () => page.read("asSvg")(page.root, box, "A caption");
  const bar = page.read("savers")(page.root, "key_phrases", source);
  const [asSvg, asPng] = bar.querySelectorAll("button");
  assert.equal(asSvg.getAttribute("aria-label"), "Save this picture as SVG");
  for (const button of [asSvg, asPng]) {
    assert.ok(button.click().defaultPrevented);
    await new Promise(setImmediate);
  }
  assert.deepEqual(page.downloads.map(({ name }) => name), ["key_phrases.svg", "key_phrases.png"]);
  assert.deepEqual(page.blobs.map(({ type }) => type), ["image/svg+xml", "image/png"]);
  assert.ok(page.blobs[0].text.startsWith("<svg "));
  page.timers.forEach((run) => run());
  assert.equal(page.revoked, "blob:2");
});

test("a PNG has twice the size, but no side over 8000 pixels", async () => {
  const { read } = load();
  const sizes = async (width, height) => {
    const blob = await read("toPng")({ text: "<svg/>", width, height });
    return [blob.width, blob.height];
  };
  assert.deepEqual(await sizes(332, 154), [664, 308]);
  assert.deepEqual(await sizes(500, 16000), [250, 8000]);
});

test("attributes that are null are left out, strings become text", () => {
  const { read } = load();
  const node = read("html")("p", { role: null, title: "<b>" }, "<i>", null, read("html")("b"));
  assert.deepEqual([...node.attributes], [["title", "<b>"]]);
  assert.deepEqual(node.childNodes.map((child) => child.nodeType), [3, 1]);
  assert.equal(read("unread")("the rest").textContent, "the rest");
});
