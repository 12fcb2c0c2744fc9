// Layer readings: a chart of the head read on every layer, above a strip of cells for each layer's token states.

/** Heights of labels, moved so that none covers another and all stay between two heights. */
function apart(heights, gap, low, high) {
  const order = heights.map((_, number) => number).sort((one, other) => heights[one] - heights[other]);
  const found = [...heights];
  order.forEach((number, place) => {
    if (place) found[number] = Math.max(found[number], found[order[place - 1]] + gap);
  });
  let most = high;
  for (const number of order.reverse()) {
    found[number] = Math.max(low, Math.min(found[number], most));
    most = found[number] - gap;
  }
  return found;
}

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "readings" });
  const width = Math.max(320, Math.min(root.clientWidth || 900, 1000));
  const left = 64, right = 120, height = 210, top = 14, bottom = 30;
  const tip = tooltip(box);
  const x = (layer) => left + ((width - left - right) * layer) / Math.max(1, data.layers - 1);
  const name = (layer) => (layer ? `layer ${layer - 1}` : "input");
  const chart = (title, lines, low, high, say) => {
    const y = (value) => top + (height - top - bottom) * (1 - (value - low) / (high - low || 1));
    const drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": `${title}: ${lines.map((line) => `${line.name} ${line.values.map(say).join(", ")}`).join("; ")}` });
    for (const value of [low, (low + high) / 2, high].concat(low < 0 && high > 0 ? [0] : [])) {
      drawing.append(svg("line", { class: value === 0 ? "axis zero" : "axis", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
      const text = svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end", class: "label" });
      text.textContent = say(value);
      drawing.append(text);
    }
    for (let layer = 0; layer < data.layers; layer++) {
      const text = svg("text", { x: x(layer), y: height - 8, "text-anchor": "middle", class: "label" });
      text.textContent = layer ? (data.layers > 14 || width < 560 ? `${layer - 1}` : name(layer)) : "input";
      drawing.append(text);
    }
    const ends = apart(lines.map((line) => y(line.values[line.values.length - 1]) + 4), 13, top, height - bottom + 6);
    lines.forEach((line, number) => {
      const style = `line line${number}`;
      drawing.append(svg("polyline", { class: style, points: line.values.map((value, layer) => `${x(layer)},${y(value)}`).join(" ") }));
      line.values.forEach((value, layer) => {
        const point = svg("circle", { class: `${style} dot`, cx: x(layer), cy: y(value), r: 4 });
        point.onpointerover = () => tip.show(point, [["name", line.name], ["number", `${name(layer)}: ${say(value)}`]]);
        point.onpointerout = () => tip.hide();
        drawing.append(point);
      });
      const text = svg("text", { class: `end line${number}`, x: width - right + 10, y: ends[number] });
      text.textContent = line.name.length > 16 ? line.name.slice(0, 15) + "\u2026" : line.name;
      drawing.append(text);
    });
    box.append(html("p", { class: "chart-title" }, title), drawing);
  };
  if (data.lines.length) {
    const what = data.words.length ? "the words asked about and the likeliest at the end" : "each label";
    const largest = Math.max(...data.lines.flatMap((line) => line.values));
    const high = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find((step) => data.words.length && largest <= step) || 1;
    chart(`Probability that the head gives ${what}, read after each layer`, data.lines, 0, high, percent);
  }
  if (data.words.length) {
    const rows = data.words.map((words, layer) =>
      html("tr", {}, html("th", { scope: "row" }, name(layer)), ...words.map((one) =>
        html("td", {}, html("span", { class: "word" }, one.word), html("span", { class: "amount" }, percent(one.share)), html("span", { class: "bar", style: `width: ${100 * one.share}%` })))));
    box.append(
      html("p", { class: "chart-title" }, "Likeliest words at the mask, read after each layer"),
      html("div", { class: "scroll" }, html("table", { class: "words" }, html("tbody", {}, ...rows))),
    );
  }
  if (data.target) {
    const low = Math.min(0, ...data.target.values), high = Math.max(0, ...data.target.values);
    chart(`The target, read after each layer: ${data.target.name}`, [{ ...data.target, name: "target" }], low, high, (value) => figure(value, true));
  }
  box.append(html("p", { class: "chart-title" }, `How similar each token's state is ${data.which}`));
  const values = unpack(data.similarity);
  const columns = data.tokens.length;
  const cell = Math.max(2, Math.min(24, Math.floor((width - left - 60) / columns)));
  const canvas = html("canvas", { role: "img", "aria-label": `Similarity: ${data.means.map((mean, layer) => `${name(layer)} ${figure(mean, false)}`).join(", ")} on average` });
  paint(root, canvas, values, data.layers, columns, cell, 1, data.similarity.signed);
  canvas.style.height = `${data.layers * 20}px`;
  canvas.style.width = `${columns * cell}px`;
  const strip = html("div", { class: "strip" }, html("div", { class: "strip-names" }, ...data.means.map((_, layer) => html("span", {}, name(layer)))), canvas, html("div", { class: "strip-names" }, ...data.means.map((mean) => html("span", {}, figure(mean, false)))));
  const mark = html("span", { class: "spot" });
  strip.append(mark);
  canvas.onpointermove = (event) => {
    const frame = canvas.getBoundingClientRect(), around = strip.getBoundingClientRect();
    const token = Math.floor((event.clientX - frame.left) / cell), layer = Math.floor((event.clientY - frame.top) / 20);
    if (token < 0 || layer < 0 || token >= columns || layer >= data.layers) return tip.hide();
    Object.assign(mark.style, { left: `${frame.left - around.left + token * cell}px`, top: `${frame.top - around.top + layer * 20}px` });
    tip.show(mark, [["name", data.tokens[token]], ["number", `${name(layer)}: ${figure(values[layer * columns + token], false)}`]]);
  };
  canvas.onpointerleave = () => tip.hide();
  box.append(
    html("div", { class: "legend" }, html("span", {}, data.similarity.signed ? "\u22121, opposite" : "0"), ramp(root, data.similarity.signed, 1), html("span", {}, "1, the same direction"), html("span", {}, "right: mean of the layer")),
    html("div", { class: "scroll" }, strip),
    html("p", { class: "note" }, data.note),
    savers(root, "layer_by_layer", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
  box.append(box.querySelector(".tip"));
}
