// A text on colored ground: each word's score by tint, its sign by hue and by a solid or dashed line below.

function draw(root, data) {
  const long = data.texts.reduce((sum, text) => sum + text.units.length, 0) > 220;
  const box = html("div", { class: long ? "heatmap long" : "heatmap" });
  const tip = tooltip(box);
  box.prepend(...(data.lead ? [html("p", { class: "lead" }, data.lead)] : []), legend(root, data), ...data.texts.map((text) => paragraph(root, data, text)));
  if (data.note) box.append(html("p", { class: "note" }, data.note));
  box.append(savers(root, data.method, () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);
  pickableMarks(root, box, data, tip);
}

function paragraph(root, data, text) {
  const prose = html("p", { class: "text", dir: "auto", role: "group", "aria-label": `${data.title}, ${text.label}` });
  if (data.texts.length > 1) prose.append(html("span", { class: "which", dir: "ltr" }, text.label));
  prose.append(...markedWords(root, data, text));
  return prose;
}

function legend(root, data) {
  const strip = ramp(root, data.signed);
  const parts = data.signed
    ? [html("span", { class: "end" }, `${data.against} ${score(-data.largest, data)}`), strip, html("span", { class: "end" }, `${score(data.largest, data)} ${data.for}`)]
    : [html("span", { class: "end" }, score(0, data)), strip, html("span", { class: "end" }, score(data.largest, data))];
  const [above, below] = data.signs ?? ["for", "against"];
  const key = data.signed ? [html("span", { class: "key" }, html("span", { class: "line for" }), ` ${above}`), html("span", { class: "key" }, html("span", { class: "line against" }), ` ${below}`)] : [];
  return html("div", { class: "legend" }, ...parts, ...key, html("span", { class: "unit" }, data.unit));
}
