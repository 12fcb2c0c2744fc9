// Cut effects: bars to the right for the target, to the left against it.

function draw(root, data) {
  const box = html("div", { class: "cuts" });
  const list = html("ul", { class: "bars" });
  for (const row of data.rows) {
    const fill = html("span", { class: "fill" });
    const part = (50 * Math.abs(row.effect)) / (data.largest || 1);
    Object.assign(fill.style, { left: `${row.effect >= 0 ? 50 : 50 - part}%`, width: `${part}%`, backgroundColor: strongColor(root, row.effect, true) });
    list.append(
      html(
        "li",
        { class: "cut-row", "aria-label": `${row.name}; attention: ${row.claim}; effect ${figure(row.effect, true)} ${data.unit}` },
        html("span", { class: "name", title: row.name }, row.name),
        html("span", { class: "more" }, row.claim),
        html("span", { class: "track", "aria-hidden": "true" }, fill, html("span", { class: "zero" })),
        html("span", { class: "value" }, figure(row.effect, true)),
        row.flips ? html("span", { class: "badge" }, "changes the decision") : html("span"),
      ),
    );
  }
  box.append(list, html("p", { class: "note" }, data.note), savers(root, "cut_effects", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);
}
