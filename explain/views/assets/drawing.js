// What every drawing shares. The page and the stand-alone file run this same code.
// Text from outside is only ever put in with textContent or setAttribute.

const SVG = "http://www.w3.org/2000/svg";

/** Make an HTML element: attributes, then children (strings become text). */
function html(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Make an SVG element. */
function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A number for people: a real minus, three digits that matter, a plus where signs matter. */
function figure(value, signed) {
  const size = Math.abs(value);
  let text;
  if (size === 0) text = "0";
  else if (size < 0.0005) text = "<0.001";
  else text = size.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3); // limits as rounded
  if (value < 0) return text.startsWith("<") ? ">\u22120.001" : "\u2212" + text;
  return signed && size > 0 && !text.startsWith("<") ? "+" + text : text;
}

function percent(value) {
  if (value >= 0.9995 && value < 1) return ">99.9%"; // nothing that is not certain is called 0% or 100%
  if (value > 0 && value < 0.0005) return "<0.1%";
  const fine = (value > 0 && value < 0.0995) || (value >= 0.995 && value < 1);
  return `${(100 * value).toFixed(fine ? 1 : 0)}%`;
}

/** A score in its unit. */
function score(value, data) {
  return data.scale === "share" ? percent(value) : figure(value, data.signed);
}

/** Half the width of a score's interval. */
function interval(error, data) {
  return `\u00b1 ${score(error, { ...data, signed: false })}`;
}

/** Light or dark, by the ground the drawing stands on. */
function isDark(root) {
  const ground = getComputedStyle(root).getPropertyValue("--ground").trim();
  const [red, green, blue] = rgb(ground || "#ffffff");
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
}

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

const seen = new Map();

/** Any CSS color as [red, green, blue, alpha], 0 to 255 and 0 to 1. */
function rgb(color) {
  if (!seen.has(color)) seen.set(color, measure(color));
  return seen.get(color);
}

function measure(color) {
  probe.canvas.width = probe.canvas.height = 1;
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = probe.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, alpha / 255];
}

// Orange for, blue against, violet for sizes without a sign. Tints stay light enough for WCAG AA text contrast.
const INK = {
  light: { for: [217, 115, 13], against: [47, 111, 208], size: [122, 92, 196], most: 0.62 },
  dark: { for: [255, 154, 61], against: [110, 168, 255], size: [176, 150, 255], most: 0.45 },
};

function ink(root) {
  return INK[isDark(root) ? "dark" : "light"];
}

function color(root, value, signed, strength, most = ink(root).most) {
  const inks = ink(root);
  const hue = !signed ? inks.size : value >= 0 ? inks.for : inks.against;
  return `rgba(${hue.join(",")},${(strength * most).toFixed(3)})`;
}

function strongColor(root, value, signed) {
  const inks = ink(root);
  return `rgb(${(!signed ? inks.size : value >= 0 ? inks.for : inks.against).join(",")})`;
}

/** The inks as variables of the drawing's style sheet. */
function inkVariables(root) {
  const inks = ink(root);
  for (const name of ["for", "against", "size"]) root.style.setProperty(`--${name}`, `rgb(${inks[name].join(",")})`);
}

/** A strip of colors from one end of a scale to the other; of plain spans, so that it can be saved. */
function ramp(root, signed, most = ink(root).most) {
  const strip = html("span", { class: "ramp", "aria-hidden": "true" });
  for (let step = 0; step <= 24; step++) {
    const value = signed ? step / 12 - 1 : step / 24;
    const part = html("span");
    part.style.backgroundColor = color(root, value, signed, Math.abs(value), most);
    strip.append(part);
  }
  return strip;
}

/** The line below a word: as strong as its score. */
function line(root, value, signed, strength) {
  const inks = ink(root);
  const hue = !signed ? inks.size : value >= 0 ? inks.for : inks.against;
  return `rgba(${hue.join(",")},${Math.min(1, 1.25 * Math.sqrt(strength) - 0.1).toFixed(3)})`;
}

// A word picked in one drawing is marked in all of them, wherever they stand on the page.
const PICK = "explain:pick";

function pick(group, tokens) {
  window.dispatchEvent(new CustomEvent(PICK, { detail: { group, tokens } }));
}

function onPick(root, group, react) {
  root.explainPick?.();
  const listen = (event) => {
    if (!root.isConnected) return window.removeEventListener(PICK, listen);
    if (event.detail.group === group) react(new Set(event.detail.tokens));
  };
  window.addEventListener(PICK, listen);
  root.explainPick = () => window.removeEventListener(PICK, listen);
}

/** Arrow keys walk along the items, Home and End jump, Enter and Space pick, Escape lets go. One of them is in the tab order. */
function walkable(box, selector, choose, letGo) {
  const items = () => [...box.querySelectorAll(selector)];
  items().forEach((item, place) => (item.tabIndex = place ? -1 : 0));
  box.onkeydown = (event) => {
    const all = items();
    const at = all.indexOf(event.target.closest(selector));
    if (at < 0) return;
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined && all[to]) {
      all[at].tabIndex = -1;
      all[to].tabIndex = 0;
      all[to].focus();
    } else if (event.key === "Enter" || event.key === " ") choose(all[at]);
    else if (event.key === "Escape") letGo();
    else return;
    event.preventDefault();
  };
}

/**
 * The pointer and the arrow keys walk over a stage's cells, a click, Enter or Space choose one, Escape lets go. Where one stands is kept when the view
 * is drawn anew. `place(event)` says which [row, column] the pointer is at, or null; `show` gives what marks a cell.
 */
function walkCells(root, stage, rows, columns, { place, show, hide, choose }) {
  let [row, column] = root.explainCell ?? [0, 0];
  let walked = Boolean(root.explainCell) && row < rows && column < columns;
  if (!walked) [row, column] = [0, 0];
  const go = (to) => {
    [row, column] = root.explainCell = to;
    walked = true;
    return show(row, column);
  };
  stage.tabIndex = 0;
  stage.onpointermove = (event) => (place(event) ? go(place(event)) : hide());
  stage.onpointerleave = stage.onblur = hide;
  stage.onclick = (event) => place(event) && (go(place(event)), choose(row, column));
  stage.onkeydown = (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const within = (at, count) => Math.min(count - 1, Math.max(0, at));
    if (step) go([within(row + step[0], rows), within(column + step[1], columns)]).scrollIntoView({ block: "nearest", inline: "nearest" });
    else if (event.key === "Enter" || event.key === " ") {
      if (walked) choose(row, column);
    } else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
  };
}

/** Draw anew with a view's `draw`, with the keyboard's focus where it was. */
function redraw(draw, root, data) {
  const stops = () => [...root.querySelectorAll("[tabindex], button")];
  const at = stops().indexOf(root.getRootNode().activeElement);
  draw(root, data);
  const stop = at < 0 ? null : stops()[at];
  if (!stop) return;
  stop.tabIndex = 0;
  stop.focus({ preventScroll: true });
}

/** Tell the page what was chosen, where a page listens. */
function send(root, data, value) {
  if (data.sends) root.explainSend?.("chosen", value);
}

/** Numbers from base64: unsigned 16-bit parts of the largest, or signed ones. */
function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed.base64), (letter) => letter.charCodeAt(0));
  const whole = packed.signed ? new Int16Array(bytes.buffer) : new Uint16Array(bytes.buffer);
  const unit = packed.largest / (packed.signed ? 32767 : 65535);
  return Float32Array.from(whole, (value) => value * unit);
}

/** Paint rows x columns of values on a canvas; full color, or `most` of it, at `full`. */
function paint(root, canvas, values, rows, columns, cell, full, signed, most = 1) {
  const image = new ImageData(columns, rows);
  const inks = ink(root);
  for (let at = 0; at < rows * columns; at++) {
    const value = values[at];
    const hue = !signed ? inks.size : value >= 0 ? inks.for : inks.against;
    image.data.set(hue, 4 * at);
    image.data[4 * at + 3] = 255 * most * Math.min(1, Math.abs(value) / full);
  }
  const small = html("canvas", { width: columns, height: rows });
  small.getContext("2d").putImageData(image, 0, 0);
  canvas.width = columns * cell;
  canvas.height = rows * cell;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  return context;
}

/**
 * Layers down, tokens across, a cell of color for each: packed values (layers x tokens) with the layers' names and means beside them. A click tells
 * `choose` of the layer and the token; `chosen` tokens are marked.
 */
function tokenStrip(root, tip, { title, tokens, names, means, full, width, say, chosen = [], choose = null, ...packed }) {
  const values = unpack(packed);
  const columns = tokens.length, height = 20;
  const cell = Math.max(2, Math.min(24, Math.floor((width - 124) / columns)));
  const above = cell >= 11 ? 76 : 0; // for the tokens' names, where they would not lie on each other
  const canvas = html("canvas", { role: "img", "aria-label": `${title}: ${means.map((mean, layer) => `${names[layer]} ${say(mean)}`).join(", ")} on average` });
  paint(root, canvas, values, names.length, columns, cell, full, packed.signed);
  Object.assign(canvas.style, { height: `${names.length * height}px`, width: `${columns * cell}px`, cursor: choose ? "pointer" : "default" });
  const column = (lines) => {
    const box = html("div", { class: "strip-names" }, ...lines.map((told) => html("span", {}, told)));
    box.style.paddingTop = `${above}px`;
    return box;
  };
  const heads = svg("svg", { width: columns * cell, height: above, class: "strip-heads", "aria-hidden": "true" });
  if (above)
    tokens.forEach((token, at) => {
      const text = svg("text", { transform: `translate(${at * cell + cell / 2 + 4} ${above - 5}) rotate(-60)`, class: chosen.includes(at) ? "on" : "" });
      text.textContent = shortened(token);
      heads.append(text);
    });
  const stage = html("div", { class: "stage", role: "application", "aria-label": `${title}. Arrow keys walk${choose ? ", Enter chooses" : ""}.` }, heads, canvas);
  const strip = html("div", { class: "strip" }, column(names), stage, column(means.map(say)));
  for (const token of chosen) {
    const kept = html("span", { class: "kept", "aria-hidden": "true" });
    Object.assign(kept.style, { left: `${token * cell}px`, top: `${above}px`, width: `${cell}px` });
    stage.append(kept);
  }
  const mark = html("span", { class: "spot" });
  strip.append(mark);
  walkCells(root, stage, names.length, columns, {
    place: (event) => {
      const frame = canvas.getBoundingClientRect();
      const token = Math.floor((event.clientX - frame.left) / cell), layer = Math.floor((event.clientY - frame.top) / height);
      return token < 0 || layer < 0 || token >= columns || layer >= names.length ? null : [layer, token];
    },
    show: (layer, token) => {
      const frame = canvas.getBoundingClientRect(), around = strip.getBoundingClientRect();
      Object.assign(mark.style, { left: `${frame.left - around.left + token * cell}px`, top: `${frame.top - around.top + layer * height}px`, width: `${cell}px`, height: `${height}px` });
      mark.classList.add("on");
      tip.show(mark, [["name", tokens[token]], ["number", `${names[layer]}: ${say(values[layer * columns + token])}`]]);
      return mark;
    },
    hide: () => {
      mark.classList.remove("on");
      tip.hide();
    },
    choose: (layer, token) => choose?.({ layer, token }),
  });
  return html("div", { class: "scroll" }, strip);
}

function shortened(text, most = 14) {
  return text.length > most ? text.slice(0, most - 1) + "\u2026" : text;
}

/**
 * A matrix: a canvas of cells with names beside it. Arrow keys walk over the cells, Enter chooses one.
 *
 * Units are `{text, tokens, special, segment}`; `form` says what is drawn: rows, columns, stem (of a saved file's name),
 * amount(value) and unit, relation (between the names of a cell), largest cell in pixels, whether cells hold their
 * numbers where these fit, and told(row, column), what the page is sent.
 */
function drawMatrix(root, data, form) {
  const box = html("div", { class: "matrix" });
  const { rows, columns, amount } = form;
  const values = unpack(data.weights);
  const wide = (root.clientWidth || 900) - 150;
  const cell = Math.max(2, Math.min(form.cell, Math.floor(wide / columns.length)));
  const named = cell >= 11; // else names would lie on each other; the card names the cell under the pointer
  const written = form.numbers && cell >= 34;
  const margin = named ? 118 : 8, above = named ? 92 : 8;
  const canvas = html("canvas", { role: "img", "aria-label": `${data.caption}: ${rows.length} by ${columns.length}` });
  const most = written ? ink(root).most : 1; // numbers must stay readable on it
  paint(root, canvas, values, rows.length, columns.length, cell, data.full, data.signed, most);
  const width = margin + columns.length * cell + 40, height = above + rows.length * cell + 4;
  const frame = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, class: "names", "aria-hidden": "true" });
  const middle = (at) => at * cell + cell / 2;
  const write = (text, places, kind) => {
    const node = svg("text", { ...places, class: kind });
    node.textContent = text;
    frame.append(node);
  };
  const kind = (unit) => `token${unit.special ? " special" : ""}${unit.segment ? " second" : ""}`;
  if (named) {
    rows.forEach((unit, at) => write(shortened(unit.text), { x: margin - 6, y: above + middle(at) + 4, "text-anchor": "end" }, kind(unit)));
    columns.forEach((unit, at) => write(shortened(unit.text), { transform: `translate(${margin + middle(at) + 4} ${above - 6}) rotate(-60)` }, kind(unit)));
  }
  if (written)
    values.forEach((value, at) => {
      const x = margin + middle(at % columns.length), y = above + middle(Math.floor(at / columns.length)) + 4;
      write(amount(value), { x, y, "text-anchor": "middle" }, "cell");
    });
  const mark = svg("rect", { class: "mark", width: 0, height: 0 });
  const keptRow = svg("rect", { class: "kept", width: 0, height: 0 });
  const keptColumn = svg("rect", { class: "kept", width: 0, height: 0 });
  frame.append(keptRow, keptColumn, mark);
  const stage = html("div", { class: "stage", role: "application", "aria-label": `${data.caption}. Arrow keys walk, Enter chooses.` }, canvas);
  stage.append(frame);
  Object.assign(stage.style, { width: `${width}px`, height: `${height}px` });
  Object.assign(canvas.style, { left: `${margin}px`, top: `${above}px` });
  const scroll = html("div", { class: "scroll" }, stage);
  const low = data.signed ? `\u2212${amount(data.full).replace(/^\+/, "")}` : "0";
  const over = data.full < data.largest * 0.999;
  const legend = html("div", { class: "legend" }, html("span", {}, low), ramp(root, data.signed, most), html("span", {}, `${over ? "\u2265 " : ""}${amount(data.full)}${form.unit}`), over ? html("span", {}, `largest ${amount(data.largest)}`) : null);
  box.append(legend, scroll, html("p", { class: "note" }, data.note), savers(root, form.stem, () => asSvg(root, box, data.caption)));
  const tip = tooltip(box);
  root.replaceChildren(box);

  const place = (node, x, y, w, h) => Object.entries({ x, y, width: w, height: h }).forEach(([name, value]) => node.setAttribute(name, value));
  const keep = (row, column) => {
    place(keptRow, margin, above + row * cell, row === null ? 0 : columns.length * cell, row === null ? 0 : cell);
    place(keptColumn, margin + column * cell, above, column === null ? 0 : cell, column === null ? 0 : rows.length * cell);
  };
  walkCells(root, stage, rows.length, columns.length, {
    place: (event) => {
      const frameAt = canvas.getBoundingClientRect();
      const column = Math.floor((event.clientX - frameAt.left) / cell), row = Math.floor((event.clientY - frameAt.top) / cell);
      return row >= 0 && column >= 0 && row < rows.length && column < columns.length ? [row, column] : null;
    },
    show: (row, column) => {
      place(mark, margin + column * cell, above + row * cell, cell, cell);
      tip.show(mark, [["name", `${rows[row].text} ${form.relation} ${columns[column].text}`], ["number", `${amount(values[row * columns.length + column])}${form.of}`]]);
      return mark;
    },
    hide: () => {
      tip.hide();
      place(mark, 0, 0, 0, 0);
    },
    choose: (row, column) => {
      keep(row, column);
      pick(data.group, form.picked(rows[row], columns[column]));
      if (form.told) send(root, data, form.told(rows[row], columns[column]));
    },
  });
  if (data.chosen) keep(data.chosen[0], data.chosen[1]);
}

/** What of a text was not read. */
function unread(words) {
  return html("span", { class: "unread", title: "Not read: the text is longer than the model's input" }, words);
}

/** How a picture is read, under a sign that opens it. */
function howToRead(note) {
  return html("details", { class: "about" }, html("summary", { "aria-label": "How to read", title: "How to read" }, "?"), html("p", { class: "note" }, note));
}

/** A small card that follows the pointer or the focus. */
function tooltip(box) {
  const card = html("div", { class: "tip", "aria-hidden": "true" }); // what it says of an item is in the item's own name, or beside it
  box.append(card);
  return {
    show(anchor, lines) {
      card.replaceChildren(...lines.map(([name, text]) => html("div", { class: name }, text)));
      const at = (anchor.getClientRects()[0] ?? anchor.getBoundingClientRect());
      const frame = box.getBoundingClientRect();
      const left = Math.min(Math.max(0, at.left - frame.left), Math.max(0, frame.width - card.offsetWidth - 4));
      let top = at.top - frame.top - card.offsetHeight - 6;
      if (top < 0) top = at.bottom - frame.top + 6;
      Object.assign(card.style, { left: `${left}px`, top: `${top}px`, opacity: 1 });
    },
    hide() {
      card.style.opacity = 0;
    },
  };
}

// Pictures: what is on the screen, as SVG, and from that as PNG. Made in the browser, nothing leaves it.

function savers(root, stem, source) {
  const save = (kind) => async (event) => {
    event.preventDefault();
    const picture = source();
    const blob = kind === "svg" ? new Blob([picture.text], { type: "image/svg+xml" }) : await toPng(picture);
    const link = html("a", { href: URL.createObjectURL(blob), download: `${stem}.${kind}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const bar = html("div", { class: "savers" });
  for (const kind of ["svg", "png"]) {
    const button = html("button", { type: "button", class: "save", "aria-label": `Save this picture as ${kind.toUpperCase()}` }, kind.toUpperCase());
    button.onclick = save(kind);
    bar.append(button);
  }
  return bar;
}

async function toPng(picture) {
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(picture.text);
  await image.decode();
  const canvas = document.createElement("canvas");
  const scale = Math.min(2, 8000 / Math.max(picture.width, picture.height));
  canvas.width = Math.ceil(picture.width * scale);
  canvas.height = Math.ceil(picture.height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.drawImage(image, 0, 0);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** All of a box, scrolled out of sight or not, as SVG. */
function asSvg(root, box, caption) {
  box.classList.add("saving"); // nothing scrolls while it is read
  try {
    return readBox(root, box, caption);
  } finally {
    box.classList.remove("saving");
  }
}

/** Grounds and borders as rectangles, text as text, drawings as they are, below the caption as a title. */
function readBox(root, box, caption) {
  const frame = box.getBoundingClientRect();
  const margin = 16, line = 18;
  const width = Math.ceil(Math.max(frame.width, box.scrollWidth, 200)) + 2 * margin;
  const titles = inLines(caption, Math.floor((width - 2 * margin) / 7.4));
  const above = line * titles.length + 8;
  const height = Math.ceil(frame.height) + 2 * margin + above;
  const left = margin - frame.left;
  const top = margin - frame.top; // the title is above zero
  const style = getComputedStyle(root);
  const out = svg("svg", { xmlns: SVG, width, height, viewBox: `0 ${-above} ${width} ${height}`, "font-family": "system-ui, sans-serif" });
  out.append(svg("rect", { y: -above, width, height, fill: plain(style.getPropertyValue("--ground").trim() || "#ffffff") }));
  const visit = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return drawText(out, node, left, top);
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(".tip, .savers, .unseen, script")) return;
    const look = getComputedStyle(node);
    if (look.visibility === "hidden" || look.display === "none") return;
    if (node.namespaceURI === SVG && node.tagName === "svg") return drawDrawing(out, node, left, top);
    if (node.tagName === "CANVAS") {
      const at = node.getBoundingClientRect();
      out.append(svg("image", { x: at.left + left, y: at.top + top, width: at.width, height: at.height, href: node.toDataURL(), style: "image-rendering: pixelated" }));
      return;
    }
    drawGround(out, node, look, left, top);
    node.childNodes.forEach(visit);
  };
  visit(box);
  titles.forEach((title, number) => {
    const text = svg("text", { x: margin, y: margin + 12 + line * number - above, "font-size": 13, "font-weight": 600, fill: plain(style.color) });
    text.textContent = title;
    out.append(text);
  });
  return { text: new XMLSerializer().serializeToString(out), width, height };
}

/** A text in lines of at most so many letters, broken between words, and inside of a word that is longer. */
function inLines(text, most) {
  const lines = [""];
  for (const word of text.split(" ").flatMap((part) => part.match(new RegExp(`.{1,${most}}`, "gsu")) ?? [])) {
    const last = lines.length - 1;
    if (!lines[last]) lines[last] = word;
    else if (lines[last].length + 1 + word.length <= most) lines[last] += ` ${word}`;
    else lines.push(word);
  }
  return lines;
}

function plain(color) {
  const [red, green, blue, alpha] = rgb(color);
  return `rgba(${red},${green},${blue},${alpha.toFixed(3)})`;
}

function drawGround(out, node, look, left, top) {
  const [, , , alpha] = rgb(look.backgroundColor);
  const line = parseFloat(look.borderBottomWidth);
  const dash = look.borderBottomStyle === "dashed" ? "4 3" : "none";
  for (const at of node.getClientRects()) {
    const place = { x: at.left + left, y: at.top + top, width: at.width, height: at.height };
    if (alpha > 0) out.append(svg("rect", { ...place, rx: parseFloat(look.borderTopLeftRadius) || 0, fill: plain(look.backgroundColor) }));
    const around = look.outlineStyle === "none" ? 0 : parseFloat(look.outlineWidth);
    if (around > 0) {
      const gap = parseFloat(look.outlineOffset) + around / 2;
      const frame = { x: place.x - gap, y: place.y - gap, width: place.width + 2 * gap, height: place.height + 2 * gap };
      out.append(svg("rect", { ...frame, rx: 3, fill: "none", stroke: plain(look.outlineColor), "stroke-width": around }));
    }
    if (line > 0 && rgb(look.borderBottomColor)[3] > 0) {
      const y = at.bottom + top - line / 2;
      out.append(svg("line", { x1: place.x, x2: place.x + place.width, y1: y, y2: y, stroke: plain(look.borderBottomColor), "stroke-width": line, "stroke-dasharray": dash }));
    }
  }
}

/** Whether the first letter of a text is one that is written from right to left. */
function beginsRightToLeft(text) {
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(text.match(/\p{L}/u)?.[0] ?? "");
}

/** A text node line by line, each line where the browser put it. */
function drawText(out, node, left, top) {
  const look = getComputedStyle(node.parentElement);
  const range = document.createRange();
  const lines = [];
  for (let at = 0; at < node.length; ) {
    const step = node.data.codePointAt(at) > 0xffff ? 2 : 1;
    range.setStart(node, at);
    range.setEnd(node, at + step);
    const place = range.getClientRects()[0];
    const last = lines[lines.length - 1];
    if (place && place.width) {
      if (last && Math.abs(last.bottom - place.bottom) < 3) {
        last.text += node.data.slice(at, at + step);
        last.from = Math.min(last.from, place.left);
        last.to = Math.max(last.to, place.right);
      } else lines.push({ text: node.data.slice(at, at + step), from: place.left, to: place.right, top: place.top, bottom: place.bottom });
    } else if (last) last.text += node.data.slice(at, at + step);
    at += step;
  }
  const size = parseFloat(look.fontSize);
  for (const line of lines) {
    if (!line.text.trim()) continue;
    const rightToLeft = look.unicodeBidi === "plaintext" ? beginsRightToLeft(node.data) : look.direction === "rtl";
    const text = svg("text", {
      x: (rightToLeft ? line.to : line.from) + left,
      y: (line.top + line.bottom) / 2 + top + 0.35 * size,
      "font-size": size,
      "font-weight": look.fontWeight,
      fill: plain(look.color),
      textLength: Math.max(1, line.to - line.from).toFixed(1),
      lengthAdjust: "spacingAndGlyphs",
      direction: rightToLeft ? "rtl" : "ltr",
      "xml:space": "preserve",
    });
    text.textContent = line.text;
    out.append(text);
  }
}

// The first is a part's own; the others it has from the part it stands in, if nothing else is said.
const DRAWN = ["opacity", "unicode-bidi", "fill", "stroke", "stroke-width", "stroke-opacity", "fill-opacity", "stroke-linecap", "stroke-dasharray", "font-size", "font-weight", "text-anchor"];
const UNSEEN = 1 / 512; // less than half a step of any screen's 256 shades

function drawDrawing(out, node, left, top) {
  const at = node.getBoundingClientRect();
  const copy = node.cloneNode(true);
  const theirs = node.querySelectorAll("*");
  const looks = new Map();
  copy.querySelectorAll("*").forEach((part, place) => {
    if (part.tagName === "line" && Number(part.getAttribute("stroke-opacity") ?? 1) < UNSEEN) return part.remove();
    const look = getComputedStyle(theirs[place]);
    if (look.display === "none") return part.remove();
    const values = DRAWN.map((name) => look.getPropertyValue(name));
    const around = looks.get(part.parentNode);
    looks.set(part, values);
    DRAWN.forEach((name, number) => {
      const value = values[number];
      if (!value || (number ? around?.[number] === value : value === "1")) return part.removeAttribute(name);
      part.setAttribute(name, name === "fill" || name === "stroke" ? (value === "none" ? "none" : plain(value)) : value);
    });
    part.removeAttribute("class");
    part.removeAttribute("style");
  });
  copy.setAttribute("x", at.left + left);
  copy.setAttribute("y", at.top + top);
  copy.setAttribute("width", at.width);
  copy.setAttribute("height", at.height);
  out.append(copy);
}

/** Heights of labels, moved so that none covers another and all stay between two heights. */
function apart(heights, gap, low, high) {
  const order = heights.map((_, number) => number).sort((one, other) => heights[one] - heights[other]);
  const found = [...heights];
  order.forEach((number, place) => {
    if (place) found[number] = Math.max(found[number], found[order[place - 1]] + gap);
  });
  let most = high;
  for (const number of order.reverse()) {
    found[number] = Math.max(low, Math.min(found[number], most));
    most = found[number] - gap;
  }
  return found;
}

/** Two to six values from low to high, in steps of 1, 2 or 5 times a power of ten. */
function roundValues(low, high) {
  if (!(high > low)) return [low];
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, number) => (first + number) * step);
}

/**
 * Lines over a shared axis from 0 to 1, named at their ends: lines of {name, points of [x, y, where it is]} with a style, if not in order, and a
 * few words `after` the name, ticks of [x, text], and a band of {upper, middle, lower}, points of [x, y] each.
 */
function lineChart(tip, { title, lines, low, high, say, ticks, band = null, width, left = 64, right = 120, height = 210 }) {
  const top = 14, bottom = 30;
  const x = (share) => left + (width - left - right) * share;
  const y = (value) => top + (height - top - bottom) * (1 - (value - low) / (high - low || 1));
  const drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": `${title}: ${lines.map((line) => `${line.name} ${line.told ?? line.points.map((point) => say(point[1])).join(", ")}`).join("; ")}` });
  if (band) {
    const path = (points) => points.map(([share, value]) => `${x(share)},${y(value)}`);
    drawing.append(svg("polygon", { class: "band", points: [...path(band.upper), ...path(band.lower).reverse()].join(" ") }));
    drawing.append(svg("polyline", { class: "middle", points: path(band.middle).join(" ") }));
  }
  for (const value of roundValues(low, high)) {
    drawing.append(svg("line", { class: value === 0 ? "axis zero" : "axis", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    const text = svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end", class: "label" });
    text.textContent = say(value);
    drawing.append(text);
  }
  for (const [share, told] of ticks) {
    const text = svg("text", { x: x(share), y: height - 8, "text-anchor": "middle", class: "label" });
    text.textContent = told;
    drawing.append(text);
  }
  const ends = apart(lines.map((line) => y(line.points[line.points.length - 1][1]) + 4), 13, top, height - bottom + 6);
  lines.forEach((line, number) => {
    const kind = `line${(line.style ?? number) % 5}`;
    const style = `line ${kind}`;
    drawing.append(svg("polyline", { class: style, points: line.points.map(([share, value]) => `${x(share)},${y(value)}`).join(" ") }));
    const dot = line.points.length > 25 ? "dot faint" : "dot"; // a curve of many points is a line; they show when pointed at
    for (const [share, value, where] of line.points) {
      const point = svg("circle", { class: `${style} ${dot}`, cx: x(share), cy: y(value), r: 4 });
      point.onpointerover = () => tip.show(point, [["name", line.name], ["number", `${where}: ${say(value)}`]]);
      point.onpointerout = () => tip.hide();
      drawing.append(point);
    }
    const text = svg("text", { class: `end ${kind}`, x: width - right + 10, y: ends[number] });
    text.textContent = line.name.length > 24 ? line.name.slice(0, 23) + "\u2026" : line.name;
    if (line.after) text.textContent += `, ${line.after}`;
    drawing.append(text);
  });
  return drawing;
}
