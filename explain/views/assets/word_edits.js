// What the model decides when one word is edited: a row for each edit, the decision after it; a click makes the edit.

function draw(root, data) {
  const box = html("div", { class: "tries" });
  box.append(html("p", { class: "part" }, "Try instead"));
  for (const row of data.rows) {
    const name = html("span", { class: "name", dir: "auto" }, row.operation === "delete" ? html("s", {}, data.word) : row.name);
    if (row.operation === "delete") name.append(" remove");
    const after = html("span", { class: row.flips ? "after flips" : "after", dir: "auto" }, ...answer(row));
    const parts = [name, html("span", { class: "unseen" }, ": "), after];
    if (row.flips) parts.push(html("span", { class: "unseen" }, ", another decision"));
    if (!data.sends) {
      box.append(html("div", { class: "try", role: "group" }, ...parts));
      continue;
    }
    const button = html("button", { type: "button", class: "try" }, ...parts);
    button.onclick = () => send(root, data, { texts: row.texts });
    box.append(button);
  }
  if (data.sends) box.append(ownWord(root, data));
  root.replaceChildren(box);
}

/** What is decided after an edit: the label where it is another one, and its share. */
function answer({ label, percent, flips }) {
  if (flips || !percent) return [`${label} ${percent}`.trim()];
  return [html("span", { class: "unseen" }, `${label} `), percent];
}

/** A field for a word of one's own in the place of the word. */
function ownWord(root, data) {
  const field = html("input", { type: "text", class: "own-word", maxlength: "200", placeholder: "your word", "aria-label": `Your word in place of ${data.word}`, dir: "auto" });
  field.onkeydown = (event) => {
    event.stopPropagation(); // keys of the page are silent while a word is typed
    if (event.key === "Enter" && !event.isComposing && field.value.trim()) send(root, data, { word: field.value.trim() });
  };
  return field;
}
