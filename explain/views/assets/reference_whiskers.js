// Whiskers: a bar for each word's score, a line for the range of its scores from other references.

function draw(root, data) {
  const box = html("div", { class: "phrases" });
  const list = html("ol", { class: "bars whiskers", "aria-label": "Words, largest score first" });
  const at = (value) => (data.signed ? 50 + (50 * value) / data.largest : (100 * value) / data.largest);
  for (const word of data.words) {
    const fill = html("span", { class: "fill" });
    const [from, to] = [at(0), at(word.score)].sort((one, other) => one - other);
    fill.style.left = `${from}%`;
    fill.style.width = `${to - from}%`;
    fill.style.backgroundColor = strongColor(root, word.score, data.signed);
    const whisker = html("span", { class: "whisker" });
    whisker.style.left = `${at(word.low)}%`;
    whisker.style.width = `${at(word.high) - at(word.low)}%`;
    const zero = html("span", { class: "zero" });
    zero.style.left = `${at(0)}%`;
    const each = word.each.map(([name, score]) => `${name} ${figure(score, data.signed)}`).join(", ");
    list.append(
      html(
        "li",
        { class: "bar", title: each, "aria-label": `${word.text}: ${each} ${data.unit}${word.changes ? ", changes sign" : ""}` },
        html("span", { class: "name", dir: "auto", title: word.text }, word.text),
        html("span", { class: "track" }, zero, fill, whisker),
        html("span", { class: "value" }, figure(word.score, data.signed)),
        html("span", { class: "badges" }, ...(word.changes ? [html("span", { class: "badge warn", title: "For the target from one reference, against it from another" }, "changes sign")] : [])),
      ),
    );
  }
  box.append(
    list,
    html("p", { class: "note" }, data.note),
    savers(root, "reference_whiskers", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
}
