// One word of two explanations: its scores, and the difference as a bar and a figure.

/** What screen readers say besides what is seen. */
function unseen(words) {
  return html("span", { class: "unseen", dir: "ltr" }, words); // a direction of its own, so that it is not taken for the text's
}

/** A bar up where B has more, down where it has less; a figure where it is at least a tenth of the largest. */
function change(root, method, row) {
  const strip = html("span", { class: "change" }, html("span", { class: "zero" }));
  if (row.difference === null) return strip;
  const share = method.largest_difference > 0 ? row.difference / method.largest_difference : 0;
  const fill = html("span", { class: "fill" });
  Object.assign(fill.style, { top: `${50 - 50 * Math.max(0, share)}%`, height: `${50 * Math.abs(share)}%`, backgroundColor: strongColor(root, row.difference, true) });
  strip.append(fill);
  const amount = Math.abs(share) >= 0.1 ? brief(method.scales[0] === "share" ? 100 * row.difference : row.difference) : "";
  return html("span", { class: "below" }, strip, unseen(amount ? "difference " : `difference ${difference(method, row)}`), html("span", { class: "amount", dir: "ltr" }, amount));
}

/** A signed number of two digits that matter, which fits below a short word. */
function brief(value) {
  const size = Math.abs(value);
  if (size < 0.0995) return figure(value, true);
  return (value < 0 ? "\u2212" : "+") + size.toFixed(size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2);
}

function difference(method, row) {
  return method.scales[0] === "share" ? points(row.difference) : figure(row.difference, true);
}

/** A difference of shares, in percentage points. */
function points(value) {
  return `${figure(100 * value, true)} pp`;
}

function amountOf(method, row, which) {
  const amount = row.scores[which] === null ? "no score" : score(row.scores[which], { scale: method.scales[which], signed: method.signed[which] });
  return row.asked[which] ? `${amount} (${row.asked[which]})` : amount;
}
