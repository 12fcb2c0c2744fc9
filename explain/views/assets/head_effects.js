// Head effects: a table, layers down and heads across; a click opens the head.

function draw(root, data) {
  const box = html("div", { class: "effects" });
  const table = html("table", { class: "cells" });
  const heads = data.effects[0]?.length ?? 0;
  table.append(html("tr", {}, html("th", {}, "layer"), ...Array.from({ length: heads }, (_, head) => html("th", { scope: "col" }, `head ${head}`))));
  data.effects.forEach((row, layer) => {
    const line = html("tr", {}, html("th", { scope: "row" }, `${layer}`));
    row.forEach((value, head) => {
      const on = data.chosen && data.chosen[0] === layer && data.chosen[1] === head;
      const kind = ["effect", value < 0 ? "against" : "", data.flips[layer][head] ? "flips" : "", on ? "picked" : ""].join(" ");
      const cell = html("td", { class: kind, role: "button", "data-layer": layer, "data-head": head, "aria-label": `layer ${layer}, head ${head}: ${figure(value, true)} ${data.unit}${data.flips[layer][head] ? ", changes the decision" : ""}` }, figure(value, true));
      cell.style.backgroundColor = color(root, value, true, Math.abs(value) / (data.largest || 1));
      line.append(cell);
    });
    table.append(line);
  });
  const open = (cell) => send(root, data, { layer: +cell.dataset.layer, head: +cell.dataset.head });
  table.onclick = (event) => event.target.closest(".effect") && open(event.target.closest(".effect"));
  walkable(table, ".effect", open, () => {});
  box.append(
    html("div", { class: "legend" }, html("span", {}, `speaks against ${figure(-data.largest, true)}`), ramp(root, true), html("span", {}, `${figure(data.largest, true)} speaks for ${data.target}`), html("span", {}, data.unit)),
    html("div", { class: "scroll" }, table),
    html("p", { class: "note" }, data.note),
    savers(root, "head_effects", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
}
