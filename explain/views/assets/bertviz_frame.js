// Runs in BertViz's frame. Before bertviz: the look, its libraries, its parameters. After it: what it leaves to be wished.

const look = JSON.parse(window.name || "{}"); // see bertviz.js
for (const part of ["text", "ground", "accent"]) if (look[part]) document.documentElement.style.setProperty(`--page-${part}`, look[part]);
document.documentElement.classList.toggle("dark", look.dark === true);

// bertviz asks require.js for its two libraries; they are here already.
const require = { config() {} };
const requirejs = (names, run) => run(window.jQuery, window.d3);

/** Parameters as bertviz wants them: numbers are sent as whole thousandths. */
function unpacked(parameters) {
  const divided = (value) => (Array.isArray(value) ? value.map(divided) : value / 1000);
  for (const part of Object.values(parameters.attention))
    for (const name of ["attn", "queries", "keys"]) if (part[name]) part[name] = divided(part[name]);
  return { ...parameters, display_mode: look.dark ? "dark" : "light" };
}

/** Called when bertviz has drawn. */
function finish() {
  const drawing = document.getElementById("vis");
  document.querySelectorAll("#layer option").forEach((option, place) => (option.textContent = about.layers[place]));
  new MutationObserver(polish).observe(drawing, { childList: true }); // bertviz draws anew for another layer or part
  for (const event of ["click", "dblclick"]) document.addEventListener(event, polish); // and changes what is drawn
  polish();
  document.body.append(savers(document.body, `bertviz_${about.which}_view`, () => asSvg(document.body, drawing, caption())));
  new ResizeObserver(tellHeight).observe(document.body);
}

/** The caption of a saved picture: what is drawn, and what is chosen. */
function caption() {
  const names = { layer: "layer ", att_head: "head ", filter: "" };
  const chosen = [...document.querySelectorAll("select")].map((list) => names[list.id] + list.selectedOptions[0].textContent);
  return [about.caption, ...chosen].join("; ");
}

function tellHeight() {
  const bar = window.innerHeight - document.documentElement.clientHeight; // of scrolling sideways
  window.parent.postMessage({ height: Math.ceil(document.body.getBoundingClientRect().height) + bar }, "*");
}

const ROOM = { head: 102, model: 78, neuron: 112 }; // pixels bertviz leaves for a token

function polish() {
  if (about.which === "head") showHeads(); // first: what it hides need not be laid out to measure texts
  document.querySelectorAll("#vis #left text, #vis #right text, #vis text.token").forEach(shorten);
  if (about.which === "model") fit();
  tellHeight();
}

/** All heads beside each other where there is nearly room for them; else the frame scrolls. */
function fit() {
  const drawing = document.getElementById("vis");
  drawing.style.zoom = 1;
  drawing.style.zoom = Math.max(0.6, Math.min(1, document.documentElement.clientWidth / drawing.scrollWidth));
}

/** Long tokens are cut, and told in full on pointing. */
function shorten(text) {
  if (text.querySelector("title")) return;
  const whole = text.textContent;
  const characters = Array.from(whole);
  let kept = characters.length;
  while (kept > 1 && text.getComputedTextLength() > ROOM[about.which]) {
    kept = Math.min(kept - 1, Math.ceil((kept * ROOM[about.which]) / text.getComputedTextLength()));
    text.textContent = characters.slice(0, kept).join("") + "\u2026";
  }
  text.append(titled(whole));
}

/**
 * The head view's squares get names, and its lines the opacity of the other views, their weight. bertviz divides it by the
 * number of heads: so faint that a screen rounds each line's color, and the sum of thousands comes out black or red.
 */
function showHeads() {
  const squares = [...document.querySelectorAll("#vis > svg > g:last-child > rect")];
  const on = squares.map((square) => square.getAttribute("fill").startsWith("#")); // those switched off are rgb(...)
  const least = Math.min(0.04, 0.01 * on.filter(Boolean).length); // lines below are drawn for the token pointed at
  squares.forEach((square, head) => {
    square.classList.toggle("off", !on[head]);
    if (!square.firstChild) square.append(titled(`head ${about.heads[head]}`));
  });
  document.querySelectorAll("#attention > g").forEach((lines, head) => {
    for (const line of lines.querySelectorAll("line")) {
      const weight = on[head] ? line.__data__ : 0;
      line.setAttribute("stroke-opacity", weight);
      line.classList.toggle("faint", weight < least);
    }
  });
}

function titled(words) {
  const title = svg("title", {});
  title.textContent = words;
  return title;
}
