// Head grid: one small canvas for each head; a click opens it.

function draw(root, data) {
  const box = html("div", { class: "heads" });
  const grid = html("div", { class: data.columns ? "tiles by-layer" : "tiles" });
  if (data.columns) grid.style.setProperty("--columns", data.columns);
  const say = (value) => (data.figure.share ? percent(value) : figure(value, false));
  for (const one of data.heads) {
    const canvas = html("canvas", { "aria-hidden": "true" });
    const bytes = Uint8Array.from(atob(one.map), (letter) => letter.charCodeAt(0));
    paint(root, canvas, Float32Array.from(bytes, (byte) => byte / 255), data.side, data.side, Math.max(1, Math.round(80 / data.side)), 1, false);
    const bar = html("span", { class: "amount" });
    if (one.value !== null) bar.style.setProperty("--part", `${(100 * one.value) / (data.largest || 1)}%`);
    const on = data.chosen && data.chosen[0] === one.layer && data.chosen[1] === one.head;
    const told = one.value === null ? "" : say(one.value);
    grid.append(
      html(
        "div",
        { class: on ? "tile picked" : "tile", role: "button", "data-layer": one.layer, "data-head": one.head, "aria-label": `layer ${one.layer}, head ${one.head}: ${data.figure.name} ${told}` },
        canvas,
        html("span", { class: "name" }, html("b", {}, `${one.layer}\u00b7${one.head}`), html("span", {}, told)),
        bar,
      ),
    );
  }
  const open = (tile) => send(root, data, { layer: +tile.dataset.layer, head: +tile.dataset.head });
  grid.onclick = (event) => event.target.closest(".tile") && open(event.target.closest(".tile"));
  walkable(grid, ".tile", open, () => {});
  box.append(
    html("div", { class: "legend" }, html("span", {}, "0%"), ramp(root, false, 1), html("span", {}, "100% of a token's attention"), html("span", {}, "name: layer\u00b7head, from 0")),
    data.heads.length ? grid : html("p", {}, "No head has that much. Lower the filter."),
    html("p", { class: "note" }, data.note),
    savers(root, "attention_heads", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
}
