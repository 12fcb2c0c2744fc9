// Before and after an edit: both answers in a line, and each word with a bar for the difference of its scores.

function draw(root, data) {
  inkVariables(root);
  const box = html("section", { class: "before-after", "aria-label": "Before and after the edit" });
  const tip = tooltip(box);
  const line = html("p", { class: "both", role: "status" }, "Before ", html("span", { class: "former", dir: "auto" }, data.before), html("span", { "aria-hidden": "true" }, " \u2192 "), unseen(", now "), html("b", { class: data.flips ? "flips" : "", dir: "auto" }, data.after));
  box.prepend(line);
  if (data.words) box.append(legend(data.words), ...data.words.texts.filter((text) => text.rows.length).map((text) => moves(root, data.words, text, tip)));
  if (data.note) box.append(html("p", { class: "note" }, data.note));
  if (data.sends) {
    const close = html("button", { type: "button", class: "close", "aria-label": "Close before and after" }, "\u00d7");
    close.onclick = () => send(root, data, { dismissed: true });
    box.append(close);
  }
  box.append(savers(root, "before_after", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);
}

/** What a bar means, up and down. */
function legend(method) {
  const signed = method.signed[0] && method.signed[1];
  const side = (kind, text) => html("span", { class: "key" }, html("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), ` ${text}`);
  const unit = method.scales[0] === "share" ? "percentage points" : method.units[1];
  return html("div", { class: "legend" }, side("for", signed ? `more for ${method.target}` : "more"), side("against", "less"), html("span", { class: "unit", title: method.about }, `${method.title}, ${unit}`));
}

/** The words of both texts in one line: those that went are struck through, those that came underlined. */
function moves(root, method, text, tip) {
  const flow = html("div", { class: "moves", dir: "auto", role: "group", tabindex: "0", "aria-label": ["Difference of each word's score", text.label].filter(Boolean).join(", ") });
  for (const row of text.rows) {
    const [before, after] = row.words;
    const kept = row.kind === "same";
    const words = html("span", { class: "w" }, kept || before === null ? null : html("del", {}, before), kept || before === null || after === null ? null : " ", after === null ? null : kept ? after : html("ins", {}, after));
    const share = row.difference === null || !method.largest_difference ? 0 : row.difference / method.largest_difference;
    words.style.backgroundColor = color(root, share, true, Math.abs(share));
    const cell = html("span", { class: `move ${row.kind}` }, words, change(root, method, row));
    if (row.difference === null) cell.append(unseen(sayings(method, row).join(", ")));
    cell.onpointerover = () => tip.show(cell, [["name", (kept ? [after] : row.words.filter((word) => word !== null)).join(" \u2192 ")], ...sayings(method, row).map((saying) => ["number", saying])]);
    cell.onpointerout = () => tip.hide();
    flow.append(cell, unseen("; "));
  }
  return flow;
}

function sayings(method, row) {
  const sides = ["before", "now"].map((when, which) => (row.words[which] === null ? `${when}: no such word` : `${when} ${amountOf(method, row, which)}`));
  return row.difference === null ? sides : [...sides, `difference ${difference(method, row)}`];
}
