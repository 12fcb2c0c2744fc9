// Attention matrix: a canvas of cells with names beside it. Arrow keys walk over the cells, Enter chooses one.

function draw(root, data) {
  const box = html("div", { class: "matrix" });
  const count = data.units.length;
  const values = unpack(data.weights);
  const wide = (root.clientWidth || 900) - 150;
  const cell = Math.max(2, Math.min(26, Math.floor(wide / count)));
  const named = cell >= 11; // else names would lie on each other; the card names the cell under the pointer
  const margin = named ? 118 : 8, above = named ? 92 : 8;
  const amount = (value) => (data.share ? percent(value) : figure(value, data.signed));
  const canvas = html("canvas", { role: "img", "aria-label": `${data.caption}: ${count} by ${count}` });
  paint(root, canvas, values, count, count, cell, data.full, data.signed);
  const width = margin + count * cell + 40, height = above + count * cell + 4;
  const frame = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, class: "names", "aria-hidden": "true" });
  data.units.forEach((unit, at) => {
    const middle = at * cell + cell / 2;
    if (!named) return;
    const kind = `token${unit.special ? " special" : ""}${unit.segment ? " second" : ""}`;
    const row = svg("text", { x: margin - 6, y: above + middle + 4, "text-anchor": "end", class: kind });
    row.textContent = shortened(unit.text);
    const column = svg("text", { transform: `translate(${margin + middle + 4} ${above - 6}) rotate(-60)`, class: kind });
    column.textContent = shortened(unit.text);
    frame.append(row, column);
  });
  const mark = svg("rect", { class: "mark", width: 0, height: 0 });
  const keptRow = svg("rect", { class: "kept", width: 0, height: 0 });
  const keptColumn = svg("rect", { class: "kept", width: 0, height: 0 });
  frame.append(keptRow, keptColumn, mark);
  const stage = html("div", { class: "stage", tabindex: "0", role: "application", "aria-label": `${data.caption}. Arrow keys walk, Enter chooses.` }, canvas);
  stage.append(frame);
  Object.assign(stage.style, { width: `${width}px`, height: `${height}px` });
  Object.assign(canvas.style, { left: `${margin}px`, top: `${above}px` });
  const scroll = html("div", { class: "scroll" }, stage);
  const low = data.signed ? `\u2212${amount(data.full)}` : "0";
  const over = data.full < data.largest * 0.999;
  const legend = html("div", { class: "legend" }, html("span", {}, low), ramp(root, data.signed, 1), html("span", {}, `${over ? "\u2265 " : ""}${amount(data.full)}${data.share ? " of a row's attention" : ""}`), over ? html("span", {}, `largest ${amount(data.largest)}`) : null);
  box.append(legend, scroll, html("p", { class: "note" }, data.note), savers(root, "attention_matrix", () => asSvg(root, box, data.caption)));
  const tip = tooltip(box);
  root.replaceChildren(box);

  const place = (node, x, y, w, h) => Object.entries({ x, y, width: w, height: h }).forEach(([name, value]) => node.setAttribute(name, value));
  const keep = (row, column) => {
    place(keptRow, margin, above + row * cell, row === null ? 0 : count * cell, row === null ? 0 : cell);
    place(keptColumn, margin + column * cell, above, column === null ? 0 : cell, column === null ? 0 : count * cell);
  };
  let at = null;
  const show = (row, column) => {
    at = [row, column];
    place(mark, margin + column * cell, above + row * cell, cell, cell);
    tip.show(mark, [["name", `${data.units[row].text} \u2192 ${data.units[column].text}`], ["number", `${amount(values[row * count + column])}${data.share ? " of what it looks at" : ""}`]]);
  };
  const hide = () => {
    tip.hide();
    place(mark, 0, 0, 0, 0);
  };
  const choose = () => {
    if (!at) return;
    const [row, column] = at;
    keep(row, column);
    pick(data.group, data.units[row].tokens);
    send(root, data, { token: data.units[row].tokens[0], source: data.units[column].tokens[0] });
  };
  stage.onpointermove = (event) => {
    const frameAt = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - frameAt.left) / cell), row = Math.floor((event.clientY - frameAt.top) / cell);
    if (row >= 0 && column >= 0 && row < count && column < count) show(row, column);
    else hide();
  };
  stage.onpointerleave = hide;
  stage.onclick = choose;
  stage.onkeydown = (event) => {
    const [row, column] = at ?? [0, 0];
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (step) show(Math.min(count - 1, Math.max(0, row + step[0])), Math.min(count - 1, Math.max(0, column + step[1])));
    else if (event.key === "Enter" || event.key === " ") choose();
    else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
  };
  if (data.chosen) keep(data.chosen[0], data.chosen[1]);
}
