// Effects: bars to the right for the target, to the left against it; a whisker where a row stands for many; a click chooses a row that can be chosen.

function draw(root, data) {
  const box = html("div", { class: `cuts ${data.stem}${data.rows.some((row) => row.flips) ? "" : " steady"}` });
  const list = html("ul", { class: "bars" });
  const at = (value) => 50 + (50 * value) / (data.largest || 1);
  const stretch = (part, one, other) => {
    const [from, to] = [at(one), at(other)].sort((left, right) => left - right);
    Object.assign(part.style, { left: `${from}%`, width: `${to - from}%` });
    return part;
  };
  data.rows.forEach((row, number) => {
    const fill = stretch(html("span", { class: "fill" }), 0, row.effect);
    fill.style.backgroundColor = strongColor(root, row.effect, true);
    const whisker = row.range ? stretch(html("span", { class: "whisker" }), ...row.range) : null;
    const range = row.range ? `, from ${figure(row.range[0], true)} to ${figure(row.range[1], true)}` : "";
    const kind = ["cut-row", row.value ? "open" : "", row.picked ? "picked" : ""].join(" ").trim();
    list.append(
      html(
        "li",
        { class: kind, role: row.value ? "button" : null, "data-number": number, "aria-label": `${row.name}; ${data.claims} ${row.claim}; ${data.what} ${figure(row.effect, true)}${range} ${data.unit}` },
        html("span", { class: "name", dir: "auto", title: row.name }, row.name),
        html("span", { class: "more", dir: "auto" }, row.claim),
        html("span", { class: "track", "aria-hidden": "true" }, fill, html("span", { class: "zero" }), whisker),
        html("span", { class: "value" }, figure(row.effect, true)),
        row.flips ? html("span", { class: "badge" }, "changes the decision") : html("span"),
      ),
    );
  });
  const choose = (item) => send(root, data, data.rows[+item.dataset.number].value);
  list.onclick = (event) => event.target.closest(".open") && choose(event.target.closest(".open"));
  walkable(list, ".open", choose, () => {});
  box.append(list, html("p", { class: "note" }, data.note), savers(root, data.stem, () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);
}
