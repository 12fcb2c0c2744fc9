// Agreement matrix: a table of methods by methods, each cell tinted by how far they agree.

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "readings" });
  const cell = (value) => {
    if (value === null || value === undefined) return html("td", { title: data.undefined }, "\u2013");
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
    ...disputes(data),
    savers(root, "agreement", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
}

/** The words that methods place most differently, with each one's score and place. */
function disputes(data) {
  if (!data.disputed.length) return [];
  const said = (word, number) => `${figure(word.scores[number], word.signs[number])} (no. ${word.places[number]})`;
  const row = (word) => {
    const name = html("th", { scope: "row", dir: "auto" }, word.word);
    return html("tr", {}, name, ...data.names.map((_, number) => html("td", {}, said(word, number))));
  };
  return [
    html("p", { class: "chart-title" }, `Where they differ most: score, and place by size among ${data.out_of} words.`),
    html("div", { class: "scroll" },
      html("table", { class: "agreement" },
        html("thead", {}, html("tr", {}, html("th", {}), ...data.names.map((name) => html("th", { scope: "col" }, name)))),
        html("tbody", {}, ...data.disputed.map(row)))),
  ];
}
