// Confusion matrix: a table of right labels by predicted labels, each cell tinted by its share of the row.

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "readings" });
  const cell = (row, column) => {
    const count = data.counts[row][column], share = data.shares[row][column];
    const right = row === column;
    const said = `${count} of those that are ${data.labels[row]} ${right ? "found" : `taken for ${data.labels[column]}`}`;
    const node = html("td", { title: `${said} (${percent(share)})`, class: !right && count ? "wrong" : "" }, String(count));
    node.style.backgroundColor = color(root, share, false, share);
    return node;
  };
  const head = html("tr", {}, html("th", {}), ...data.labels.map((label) => html("th", { scope: "col", dir: "auto" }, label)));
  const rows = data.labels.map((label, row) =>
    html("tr", {}, html("th", { scope: "row", dir: "auto" }, label), ...data.labels.map((_, column) => cell(row, column))));
  box.append(
    html("div", { class: "scroll" },
      html("table", { class: "agreement confusion" },
        html("caption", {}, "Down: the right label. Across: what the model said."),
        html("thead", {}, head),
        html("tbody", {}, ...rows))),
    html("p", { class: "note" }, data.note),
    savers(root, "confusion", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
}
