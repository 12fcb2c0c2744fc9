// State similarity: a table of cosines, layers by layers.

function draw(root, data) {
  const box = html("div", { class: "effects" });
  const shown = 0.005; // what two digits tell from zero
  const signed = data.values.some((row) => row.some((value) => value <= -shown));
  const short = (name) => name.replace("layer ", "");
  const head = html("tr", {}, html("th", {}), ...data.names.map((name) => html("th", { scope: "col" }, short(name))));
  const rows = data.values.map((row, from) =>
    html("tr", {}, html("th", { scope: "row" }, data.names[from]), ...row.map((value, to) => {
      const cell = html("td", { class: value <= -shown ? "cosine against" : "cosine", title: `${data.names[from]} and ${data.names[to]}: ${figure(value, false)}` }, (Math.abs(value) < shown ? 0 : value).toFixed(2).replace("-", "\u2212"));
      cell.style.backgroundColor = color(root, value, signed, Math.abs(value));
      return cell;
    })));
  box.append(
    html("p", { class: "chart-title" }, data.title),
    html("div", { class: "scroll" }, html("table", { class: "cells" }, html("tbody", {}, head, ...rows))),
    html("p", { class: "note" }, data.note),
    savers(root, "layers_compared", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
}
