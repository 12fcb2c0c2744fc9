// Matrix of two texts: a row for each word of the first text, a column for each of the second.

function draw(root, data) {
  drawMatrix(root, data, {
    rows: data.rows,
    columns: data.columns,
    stem: data.stem,
    amount: (value) => figure(value, true),
    unit: ` ${data.unit}`,
    of: ` ${data.unit}`,
    relation: "\u00b7",
    cell: 44,
    numbers: true,
    picked: (row, column) => [...row.tokens, ...column.tokens],
  });
  const box = root.firstChild;
  if (data.sum) box.insertBefore(html("p", { class: "sum" }, data.sum), box.firstChild);
}
