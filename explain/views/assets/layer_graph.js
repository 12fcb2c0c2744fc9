// Attention, layer by layer: tokens as rows, layers as columns, the strongest weights as lines from what is looked at
// (left) to what looks (right). Hover or focus a point to trace its paths; click a point or a line to keep it.

/** A frame around what scrolls: faded where it is cut, with the number of rows below the edge. */
function cutAtEdges(scroll, rows) {
  const more = html("span", { class: "more-below", "aria-hidden": "true" });
  const frame = html("div", { class: "window" }, scroll, more);
  const update = () => {
    const end = scroll.scrollTop + scroll.clientHeight;
    const below = rows.filter((height) => height > end).length;
    more.textContent = below && scroll.clientHeight ? `${below} more` : "";
    frame.classList.toggle("cut-below", Boolean(more.textContent));
    frame.classList.toggle("cut-beside", scroll.scrollWidth - scroll.scrollLeft - scroll.clientWidth > 4);
  };
  scroll.onscroll = update;
  new ResizeObserver(update).observe(scroll); // also when the heading that hides it is opened
  return frame;
}

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "graph" });
  const scroll = html("div", { class: "scroll", tabindex: "0", "aria-label": "Attention graph; scrolls" });
  const row = 22, head = 28;
  const longest = Math.max(...data.tokens.map((token) => token.text.length), 3);
  const margin = Math.min(150, 24 + 7.4 * Math.min(longest, 16));
  const columns = data.layers.length;
  const width = Math.max(box.clientWidth, root.clientWidth || 900, 2 * margin + 64 * columns);
  const x = (column) => margin + ((width - 2 * margin) * column) / columns;
  const place = new Map(data.tokens.map((token, index) => [token.index, index]));
  const second = data.tokens.findIndex((token) => token.segment === 1); // a pair's texts stand apart
  const apart = second > 0 ? 26 : 0;
  const y = (token) => head + row * place.get(token) + row / 2 + (second > 0 && place.get(token) >= second ? apart : 0);
  const height = head + row * data.tokens.length + apart + 10;
  const drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": data.summary });

  for (let column = 0; column <= columns; column++) {
    const text = svg("text", { x: x(column), y: 15, "text-anchor": "middle", class: "label" });
    text.textContent = column ? `layer ${data.layers[column - 1]}` : "input";
    drawing.append(text);
  }
  if (apart) {
    const between = head + row * second + apart / 2;
    drawing.append(svg("line", { class: "between", x1: 0, x2: width, y1: between, y2: between }));
    for (const [at, name] of [[between - 4, data.texts[0]], [between + 11, data.texts[1]]]) {
      const text = svg("text", { x: 2, y: at, class: "label" });
      text.textContent = name;
      drawing.append(text);
    }
  }
  const most = data.edges.reduce((largest, edge) => Math.max(largest, Math.abs(edge[3])), 1e-9);
  const amount = (value) => (data.share ? percent(value) : figure(value, data.signed));
  const lines = svg("g", {});
  const edges = data.edges.map(([column, to, from, weight]) => {
    const left = x(column) + 5, right = x(column + 1) - 5, middle = (left + right) / 2, strength = Math.abs(weight) / most;
    const line = svg("path", {
      d: `M${left} ${y(from)}C${middle} ${y(from)} ${middle} ${y(to)} ${right} ${y(to)}`,
      class: weight < 0 ? "edge against" : data.signed ? "edge for" : "edge",
      "data-edge": `${column},${to},${from}`,
      "stroke-width": (0.5 + 3.5 * strength).toFixed(2),
      "stroke-opacity": (0.1 + 0.75 * strength).toFixed(2),
    });
    lines.append(line);
    return { column, to, from, weight, line };
  });
  drawing.append(lines);
  const points = new Map();
  for (let column = 0; column <= columns; column++)
    for (const token of data.tokens) {
      const point = svg("circle", { cx: x(column), cy: y(token.index), r: 4.2, class: "point", "data-column": column, "data-token": token.index });
      points.set(`${column},${token.index}`, point);
      drawing.append(point);
    }
  for (const token of data.tokens)
    for (const [at, anchor, side] of [[margin - 12, "end", "left"], [width - margin + 12, "start", "right"]]) {
      const text = svg("text", { x: at, y: y(token.index) + 4, "text-anchor": anchor, class: `token${token.special ? " special" : ""}${token.segment ? " second" : ""}`, "data-token": token.index, "data-column": side === "left" ? 0 : columns });
      text.textContent = token.text.length > 16 ? token.text.slice(0, 15) + "\u2026" : token.text;
      text.append(svg("title", {}));
      text.lastChild.textContent = token.text;
      if (side === "right") for (const [name, value] of [["role", "button"], ["aria-pressed", "false"], ["aria-label", `${token.text}: trace what it attends to`]]) text.setAttribute(name, value);
      else text.setAttribute("aria-hidden", "true");
      drawing.append(text);
    }
  scroll.append(drawing);
  const tip = tooltip(box);
  box.prepend(html("div", { class: "legend" }, html("span", {}, "weak"), html("span", { class: "stroke thin" }), html("span", { class: "stroke thick" }), html("span", {}, `strong, up to ${amount(most)} ${data.unit}`), data.signed ? html("span", {}, "orange: for the target, blue: against") : null), cutAtEdges(scroll, data.tokens.map((token) => y(token.index))));
  box.append(html("p", { class: "note" }, data.note), savers(root, "attention_graph", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);

  let kept = null;
  const clear = () => {
    drawing.classList.remove("tracing");
    drawing.querySelectorAll(".on").forEach((part) => part.classList.remove("on"));
  };
  const trace = (column, token) => {
    clear();
    drawing.classList.add("tracing");
    const walk = (ahead) => {
      let front = new Set([token]);
      for (let at = ahead ? column : column - 1; at >= 0 && at < columns; at += ahead ? 1 : -1) {
        const next = new Set();
        for (const edge of edges)
          if (edge.column === at && front.has(ahead ? edge.from : edge.to)) {
            next.add(ahead ? edge.to : edge.from);
            edge.line.classList.add("on");
            points.get(`${at},${edge.from}`).classList.add("on");
            points.get(`${at + 1},${edge.to}`).classList.add("on");
          }
        front = next;
      }
    };
    points.get(`${column},${token}`)?.classList.add("on");
    walk(true);
    walk(false);
  };
  const over = (target) => {
    const token = +target.dataset.token;
    const column = +target.dataset.column;
    trace(column, token);
    const into = edges.filter((edge) => edge.column === column - 1 && edge.to === token).sort((a, b) => b.weight - a.weight).slice(0, 4);
    const name = data.tokens[place.get(token)].text;
    tip.show(target, [["name", name], ["number", column ? `after layer ${data.layers[column - 1]}` : "input"], ...into.map((edge) => ["more", `${data.verb} ${data.tokens[place.get(edge.from)].text}: ${amount(edge.weight)}`])]);
  };
  const overEdge = (target) => {
    const [column, to, from] = target.dataset.edge.split(",").map(Number);
    const { weight } = edges.find((edge) => edge.line === target);
    tip.show(target, [["name", `${data.tokens[place.get(to)].text} \u2190 ${data.tokens[place.get(from)].text}`], ["number", `layer ${data.layers[column]}: ${amount(weight)} ${data.unit}`]]);
  };
  const out = () => {
    tip.hide();
    if (kept) trace(...kept);
    else clear();
  };
  const choose = (target) => {
    const token = +target.dataset.token;
    const column = +target.dataset.column;
    kept = kept && kept[0] === column && kept[1] === token ? null : [column, token];
    pick(data.group, kept ? [token] : []);
    send(root, data, kept ? { token, layer: column ? data.layers[column - 1] : null } : { token: null });
  };
  const chooseEdge = (target) => {
    const [column, to, from] = target.dataset.edge.split(",").map(Number);
    send(root, data, { layer: data.layers[column], token: to, source: from });
  };
  drawing.onpointerover = (event) => {
    if (event.target.dataset?.token !== undefined) over(event.target);
    else if (event.target.dataset?.edge !== undefined) overEdge(event.target);
  };
  drawing.onpointerout = out;
  drawing.addEventListener("focusin", (event) => event.target.dataset?.token !== undefined && over(event.target));
  drawing.addEventListener("focusout", out);
  drawing.onclick = (event) => {
    if (event.target.dataset?.token !== undefined) choose(event.target);
    else if (event.target.dataset?.edge !== undefined) chooseEdge(event.target);
  };
  walkable(drawing, '[role="button"]', choose, () => pick(data.group, []));
  onPick(root, data.group, (tokens) => {
    drawing.querySelectorAll("text.token").forEach((text) => {
      const on = tokens.has(+text.dataset.token);
      text.classList.toggle("picked", on);
      if (text.hasAttribute("role")) text.setAttribute("aria-pressed", on);
    });
    if (!tokens.size || (kept && !tokens.has(kept[1]))) kept = null;
    if (kept) trace(...kept);
    else clear();
  });
  if (data.chosen) {
    const [column, token, from] = data.chosen;
    if (points.has(`${column},${token}`)) {
      kept = [column, token];
      trace(column, token);
      edges.find((edge) => edge.column === column - 1 && edge.to === token && edge.from === from)?.line.classList.add("chosen");
    }
  }
}
