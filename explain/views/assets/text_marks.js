// Words of a text on colored ground, as the heatmap and the head of a page draw them.

/** The words of one text as marks, with what is between them. */
function markedWords(root, data, text, tint = color) {
  const nodes = [];
  if (text.before) nodes.push(unread(text.before));
  text.units.forEach((unit, place) => {
    if (unit.gap) nodes.push(unit.gap);
    const amount = unit.score ?? 0; // an asked word that no method removes has none
    const strength = data.largest > 0 ? Math.min(1, Math.abs(amount) / data.largest) : 0;
    const mark = html("span", {
      class: amount === 0 ? "w" : data.signed && amount < 0 ? "w against" : "w for",
      role: "button",
      "aria-pressed": "false",
      "aria-label": `${unit.text}${unit.asked ? ` (${data.asked})` : ""}${unit.score === null ? "" : `: ${score(unit.score, data)}`}`,
      "data-text": data.texts.indexOf(text),
      "data-unit": place,
    }, unit.text);
    mark.style.backgroundColor = tint(root, amount, data.signed, strength);
    mark.style.borderBottomColor = line(root, amount, data.signed, strength);
    if (place && !unit.gap) mark.classList.add("joined");
    if (text.units[place + 1]?.gap === "") mark.classList.add("joins");
    if (unit.special) mark.classList.add("special");
    if (unit.asked) mark.classList.add("asked");
    nodes.push(mark);
    // One label for neighbours that are asked about together; the accessible name of each says it.
    if (unit.asked && !text.units[place + 1]?.asked) nodes.push(html("span", { class: "asked-label", dir: "ltr", "aria-hidden": "true" }, data.asked));
  });
  if (text.tail) nodes.push(text.tail);
  if (text.unread) nodes.push(unread(text.unread));
  return nodes;
}

/** What the card of a word says. */
function description(data, unit) {
  const lines = [["name", unit.text]];
  if (unit.score !== null) lines.push(["number", `${score(unit.score, data)} ${data.unit}`]);
  if (unit.asked) lines.push(["more", data.asked]);
  if (unit.rank) lines.push(["more", `${unit.rank}. of ${data.count} by size`]);
  if (unit.parts.length > 1) lines.push(["more", unit.parts.map(([piece, value]) => (value === null ? piece : `${piece} ${score(value, data)}`)).join("   ")]);
  if (unit.error) lines.push(["more", `${interval(unit.error, data)} (95%)`]);
  return lines;
}

/** Cards, picking and the keyboard of the marks in a box, which may be kept when they are drawn anew; tells the page what is picked. */
function pickableMarks(root, box, data, tip) {
  const unit = (mark) => box.explainMarks.texts[+mark.dataset.text].units[+mark.dataset.unit];
  const known = box.explainMarks;
  box.explainMarks = data;
  const tell = (mark) => tip.show(mark, description(box.explainMarks, unit(mark)));
  const choose = (mark) => {
    const again = mark.classList.contains("picked"); // lets go of it
    pick(data.group, again ? [] : unit(mark).tokens);
    send(root, box.explainMarks, { token: again ? null : unit(mark).tokens[0] });
  };
  if (!known) {
    box.onpointerover = (event) => event.target.closest(".w") && tell(event.target.closest(".w"));
    box.onpointerout = () => tip.hide();
    box.addEventListener("focusin", (event) => event.target.closest(".w") && tell(event.target.closest(".w")));
    box.addEventListener("focusout", () => tip.hide());
    box.onclick = (event) => event.target.closest(".w") && choose(event.target.closest(".w"));
  }
  walkable(box, ".w", choose, () => pick(data.group, []));
  const show = (tokens) => {
    for (const mark of box.querySelectorAll(".w")) {
      const on = unit(mark).tokens.some((token) => tokens.has(token));
      mark.classList.toggle("picked", on);
      mark.setAttribute("aria-pressed", on);
    }
  };
  onPick(root, data.group, show);
  if (data.chosen) show(new Set(data.chosen));
}
