// A text on colored ground: each word's score by tint, its sign by hue and by a solid or dashed line below.

function draw(root, data) {
  const long = data.texts.reduce((sum, text) => sum + text.units.length, 0) > 220;
  const box = html("div", { class: long ? "heatmap long" : "heatmap" });
  const tip = tooltip(box);
  box.prepend(...(data.lead ? [html("p", { class: "lead" }, data.lead)] : []), legend(root, data), ...data.texts.map((text) => paragraph(root, data, text)));
  if (data.note) box.append(html("p", { class: "note" }, data.note));
  box.append(savers(root, data.method, () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);

  const marks = [...box.querySelectorAll(".w")];
  const unit = (mark) => data.texts[+mark.dataset.text].units[+mark.dataset.unit];
  const tell = (mark) => tip.show(mark, description(data, unit(mark)));
  const choose = (mark) => {
    const again = mark.classList.contains("picked"); // lets go of it
    pick(data.group, again ? [] : unit(mark).tokens);
    send(root, data, { token: again ? null : unit(mark).tokens[0] });
  };
  box.onpointerover = (event) => event.target.closest(".w") && tell(event.target.closest(".w"));
  box.onpointerout = () => tip.hide();
  box.addEventListener("focusin", (event) => event.target.closest(".w") && tell(event.target.closest(".w")));
  box.addEventListener("focusout", () => tip.hide());
  box.onclick = (event) => event.target.closest(".w") && choose(event.target.closest(".w"));
  walkable(box, ".w", choose, () => pick(data.group, []));
  const show = (tokens) => {
    for (const mark of marks) {
      const on = unit(mark).tokens.some((token) => tokens.has(token));
      mark.classList.toggle("picked", on);
      mark.setAttribute("aria-pressed", on);
    }
  };
  onPick(root, data.group, show);
  if (data.chosen) show(new Set(data.chosen));
}

function paragraph(root, data, text) {
  const prose = html("p", { class: "text", dir: "auto", role: "group", "aria-label": `${data.title}, ${text.label}` });
  if (data.texts.length > 1) prose.append(html("span", { class: "which", dir: "ltr" }, text.label));
  if (text.before) prose.append(unread(text.before));
  text.units.forEach((unit, place) => {
    if (unit.gap) prose.append(unit.gap);
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
    mark.style.backgroundColor = color(root, amount, data.signed, strength);
    mark.style.borderBottomColor = line(root, amount, data.signed, strength);
    if (place && !unit.gap) mark.classList.add("joined");
    if (text.units[place + 1]?.gap === "") mark.classList.add("joins");
    if (unit.special) mark.classList.add("special");
    if (unit.asked) mark.classList.add("asked");
    prose.append(mark);
    // One label for neighbours that are asked about together; the accessible name of each says it.
    if (unit.asked && !text.units[place + 1]?.asked) prose.append(html("span", { class: "asked-label", dir: "ltr", "aria-hidden": "true" }, data.asked));
  });
  if (text.tail) prose.append(text.tail);
  if (text.unread) prose.append(unread(text.unread));
  return prose;
}

function description(data, unit) {
  const lines = [["name", unit.text]];
  if (unit.score !== null) lines.push(["number", `${score(unit.score, data)} ${data.unit}`]);
  if (unit.asked) lines.push(["more", data.asked]);
  if (unit.rank) lines.push(["more", `${unit.rank}. of ${data.count} by size`]);
  if (unit.parts.length > 1) lines.push(["more", unit.parts.map(([piece, value]) => (value === null ? piece : `${piece} ${score(value, data)}`)).join("   ")]);
  if (unit.error) lines.push(["more", `${interval(unit.error, data)} (95%)`]);
  return lines;
}

function legend(root, data) {
  const strip = ramp(root, data.signed);
  const parts = data.signed
    ? [html("span", { class: "end" }, `${data.against} ${score(-data.largest, data)}`), strip, html("span", { class: "end" }, `${score(data.largest, data)} ${data.for}`)]
    : [html("span", { class: "end" }, score(0, data)), strip, html("span", { class: "end" }, score(data.largest, data))];
  const [above, below] = data.signs ?? ["for", "against"];
  const key = data.signed ? [html("span", { class: "key" }, html("span", { class: "line for" }), ` ${above}`), html("span", { class: "key" }, html("span", { class: "line against" }), ` ${below}`)] : [];
  return html("div", { class: "legend" }, ...parts, ...key, html("span", { class: "unit" }, data.unit));
}
