// Attention matrix: a row for each attending token, a column for each attended token.

function draw(root, data) {
  drawMatrix(root, data, {
    rows: data.units,
    columns: data.units,
    stem: "attention_matrix",
    amount: (value) => (data.share ? percent(value) : figure(value, data.signed)),
    unit: data.share ? " of a row's attention" : "",
    of: data.share ? " of its attention" : "",
    relation: "\u2192",
    cell: 26,
    picked: (row) => row.tokens,
    told: (row, column) => ({ token: row.tokens[0], source: column.tokens[0] }),
  });
}
