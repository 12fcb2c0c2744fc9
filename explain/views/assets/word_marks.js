// A text whose words are marked: by a click, or by Enter and Space; with Shift, all from the last one to this one.

function draw(root, data) {
  if (root.explainText === data.of) return; // the answer to a click: the marks that are on the screen are newer
  root.explainText = data.of;
  const marked = new Set(data.marked);
  const box = html("div", { class: data.count > 220 ? "marks long" : "marks" });
  const told = html("span", { role: "status" });
  const clear = html("button", { type: "button", class: "link" }, "Clear");
  box.append(html("div", { class: "legend" }, told, clear), ...data.texts.map((text) => markable(data, text)));
  box.append(html("p", { class: "note keys" }, "A click marks a word; with Shift, all from the last one on. Keyboard: arrows to move, Enter to mark."));
  box.append(savers(root, "marks", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);

  const words = [...box.querySelectorAll(".w")];
  const number = (word) => +word.dataset.number;
  let last = null;
  let shift = false;
  const show = () => {
    for (const word of words) {
      word.classList.toggle("marked", marked.has(number(word)));
      word.setAttribute("aria-pressed", marked.has(number(word)));
    }
    told.textContent = `${marked.size} of ${data.count} words marked`;
    clear.disabled = marked.size === 0;
  };
  const changed = () => {
    show();
    send(root, data, { of: data.of, words: [...marked] });
  };
  const choose = (word) => {
    const run = shift && last ? words.slice(...[words.indexOf(last), words.indexOf(word)].sort((one, other) => one - other)) : [];
    const on = run.length ? marked.has(number(last)) : !marked.has(number(word));
    for (const changing of [...run, word]) {
      if (on) marked.add(number(changing));
      else marked.delete(number(changing));
    }
    last = word;
    changed();
  };
  box.onmousedown = (event) => {
    if (event.shiftKey && event.target.closest(".w")) event.preventDefault(); // it would select text
  };
  box.onclick = (event) => {
    shift = event.shiftKey;
    if (event.target.closest(".w")) choose(event.target.closest(".w"));
  };
  clear.onclick = () => {
    marked.clear();
    last = null;
    changed();
    words[0]?.focus(); // a button that is off has no focus
  };
  walkable(box, ".w", choose, () => {});
  box.addEventListener("keydown", (event) => (shift = event.shiftKey), true);
  show();
}

function markable(data, text) {
  const prose = html("p", { class: "text", dir: "auto", role: "group", "aria-label": `Words to mark, ${text.label}` });
  if (data.texts.length > 1) prose.append(html("span", { class: "which", dir: "ltr" }, text.label));
  if (text.before) prose.append(unread(text.before));
  text.units.forEach((unit, place) => {
    if (unit.gap) prose.append(unit.gap);
    const word = html("span", { class: "w", role: "button", "data-number": unit.number }, unit.text);
    if (place && !unit.gap) word.classList.add("joined");
    if (text.units[place + 1]?.gap === "") word.classList.add("joins");
    prose.append(word);
  });
  if (text.tail) prose.append(text.tail);
  if (text.unread) prose.append(unread(text.unread));
  return prose;
}
