// Neuron words: the places where a neuron gives most, each word in its text.

function draw(root, data) {
  const box = html("div", { class: "places" });
  const list = html("ol", { class: "bars", "aria-label": `${data.title}: highest activations first` });
  for (const row of data.rows) {
    const word = html("mark", {}, row.word);
    word.style.backgroundColor = color(root, row.value, true, Math.min(1, Math.abs(row.value) / (data.largest || 1)));
    list.append(
      html(
        "li",
        { class: "place" },
        html("span", { class: "value" }, figure(row.value, true)),
        html("span", { class: "context", dir: "auto" }, row.before, word, row.after),
        html("span", { class: "more" }, `${row.text}`),
      ),
    );
  }
  box.append(list, html("p", { class: "note" }, data.note), savers(root, "neuron_words", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);
}
