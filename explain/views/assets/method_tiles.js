// Second opinions: a tile for each method with its scores as bars; a click draws that method's scores large.

const TILE = { width: 190, height: 34 };

function draw(root, data) {
  const box = html("div", { class: "opinions" });
  const tiles = html("div", { class: "tile-row", role: "group", "aria-label": "Method" });
  data.tiles.forEach((tile, place) => {
    const button = html("button", { type: "button", class: tile.large ? "method on" : "method", "aria-pressed": String(tile.large) }, html("span", { class: "name" }, html("span", { class: "number", "aria-hidden": "true" }, String(place + 1)), ` ${tile.title}`), strip(tile));
    button.onclick = () => send(root, data, { method: tile.method });
    tiles.append(button);
  });
  inkVariables(root);
  box.append(tiles);
  if (data.agreed.length) box.append(html("p", { class: "note" }, "All agree on ", ...data.agreed.flatMap((word, place) => [place ? ", " : "", html("b", { dir: "auto" }, word)]), "."));
  root.replaceChildren(box);
}

function strip(tile) {
  const drawing = svg("svg", { width: TILE.width, height: TILE.height, viewBox: `0 0 ${TILE.width} ${TILE.height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const middle = tile.signed ? TILE.height / 2 : TILE.height - 1;
  const wide = TILE.width / Math.max(1, tile.bars.length);
  tile.bars.forEach((share, place) => {
    const high = Math.max(1, Math.abs(share) * (tile.signed ? TILE.height / 2 - 1 : TILE.height - 2));
    const kind = !tile.signed ? "size" : share >= 0 ? "for" : "against";
    drawing.append(svg("rect", { x: (place * wide).toFixed(2), y: (share >= 0 ? middle - high : middle).toFixed(2), width: Math.max(0.6, wide - 1).toFixed(2), height: high.toFixed(2), class: `bar-${kind}` }));
  });
  return drawing;
}
