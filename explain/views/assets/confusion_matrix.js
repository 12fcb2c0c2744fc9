// Confusion matrix: a table of right labels by predicted labels, each cell tinted by its share of the row.

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "readings" });
  const cell = (row, column) => {
    const count = data.counts[row][column], share = data.shares[row][column];
    const right = row === column;
    const said = `${count} of those that are ${data.labels[row]} ${right ? "found" : `taken for ${data.labels[column]}`}`;
    const shown = !data.sends || !count ? String(count) : html("button", { type: "button", class: "cell", "aria-label": `Show the ${said}` }, String(count));
    if (data.sends && count) shown.onclick = () => send(root, data, { right: data.names[row], predicted: data.names[column] });
    const node = html("td", { title: `${said} (${percent(share)})`, class: !count ? "none" : right ? "" : "wrong" }, shown);
    node.style.backgroundColor = color(root, share, false, share);
    return node;
  };
  const slanted = data.labels.length > 6; // else names would make the columns wider than a screen
  const heading = (label) => {
    if (!slanted) return html("th", { scope: "col", dir: "auto" }, label);
    const text = svg("text", { transform: "translate(22 92) rotate(-55)" });
    text.textContent = shortened(label, 18);
    return html("th", { scope: "col", title: label, "aria-label": label }, svg("svg", { width: 34, height: 96, class: "strip-heads", "aria-hidden": "true" }, text));
  };
  const head = html("tr", {}, html("th", {}), ...data.labels.map(heading));
  const rows = data.labels.map((label, row) =>
    html("tr", {}, html("th", { scope: "row", dir: "auto" }, label), ...data.labels.map((_, column) => cell(row, column))));
  box.append(
    html("div", { class: "scroll" },
      html("table", { class: `agreement confusion${slanted ? " slanted" : ""}` },
        html("caption", {}, "Down: the right label. Across: what the model said."),
        html("thead", {}, head),
        html("tbody", {}, ...rows))),
    html("p", { class: "note" }, data.note),
    savers(root, "confusion", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
}
