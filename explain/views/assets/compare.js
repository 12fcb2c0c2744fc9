// Two explanations side by side: each word of A above its word of B, both by tint on one scale, and a bar for the difference below.

function draw(root, data) {
  const box = html("div", { class: "compare" });
  const tip = tooltip(box);
  box.prepend(answers(root, data), ...data.methods.map((method) => panel(root, data, method)));
  if (data.note) box.append(html("p", { class: "note" }, data.note));
  box.append(savers(root, "compare", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);

  const rows = data.methods.map((method) => method.texts.flatMap((text) => text.rows));
  const row = (cell) => rows[+cell.dataset.method].find((each) => each.row === +cell.dataset.row);
  const tell = (cell) => tip.show(cell, description(data.methods[+cell.dataset.method], row(cell)));
  const mark = (number) => {
    for (const cell of box.querySelectorAll("[data-row]")) {
      const on = +cell.dataset.row === number;
      cell.classList.toggle("picked", on);
      cell.setAttribute("aria-pressed", on);
    }
  };
  const choose = (cell) => {
    const again = cell.classList.contains("picked"); // lets go of it
    mark(again ? -1 : +cell.dataset.row);
    send(root, data, { row: again ? null : +cell.dataset.row, tokens: again ? [[], []] : row(cell).tokens });
  };
  const at = (event) => event.target.closest("[data-row]");
  box.onpointerover = (event) => at(event) && tell(at(event));
  box.onpointerout = () => tip.hide();
  box.addEventListener("focusin", (event) => at(event) && tell(at(event)));
  box.addEventListener("focusout", () => tip.hide());
  box.onclick = (event) => at(event) && choose(at(event));
  walkable(box, "[data-row]", choose, () => mark(-1));
}

/** What the model says of A and of B, and how far the target's value moved. */
function answers(root, data) {
  const { sides, difference, largest, unit } = data.answers;
  const list = html("ul", { class: "bars answers", "aria-label": "Answers" });
  sides.forEach((side, number) => {
    const value = figure(side.value, true);
    const bar = difference === null ? null : track(root, side.value, largest);
    const name = html("span", { class: "name", title: side.text }, html("b", {}, data.names[number]), " ", html("bdi", {}, side.text));
    list.append(html("li", { class: "bar" }, name, bar ?? html("span"), html("span", { class: "value" }, value), html("span", { class: "badges" }, side.after)));
  });
  if (difference !== null) {
    const name = html("span", { class: "name" }, html("b", {}, "B \u2212 A"));
    list.append(html("li", { class: "bar moved" }, name, track(root, difference, largest), html("span", { class: "value" }, figure(difference, true)), html("span", { class: "badges" }, unit)));
  }
  return list;
}

/** A bar from the middle of its track: to the right for a value above zero, to the left below. */
function track(root, value, largest, error = null) {
  const place = (number) => 50 + (50 * number) / largest;
  const fill = html("span", { class: "fill" });
  Object.assign(fill.style, { left: `${Math.min(50, place(value))}%`, width: `${Math.abs(place(value) - 50)}%`, backgroundColor: strongColor(root, value, true) });
  const line = html("span", { class: "track" }, html("span", { class: "zero" }), fill);
  if (error) {
    const whisker = html("span", { class: "whisker" });
    Object.assign(whisker.style, { left: `${place(value - error)}%`, width: `${place(value + error) - place(value - error)}%` });
    line.append(whisker);
  }
  return line;
}

function panel(root, data, method) {
  const number = data.methods.indexOf(method);
  return html(
    "section",
    { class: "panel", "aria-label": method.title },
    html("p", { class: "chart-title" }, html("b", {}, method.title)),
    legend(root, data, method),
    ...method.texts.filter((text) => text.rows.length).map((text) => flow(root, data, method, number, text)),
    html("p", { class: "saying" }, method.agreement),
    method.parting.length ? parting(root, method, number) : null,
    method.note ? html("p", { class: "note" }, method.note) : null,
  );
}

/** The scale: one for both sides, or one for each where the units differ. */
function legend(root, data, method) {
  const parts = [];
  for (const side of method.one_scale ? [0] : [0, 1]) {
    const signed = method.signed[side];
    const as = { scale: method.scales[side], signed };
    const low = signed ? score(-method.largest[side], as) : score(0, as);
    const name = method.one_scale ? null : html("b", {}, "AB"[side]);
    parts.push(html("span", { class: "scale" }, name, html("span", { class: "end" }, low), ramp(root, signed), html("span", { class: "end" }, score(method.largest[side], as)), html("span", { class: "unit" }, method.units[side])));
  }
  if (method.signed.includes(true)) parts.push(html("span", { class: "key" }, html("span", { class: "line for" }), " for"), html("span", { class: "key" }, html("span", { class: "line against" }), " against"));
  const below = method.one_scale ? `, below: B \u2212 A${method.scales[0] === "share" ? " in percentage points" : ""}` : "";
  parts.push(html("span", { class: "key" }, `upper line: A, lower line: B${below}`));
  return html("div", { class: "legend" }, ...parts);
}

/** The rows of a text, in columns that wrap. */
function flow(root, data, method, number, text) {
  const line = html("div", { class: "pairs-of-words", dir: "auto", role: "group", "aria-label": [method.title, text.label].filter(Boolean).join(", ") });
  if (text.label) line.append(html("span", { class: "which", dir: "ltr" }, text.label));
  line.append(html("span", { class: "pair sides", dir: "ltr", "aria-hidden": "true" }, html("span", { class: "side" }, "A"), html("span", { class: "side" }, "B"), method.one_scale ? html("span", { class: "change" }) : null));
  for (const row of text.rows) line.append(pair(root, method, number, row));
  return line;
}

function pair(root, method, number, row) {
  const cell = html("span", { class: `pair ${row.kind}`, role: "button", "aria-pressed": "false", "data-row": row.row, "data-method": number });
  for (const which of [0, 1]) {
    const missing = row.words[which] === null;
    cell.append(unseen(`${"AB"[which]} `), side(root, method, row, which), unseen(missing ? "has no such word; " : ` ${amountOf(method, row, which)}; `));
  }
  if (method.one_scale) cell.append(change(root, method, row));
  return cell;
}

function side(root, method, row, which) {
  if (row.words[which] === null) return html("span", { class: "none" }, "\u00a0");
  const value = row.scores[which] ?? 0;
  const signed = method.signed[which];
  const strength = method.largest[which] > 0 ? Math.min(1, Math.abs(value) / method.largest[which]) : 0;
  const word = html("span", { class: value === 0 ? "w" : signed && value < 0 ? "w against" : "w for" }, row.words[which]);
  if (row.asked[which]) word.classList.add("asked");
  word.style.backgroundColor = color(root, value, signed, strength);
  word.style.borderBottomColor = line(root, value, signed, strength);
  return word;
}

/** Where both sides part most: the difference as a bar, or the ranks where there is none. */
function parting(root, method, number) {
  const most = Math.max(...method.parting.map((row) => Math.abs(row.difference ?? 0) + (row.error ?? 0)));
  const list = html("div", { class: "bars parting", role: "group", "aria-label": "Where they part, largest difference first" });
  for (const row of method.parting) {
    const [a, b] = row.words;
    const name = html("span", { class: "name", dir: "ltr" }, html("bdi", {}, a), ...(a.toLowerCase() === b.toLowerCase() ? [] : [" \u2192 ", html("bdi", {}, b)]));
    const both = row.ranks.length ? `${row.ranks[0]}. \u2192 ${row.ranks[1]}. by size` : `${amountOf(method, row, 0)} \u2192 ${amountOf(method, row, 1)}`;
    const value = row.difference === null ? "" : difference(method, row) + (row.error ? ` \u00b1${figure(row.error)}` : "");
    const bar = row.difference === null ? html("span") : track(root, row.difference, most, row.error);
    list.append(html("div", { class: "bar", role: "button", "aria-pressed": "false", "data-row": row.row, "data-method": number }, name, bar, html("span", { class: "value" }, value), html("span", { class: "badges" }, both)));
  }
  return html("div", {}, html("p", { class: "saying" }, "Where they part:"), list);
}

function sayings(method, row) {
  const sides = [0, 1].map((which) => `${"AB"[which]} ${row.words[which] === null ? "has no such word" : amountOf(method, row, which)}`);
  return row.difference === null ? sides : [...sides, `difference ${difference(method, row)}`];
}

function description(method, row) {
  const words = [...new Set(row.words.filter((word) => word !== null))];
  const lines = [["name", words.join(" \u2192 ")], ...sayings(method, row).map((saying) => ["number", saying])];
  if (row.error) lines.push(["more", `${interval(row.error, { scale: method.scales[0] })} (95%)`]);
  return lines;
}
