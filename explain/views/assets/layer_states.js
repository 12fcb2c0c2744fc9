// Layer states: a line over layers for kinds of tokens, above a strip of cells for every token.

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "readings" });
  const tip = tooltip(box);
  const width = Math.max(320, Math.min(root.clientWidth || 900, 1000));
  const signed = data.values.signed;
  const say = (value) => figure(value, signed && !data.cosine);
  const all = data.lines.flatMap((line) => line.values);
  const low = Math.min(0, ...all), high = data.cosine ? 1 : Math.max(0, ...all);
  const at = (layer) => layer / Math.max(1, data.names.length - 1);
  const short = data.names.length > 14 || width < 560;
  const ends = data.cosine ? ["\u22121, opposite", "0", "1, the same direction"] : [`${data.over ? "\u2264 " : ""}${figure(-data.full, true)}`, "0", `${data.over ? "\u2265 " : ""}${figure(data.full, signed)}`];
  box.append(
    html("p", { class: "chart-title" }, data.title),
    lineChart(tip, {
      title: data.title, low, high, say, width,
      right: short ? 110 : 150,
      height: 180,
      ticks: data.names.map((name, layer) => [at(layer), short && layer ? `${layer - 1}` : name]),
      lines: data.lines.map((line) => ({ name: line.name, points: line.values.map((value, layer) => [at(layer), value, data.names[layer]]) })),
    }),
    html("div", { class: "legend" }, html("span", {}, signed ? ends[0] : ends[1]), ramp(root, signed, 1), html("span", {}, ends[2]), html("span", {}, "right: mean of all tokens")),
    tokenStrip(root, tip, {
      ...data.values, title: data.title, tokens: data.tokens, names: data.names, means: data.means, full: data.full, width, say, chosen: data.chosen,
      choose: data.sends ? ({ token }) => send(root, data, { token }) : null,
    }),
    html("p", { class: "note" }, data.note),
    savers(root, data.stem, () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
  box.append(box.querySelector(".tip"));
}
