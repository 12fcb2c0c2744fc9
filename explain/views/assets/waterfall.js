// Rows of bars on one axis: from the reference to the answer, to the answer without each word, or from zero.

const ROW = 28, BAR = 16; // pixels
const THIN = 2; // percent of the axis: a bar that is shorter has no tip, but an edge, so that it is seen

function draw(root, data) {
  const box = html("div", { class: "fall" });
  inkVariables(root);
  const tip = tooltip(box);
  const rows = data.falls.flatMap((fall) => fall.rows);
  const tables = data.falls.flatMap((fall) => [fall.label ? html("p", { class: "fall-label", dir: "auto" }, fall.label) : null, table(data, fall, rows)]);
  box.prepend(html("div", { class: "fall-top" }, html("p", { class: "chart-title" }, data.heading), fallLegend(root, data, box)), ...tables.filter(Boolean));
  box.append(howToRead(data.note), savers(root, `${data.method}_waterfall`, () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);
  if (data.percents) showUnit(root, box, root.explainUnit ?? "percent");

  const names = [...box.querySelectorAll(".fall-word")];
  const line = (node) => node.closest(".fall-row");
  const row = (node) => rows[+line(node).dataset.row];
  const choose = (node) => {
    if (!row(node).tokens.length) return;
    const again = line(node).classList.contains("picked"); // lets go of it
    pick(data.group, again ? [] : row(node).tokens);
    send(root, data, { token: again ? null : row(node).tokens[0] });
  };
  const tell = (event) => event.target.closest("[data-row]") && tip.show(line(event.target).querySelector(".fall-name"), card(data, row(event.target)));
  box.onpointerover = tell;
  box.onpointerout = () => tip.hide();
  box.addEventListener("focusin", tell);
  box.addEventListener("focusout", () => tip.hide());
  box.onclick = (event) => event.target.closest("[data-row]") && choose(event.target);
  walkable(box, ".fall-word", choose, () => pick(data.group, []));
  const show = (tokens) => {
    for (const name of names) {
      const on = row(name).tokens.some((token) => tokens.has(token));
      line(name).classList.toggle("picked", on);
      name.setAttribute("aria-pressed", on);
    }
  };
  onPick(root, data.group, show);
  if (data.chosen) show(new Set(data.chosen));
}

/** The signs, the unit, and a switch of the labels; lengths stay as they are. */
function fallLegend(root, data, box) {
  const keys = data.signs.map((text, place) => html("span", { class: "key" }, swatch(place ? "against" : "for"), ` ${text}`));
  const legend = html("div", { class: "legend" }, ...(data.legend ? [...keys, html("span", { class: "unit" }, data.unit)] : []));
  if (data.percents) {
    const units = html("span", { class: "units", role: "group", "aria-label": "Answers and axis in" });
    for (const [unit, label] of [["percent", "%"], ["figure", data.of]]) {
      const button = html("button", { type: "button", class: "unit-button", "data-unit": unit }, label);
      button.onclick = () => showUnit(root, box, unit);
      units.append(button);
    }
    legend.append(units);
  }
  return legend;
}

function showUnit(root, box, unit) {
  root.explainUnit = unit;
  box.classList.toggle("in-figures", unit === "figure");
  for (const button of box.querySelectorAll(".unit-button")) button.setAttribute("aria-pressed", button.dataset.unit === unit);
}

/** A small bar of a side, as in the drawing. */
function swatch(side) {
  return svg("svg", { width: 26, height: 10, class: "swatch", "aria-hidden": "true" }, ...stripes(side, 0, 26, 1, 8, (at) => at));
}

/** A solid bar, or a striped one for "against". */
function stripes(side, low, high, top, height, at) {
  const thin = high - low < THIN ? " thin" : "";
  const place = { x: at(low), y: top, width: at(high - low), height };
  if (side !== "against") return [svg("rect", { ...place, class: `step ${side || "even"}${thin}` })];
  const middle = top + height / 2;
  return [
    svg("rect", { ...place, class: `step against pale${thin}` }),
    svg("line", { x1: at(low), x2: at(high), y1: middle, y2: middle, class: "step-stripes", "stroke-width": height, "stroke-dasharray": "3.5 2.5" }),
  ];
}

function table(data, fall, rows) {
  const head = html(
    "div",
    { class: "fall-row fall-head", role: "row" },
    html("span", { role: "columnheader" }, html("span", { class: "unseen" }, "Word")),
    html("span", { role: "columnheader" }, html("span", { class: "unseen" }, "Bar")),
    ...data.columns.map((name) => html("span", { class: "value", role: "columnheader" }, name)),
  );
  const label = `${data.title}, ${data.heading}${fall.label ? `, ${fall.label}` : ""}`;
  const body = fall.rows.map((row, place) => bar(data, fall, row, rows.indexOf(row), fall.rows[place + 1]));
  return html("div", { class: `fall-table of-${data.form}`, role: "table", "aria-label": label }, head, ...body, ticks(fall));
}

/** Where a number is on the axis, as a share of its width. */
function place(fall, number) {
  return (100 * (number - fall.low)) / (fall.high - fall.low || 1);
}

function bar(data, fall, row, number, next) {
  const word = row.tokens.length > 0;
  const says = `${row.text}${row.step ? `: ${row.step}${data.of ? ` ${data.of}` : ""}` : ""}${row.side ? `, ${row.side}` : ""}${answerOf(data, row, ", ")}`;
  const text = shortened(row.text, 26);
  const long = text.length > 12 ? " long" : "";
  const name = word
    ? html("span", { class: `fall-word${long}`, role: "button", "aria-pressed": "false", "aria-label": says, dir: "auto", title: text === row.text ? null : row.text }, text)
    : html("span", { class: long.trim(), dir: "auto", title: text === row.text ? null : row.text }, text);
  return html(
    "div",
    { class: `fall-row ${row.kind}`, role: "row", "data-row": number },
    html("span", { class: "fall-name", role: "cell" }, name),
    html("span", { class: "fall-track", role: "cell" }, track(data, fall, row, next)),
    html("span", { class: `value ${row.side}`, role: "cell" }, row.step),
    html("span", { class: "value answer", role: "cell" }, ...answer(data, row)),
  );
}

/** The answer in both units; a style shows one of them. */
function answer(data, row) {
  if (!data.percents) return [row.running];
  return [html("span", { class: "as-percent" }, row.percent), html("span", { class: "as-figure" }, row.running)];
}

function answerOf(data, row, before) {
  return data.columns[1] && row.step ? `${before}${data.columns[1]} ${row.percent || row.running}` : "";
}

/** Grid lines, the bar with the tip of an arrow at its end, and the lines to the rows above and below. */
function track(data, fall, row, next) {
  const at = (share) => `${share.toFixed(3)}%`;
  const from = place(fall, row.from), to = place(fall, row.to);
  const [low, high] = from < to ? [from, to] : [to, from];
  const top = (ROW - BAR) / 2, bottom = top + BAR;
  const drawing = svg("svg", { width: "100%", height: ROW, overflow: "visible", class: "track-drawing", "aria-hidden": "true" });
  for (const tick of fall.ticks) {
    const x = at(place(fall, tick.at));
    drawing.append(svg("line", { x1: x, x2: x, y1: 0, y2: ROW, class: tick.at === 0 ? "grid zero" : "grid" }));
  }
  const link = (share, y1, y2) => drawing.append(svg("line", { x1: at(share), x2: at(share), y1, y2, class: "link-line" }));
  if (row.kind === "reference" || row.kind === "answer") {
    if (row.kind === "reference" ? next : data.form === "steps") link(from, ...(row.kind === "reference" ? [ROW / 2, ROW] : [0, ROW / 2]));
    if (data.form === "without" && next) link(from, ROW / 2, ROW);
    drawing.append(svg("circle", { cx: at(from), cy: ROW / 2, r: 5, class: `end-point ${row.kind}` }));
    return drawing;
  }
  if (data.form === "steps") link(from, 0, top);
  if (data.form === "without") link(from, 0, next ? ROW : bottom);
  drawing.append(...stripes(row.side, low, high, top, BAR, at));
  if (data.form !== "bars" && row.side && high - low >= THIN) drawing.append(arrowTip(at(to), to > from, top));
  if (data.form === "steps" && next) link(to, bottom, ROW);
  return drawing;
}

/** The end of a bar as the tip of an arrow: the ground's color cuts its corners. */
function arrowTip(x, rightwards, top) {
  const back = rightwards ? -6 : 6, over = rightwards ? 1 : -1; // beyond the end, so that no edge of the bar shows
  const middle = top + BAR / 2;
  const corner = (y, out) => svg("polygon", { points: `${back},${y + out} ${over},${y + out} ${over},${middle} 0,${middle} ${back},${y}`, class: "cut" });
  return svg("svg", { x, overflow: "visible" }, corner(top, -1), corner(top + BAR, 1));
}

function ticks(fall) {
  const drawing = svg("svg", { width: "100%", height: 18, overflow: "visible", class: "track-drawing" });
  for (const tick of fall.ticks)
    for (const [unit, label] of [["as-percent", tick.percent], ["as-figure", tick.figure]]) {
      const kind = `${tick.percent ? unit : ""}${tick.wide ? " wide" : ""}`;
      const text = svg("text", { x: `${place(fall, tick.at).toFixed(3)}%`, y: 13, "text-anchor": "middle", class: kind });
      text.textContent = label;
      if (label) drawing.append(text);
    }
  return html("div", { class: "fall-row fall-ticks", "aria-hidden": "true" }, html("span", {}), drawing);
}

function card(data, row) {
  const lines = [["name", row.text]];
  if (row.step) lines.push(["number", `${row.step}${data.of ? ` ${data.of}` : ""}`]);
  const places = row.percent ? `${row.percent} (${row.running} ${data.of})` : row.running;
  if (places) lines.push(["more", `${data.form === "without" && row.kind !== "answer" ? "answer without it" : "answer"}: ${places}`]);
  return [...lines, ...row.more.map((text) => ["more", text])];
}
