// Agreement matrix: a table of methods by methods, each cell tinted by how far they agree.

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "readings" });
  const cell = (value) => {
    if (value === null || value === undefined) return html("td", {}, "\u2013");
    const node = html("td", {}, figure(value, data.signed));
    node.style.backgroundColor = color(root, value, data.signed, Math.abs(value));
    return node;
  };
  box.append(
    html("div", { class: "scroll" },
      html("table", { class: "agreement" },
        html("thead", {}, html("tr", {}, html("th", {}), ...data.names.map((name) => html("th", { scope: "col" }, name)))),
        html("tbody", {}, ...data.rows.map((row, number) => html("tr", {}, html("th", { scope: "row" }, data.names[number]), ...row.map(cell)))))),
    html("p", { class: "note" }, data.note),
    savers(root, "agreement", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
}
