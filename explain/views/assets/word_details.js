// The picked word: its pieces, and what each method says of it.

const MOST = 12; // words in one phrase, at most

function draw(root, data) {
  const box = html("div", { class: "details", "aria-live": "polite" });
  root.replaceChildren(box);
  const show = (tokens) => {
    const words = data.words.filter((word) => word.tokens.some((token) => tokens.has(token)));
    if (!words.length) return box.replaceChildren(html("p", { class: "note" }, "Click a word (or press Enter on it) to mark it everywhere and see its pieces and numbers here."));
    box.replaceChildren(...words.slice(0, MOST).map((word) => table(data, word)));
    if (words.length > MOST) box.append(html("p", { class: "note" }, `${words.length - MOST} more words are marked; pick them one by one to see their numbers.`));
  };
  show(new Set());
  onPick(root, data.group, show);
}

function table(data, word) {
  const body = html("tbody");
  for (const [method, value, rank, count, error] of word.scores) {
    const how = data.methods[method];
    const number = `${score(value, how)}${error ? ` ${interval(error, how)}` : ""} ${how.unit}`;
    body.append(html("tr", {}, html("td", {}, how.title), html("td", { class: "value" }, number), html("td", { class: "more" }, `${rank}. of ${count}`)));
  }
  const pieces = html("p", { class: "pieces" });
  for (const [piece, id, unknown] of word.pieces)
    pieces.append(html("code", { class: unknown ? "unknown" : "", title: unknown ? "The model does not know this piece" : `vocabulary entry ${id}` }, piece), html("span", { class: "more" }, ` ${id}  `));
  return html("div", { class: "word" }, html("p", { class: "name", dir: "auto" }, word.text), pieces, html("table", {}, body));
}
