// Texts with edits: what is removed is struck through, what is added is underlined, and the answer is told on the way.

function draw(root, data) {
  const box = html("div", { class: "edits" });
  box.append(html("p", { class: "note" }, `${data.before}, ${data.aim}. ${data.none}`.trim()));
  for (const part of data.parts) box.append(editedText(data, part));
  box.append(html("p", { class: "note" }, data.note));
  box.append(savers(root, "edits", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);
}

function editedText(data, part) {
  const section = html("section", { class: part.artefact ? "edit artefact" : "edit", "aria-label": part.title });
  section.append(html("p", { class: "which" }, part.title));
  for (const pieces of part.texts) {
    const tags = { kept: "span", removed: "del", added: "ins" };
    section.append(html("p", { class: "text", dir: "auto" }, ...pieces.map((piece) => html(tags[piece.kind], {}, piece.text))));
  }
  section.append(html("p", { class: "path" }, `${data.before} \u2192 ${part.after}: ${part.path.join(" \u2192 ")}`));
  section.append(html("p", { class: "note" }, part.figures));
  return section;
}
