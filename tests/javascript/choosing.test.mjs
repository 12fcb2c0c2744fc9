// What is chosen by pointer and keyboard, and what is picked in all drawings at once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { load, texts } from "./scripts.mjs";

/** A list of rows that the keyboard walks over; `events` holds what was chosen and let go. */
function walkedList(page, count = 3) {
  const html = page.read("html");
  const box = html("ul", {}, ...Array.from({ length: count }, (_, number) => html("li", { class: "row" }, `${number}`)));
  page.root.append(box);
  const events = [];
  page.read("walkable")(box, ".row", (row) => events.push(row.textContent), () => events.push("let go"));
  const rows = box.querySelectorAll(".row");
  rows[0].focus();
  return { box, rows, events, press: (key) => page.document.activeElement.press(key) };
}

test("one item of a list is in the tab order; arrows walk, Home and End jump, and none leaves the list", () => {
  const page = load();
  const { rows, press } = walkedList(page);
  const inTabOrder = () => rows.map((row) => row.tabIndex === 0);
  assert.deepEqual(inTabOrder(), [true, false, false]);
  const steps = { ArrowRight: [1, 2, 2], ArrowLeft: [1, 0, 0], ArrowDown: [1, 2, 2], ArrowUp: [1, 0, 0], End: [2], Home: [0] };
  for (const [key, places] of Object.entries(steps))
    for (const place of places) {
      const before = rows.indexOf(page.document.activeElement);
      assert.equal(press(key).defaultPrevented, before !== place || key === "Home" || key === "End");
      assert.equal(rows.indexOf(page.document.activeElement), place, key);
      assert.deepEqual(inTabOrder(), rows.map((_, row) => row === place));
    }
});

test("Enter and Space choose the item, Escape lets go, other keys are the page's", () => {
  const page = load();
  const { events, press } = walkedList(page);
  press("End");
  for (const key of ["Enter", " ", "Escape"]) assert.ok(press(key).defaultPrevented);
  assert.ok(!press("Tab").defaultPrevented && !press("a").defaultPrevented);
  assert.deepEqual(events, ["2", "2", "let go"]);
});

test("keys pressed beside the items do nothing", () => {
  const page = load();
  const { box, events } = walkedList(page);
  assert.ok(!box.press("Enter").defaultPrevented);
  assert.deepEqual(events, []);
});

/** A stage of 2 rows and 3 columns; each cell is 10 pixels; `log` holds what was shown, hidden and chosen. */
function walkedCells(page, rows = 2, columns = 3) {
  const stage = page.read("html")("div");
  page.root.append(stage);
  const log = [];
  page.read("walkCells")(page.root, stage, rows, columns, {
    place: ({ x, y }) => (x >= 0 && x < 10 * columns ? [Math.floor(y / 10), Math.floor(x / 10)] : null),
    show: (row, column) => {
      log.push(`show ${row},${column}`);
      return stage;
    },
    hide: () => log.push("hide"),
    choose: (row, column) => log.push(`choose ${row},${column}`),
  });
  return { stage, log };
}

test("the pointer shows the cell it is at, a click chooses it", () => {
  const page = load();
  const { stage, log } = walkedCells(page);
  stage.dispatch("pointermove", { x: 25, y: 12 });
  stage.dispatch("pointermove", { x: -5, y: 12 });
  stage.click({ x: 5, y: 5 });
  stage.click({ x: 99, y: 5 });
  stage.dispatch("pointerleave");
  assert.deepEqual(log, ["show 1,2", "hide", "show 0,0", "choose 0,0", "hide"]);
});

test("arrow keys walk over cells and stop at the edges; Enter chooses only what was walked to", () => {
  const page = load();
  const { stage, log } = walkedCells(page);
  assert.equal(stage.tabIndex, 0);
  stage.press("Enter");
  assert.deepEqual(log, []);
  for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowUp", " "])
    assert.ok(stage.press(key).defaultPrevented);
  assert.deepEqual(log, ["show 0,1", "show 0,2", "show 0,2", "show 1,2", "show 1,2", "show 1,1", "show 0,1", "choose 0,1"]);
  assert.ok(!stage.press("Tab").defaultPrevented);
  stage.press("Escape");
  assert.equal(log.at(-1), "hide");
});

test("the cell is kept when the drawing is made anew, unless it is gone", () => {
  const page = load();
  walkedCells(page).stage.click({ x: 25, y: 12 });
  const again = walkedCells(page);
  again.stage.press("Enter");
  assert.deepEqual(again.log, ["choose 1,2"]);
  const smaller = walkedCells(page, 2, 2);
  smaller.stage.press("Enter");
  smaller.stage.press("ArrowDown");
  assert.deepEqual(smaller.log, ["show 1,0"]);
});

test("a drawing made anew has the keyboard where it was", () => {
  const page = load();
  const html = page.read("html");
  const draw = (root, labels) => root.replaceChildren(...labels.map((label) => html("button", {}, label)));
  const redraw = page.read("redraw");
  redraw(draw, page.root, ["one", "two"]);
  assert.equal(page.document.activeElement, null);
  page.root.childNodes[1].focus();
  redraw(draw, page.root, ["one", "two", "three"]);
  assert.equal(page.document.activeElement, page.root.childNodes[1]);
  redraw(draw, page.root, []);
  assert.deepEqual(texts(page.root, "button"), []);
});

test("a pick reaches every drawing of its group, and none that has left the page", () => {
  const page = load();
  const [pick, onPick] = [page.read("pick"), page.read("onPick")];
  const heard = [];
  const other = page.addRoot();
  onPick(page.root, "a", (tokens) => heard.push(["first", ...tokens]));
  onPick(other, "b", (tokens) => heard.push(["second", ...tokens]));
  pick("a", [1, 2, 2]);
  pick("b", []);
  assert.deepEqual(heard, [["first", 1, 2], ["second"]]);
  onPick(page.root, "a", (tokens) => heard.push(["drawn anew", ...tokens]));
  other.remove();
  pick("a", [3]);
  pick("b", [4]);
  assert.deepEqual(heard.slice(2), [["drawn anew", 3]]);
  assert.equal(page.listeners.get("explain:pick").length, 2); // the drawing's, and the one that tests read
});

test("what is chosen is sent only where a page listens", () => {
  const page = load();
  const send = page.read("send");
  send(page.root, { sends: true }, { token: 3 });
  send(page.root, { sends: false }, { token: 4 });
  send(page.read("html")("div"), { sends: true }, { token: 5 });
  assert.deepEqual(page.sent, [["chosen", { token: 3 }]]);
});

test("a card stands above what it is about, below it at the upper edge, and stays inside the box", () => {
  const page = load();
  const html = page.read("html");
  const box = html("div");
  box.rect = { left: 100, top: 100, width: 300, height: 200 };
  const tip = page.read("tooltip")(box);
  const card = box.lastChild;
  card.rect = { left: 0, top: 0, width: 80, height: 30 };
  const anchor = html("span");
  const shownAt = (left, top) => {
    anchor.rect = { left, top, width: 10, height: 10 };
    tip.show(anchor, [["name", "a <b> word"], ["number", "+1.00"]]);
    return [card.style.left, card.style.top, card.style.opacity];
  };
  assert.deepEqual(shownAt(200, 200), ["100px", "64px", 1]);
  assert.deepEqual(shownAt(390, 110), ["216px", "26px", 1]);
  assert.deepEqual(shownAt(90, 200), ["0px", "64px", 1]);
  assert.deepEqual([...card.childNodes].map((node) => node.textContent), ["a <b> word", "+1.00"]);
  tip.hide();
  assert.equal(card.style.opacity, 0);
});
