// Similarity matrix: a row for each word of the first text, a column for each of the second.

function draw(root, data) {
  drawMatrix(root, data, {
    rows: data.rows,
    columns: data.columns,
    stem: "similarity_matrix",
    amount: (value) => figure(value, true),
    unit: " of the similarity",
    of: " of the similarity",
    relation: "\u00b7",
    cell: 44,
    numbers: true,
    picked: (row, column) => [...row.tokens, ...column.tokens],
  });
  const box = root.firstChild;
  box.insertBefore(html("p", { class: "sum" }, data.sum), box.firstChild);
}
