// A text with what the model picked out of it; a word can be asked about by a click, or by Enter.

function draw(root, data) {
  const count = data.texts.reduce((sum, text) => sum + text.units.length, 0);
  const box = html("div", { class: count > 220 ? "spans long" : "spans" });
  box.append(...data.texts.map((text) => pickedText(data, text)));
  if (data.rows.length) box.append(spanTable(data));
  box.append(html("p", { class: "note" }, data.note));
  box.append(savers(root, "spans", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);
  if (!data.sends) return;
  const choose = (word) => send(root, data, { position: +word.dataset.position });
  box.onclick = (event) => event.target.closest(".w") && choose(event.target.closest(".w"));
  walkable(box, ".w", choose, () => {});
}

function pickedText(data, text) {
  const prose = html("p", { class: "text", dir: "auto", role: "group", "aria-label": `${data.caption}, ${text.label}` });
  if (data.texts.length > 1) prose.append(html("span", { class: "which", dir: "ltr" }, text.label));
  if (text.before) prose.append(unread(text.before));
  let open = null;
  text.units.forEach((unit, place) => {
    const before = text.units[place - 1];
    const goesOn = open && before && before.span === unit.span;
    if (unit.gap) (goesOn ? open : prose).append(unit.gap);
    if (unit.span === null) open = null;
    else if (!goesOn) {
      open = html("mark", { class: `span kind${unit.kind % 6}` });
      prose.append(open);
    }
    const word = html("span", {
      class: unit.asked ? "w asked" : "w",
      role: data.sends ? "button" : null,
      "aria-pressed": data.sends ? unit.asked : null,
      "data-position": unit.position,
    }, unit.text);
    (open ?? prose).append(word);
    const after = text.units[place + 1];
    if (open && (!after || after.span !== unit.span) && data.kinds[unit.kind]) open.append(html("span", { class: "kind", dir: "auto" }, data.kinds[unit.kind]));
  });
  if (text.tail) prose.append(text.tail);
  if (text.unread) prose.append(unread(text.unread));
  return prose;
}

function spanTable(data) {
  const rows = data.rows.map((row) =>
    html("tr", {},
      html("td", {}, html("span", { class: `span kind${row.kind % 6}` }, row.label)),
      html("td", { dir: "auto" }, row.text),
      html("td", {}, row.words[0] === row.words[1] ? `word ${row.words[0]}` : `words ${row.words[0]}\u2013${row.words[1]}`),
      html("td", { class: "number" }, percent(row.probability)),
    ),
  );
  const table = html("table", { class: "found" }, ...rows);
  return rows.length > 12 ? html("div", { class: "scroll few", tabindex: "0" }, table) : table;
}
