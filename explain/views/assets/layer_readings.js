// Layer readings: a chart of the head read on every layer, above a strip of cells for each layer's token states.

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "readings" });
  const width = Math.max(320, Math.min(root.clientWidth || 900, 1000));
  const left = 64, right = 120, height = 210;
  const tip = tooltip(box);
  const name = (layer) => (layer ? `layer ${layer - 1}` : "input");
  const chart = (title, lines, low, high, say) => {
    const at = (layer) => layer / Math.max(1, data.layers - 1);
    const short = data.layers > 14 || width < 560;
    box.append(
      html("p", { class: "chart-title" }, title),
      lineChart(tip, {
        title, low, high, say, width, left, right, height,
        ticks: Array.from({ length: data.layers }, (_, layer) => [at(layer), layer ? (short ? `${layer - 1}` : name(layer)) : "input"]),
        lines: lines.map((line) => ({ name: line.name, points: line.values.map((value, layer) => [at(layer), value, name(layer)]) })),
      }),
    );
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
  box.append(
    html("p", { class: "chart-title" }, `How similar each token's state is ${data.which}`),
    html("div", { class: "legend" }, html("span", {}, data.similarity.signed ? "\u22121, opposite" : "0"), ramp(root, data.similarity.signed, 1), html("span", {}, "1, the same direction"), html("span", {}, "right: mean of the layer")),
    tokenStrip(root, tip, {
      ...data.similarity, title: "Similarity", tokens: data.tokens, names: data.means.map((_, layer) => name(layer)), means: data.means, full: 1, width, say: (value) => figure(value, false),
    }),
    html("p", { class: "note" }, data.note),
    savers(root, "layer_by_layer", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
  box.append(box.querySelector(".tip"));
}
