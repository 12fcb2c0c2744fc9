// Numbers and colors as people see them, and the places of lines and labels.

import assert from "node:assert/strict";
import { test } from "node:test";

import { base64, load } from "./scripts.mjs";

const { read, root } = load();

function cases(name, ...rows) {
  const call = read(name);
  for (const [shown, ...values] of rows) assert.equal(call(...values), shown, `${name}(${values.join(", ")})`);
}

test("a number has three digits that matter, and a real minus", () => {
  cases(
    "figure",
    ["0", 0, true],
    ["0", -0, true],
    ["1234", 1234.4],
    ["100", 99.96],
    ["12.3", 12.345],
    ["10.0", 9.996],
    ["1.23", 1.2345],
    ["1.00", 0.9996],
    ["0.123", 0.12345],
    ["\u22121.50", -1.5],
    ["\u221212.3", -12.345, true],
  );
});

test("a plus stands only where signs matter", () => {
  cases("figure", ["+1.50", 1.5, true], ["1.50", 1.5, false], ["\u22121.50", -1.5, true], ["0", 0, true]);
});

test("what is too small to show is not shown as zero", () => {
  cases("figure", ["<0.001", 0.0004, true], [">\u22120.001", -0.0004, true], ["0.001", 0.0005], ["<0.001", 1e-300]);
});

test("a share is never rounded to all or to nothing", () => {
  cases(
    "percent",
    ["0%", 0],
    ["<0.1%", 0.0004],
    ["0.1%", 0.0006],
    ["9.9%", 0.099],
    ["10%", 0.1],
    ["50%", 0.5],
    ["99%", 0.994],
    ["99.6%", 0.996],
    [">99.9%", 0.9996],
    ["100%", 1],
  );
});

test("a score is shown in its unit, half an interval without a sign", () => {
  cases("score", ["+0.500", 0.5, { scale: "log_odds", signed: true }], ["50%", 0.5, { scale: "share", signed: false }]);
  cases("interval", ["\u00b1 0.500", 0.5, { scale: "log_odds", signed: true }]);
});

test("long names are cut by letters", () => {
  cases("shortened", ["short", "short"], ["fourteen chars", "fourteen chars"], ["a name that i\u2026", "a name that is longer"]);
  cases("shortened", ["ab\u2026", "abcd", 3]);
});

test("packed numbers come back to within half a step", () => {
  const unpack = read("unpack");
  const shares = [0, 0.25, 1];
  const packed = base64(Uint16Array.from(shares, (share) => Math.round(share * 65535)));
  [...unpack({ base64: packed, signed: false, largest: 3 })].forEach((number, place) =>
    assert.ok(Math.abs(number - 3 * shares[place]) <= 1.5 / 65535 + 1e-6),
  );
  const signed = base64(Int16Array.from([-32767, 0, 32767]));
  assert.deepEqual([...unpack({ base64: signed, signed: true, largest: 2 })], [-2, 0, 2]);
});

test("axis values are round, inside the axis and few", () => {
  const roundValues = read("roundValues");
  const close = (left, right) => left.forEach((number, place) => assert.ok(Math.abs(number - right[place]) < 1e-9));
  for (const [low, high, values] of [
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 2.5, [0, 0.5, 1, 1.5, 2, 2.5]],
    [-3, 7, [-2, 0, 2, 4, 6]],
    [0.31, 0.39, [0.32, 0.34, 0.36, 0.38]],
    [0, 1e6, [0, 2e5, 4e5, 6e5, 8e5, 1e6]],
  ]) {
    const axis = [...roundValues(low, high)];
    assert.equal(axis.length, values.length);
    close(axis, values);
  }
  assert.deepEqual([...roundValues(2, 2)], [2]);
  for (let scale = 1e-4; scale < 1e4; scale *= 1.7) {
    const axis = [...roundValues(-scale, 2 * scale)];
    assert.ok(axis.length >= 2 && axis.length <= 6, `${axis.length} values for ${scale}`);
    assert.ok(axis[0] >= -scale * (1 + 1e-6) && axis.at(-1) <= 2 * scale * (1 + 1e-6));
  }
});

test("labels are moved apart, in their order, and stay between two heights", () => {
  const apart = read("apart");
  assert.deepEqual([...apart([10, 100], 13, 0, 200)], [10, 100]);
  assert.deepEqual([...apart([50, 50, 50], 13, 0, 200)], [50, 63, 76]);
  assert.deepEqual([...apart([198, 196], 13, 0, 200)], [200, 187]);
  const heights = [5, 4, 90, 88, 40, 41, 42];
  const moved = [...apart(heights, 13, 0, 100)];
  const order = heights.map((_, place) => place).sort((left, right) => heights[left] - heights[right]);
  order.slice(1).forEach((place, before) => assert.ok(moved[place] - moved[order[before]] >= 13));
  assert.ok(Math.min(...moved) >= 0 && Math.max(...moved) <= 100);
});

test("dark and light are told by the ground, and each has its inks", () => {
  const isDark = read("isDark");
  assert.equal(isDark(root), false);
  const light = read("strongColor")(root, 1, true);
  root.style.setProperty("--ground", "#14171c");
  assert.equal(isDark(root), true);
  assert.notEqual(read("strongColor")(root, 1, true), light);
  root.style.setProperty("--ground", "#ffffff");
});

test("for is orange, against is blue, sizes are violet; strength is opacity", () => {
  const color = read("color");
  const opacity = read("INK").light.most;
  assert.equal(color(root, 1, true, 1), `rgba(217,115,13,${opacity.toFixed(3)})`);
  assert.equal(color(root, -1, true, 0.5), `rgba(47,111,208,${(opacity / 2).toFixed(3)})`);
  assert.equal(color(root, -1, false, 0.5, 1), "rgba(122,92,196,0.500)");
  assert.equal(read("strongColor")(root, 0.1, false), "rgb(122,92,196)");
  assert.equal(read("plain")("#ff8000"), "rgba(255,128,0,1.000)");
  const line = read("line");
  assert.equal(line(root, -1, true, 1), "rgba(47,111,208,1.000)");
  assert.equal(line(root, 1, true, 0.16), "rgba(217,115,13,0.400)");
  assert.equal(line(root, 1, false, 0.16), "rgba(122,92,196,0.400)");
});

test("inks are variables of the style sheet, a ramp goes from one end of the scale to the other", () => {
  read("inkVariables")(root);
  assert.equal(root.style.getPropertyValue("--for"), "rgb(217,115,13)");
  assert.equal(root.style.getPropertyValue("--against"), "rgb(47,111,208)");
  const parts = read("ramp")(root, true, 1).childNodes.map((part) => part.style.backgroundColor);
  assert.equal(parts.length, 25);
  assert.equal(parts[0], "rgba(47,111,208,1.000)");
  assert.equal(parts[12], "rgba(217,115,13,0.000)");
  assert.equal(parts[24], "rgba(217,115,13,1.000)");
  const sizes = read("ramp")(root, false, 1).childNodes.map((part) => part.style.backgroundColor);
  assert.deepEqual([sizes[0], sizes[24]], ["rgba(122,92,196,0.000)", "rgba(122,92,196,1.000)"]);
});
