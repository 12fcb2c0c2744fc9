// The picked word: its score by each method, its attention to and from other words, its top neuron, and its pieces.
// While none is picked, the strongest word stands there.

const MOST = 12; // words in one phrase, at most

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "details", "aria-live": "polite" });
  root.replaceChildren(box);
  const show = (tokens) => {
    const picked = data.words.filter((word) => word.tokens.some((token) => tokens.has(token)));
    document.documentElement.classList.toggle("explain-picked", picked.length > 0); // on a small screen the card is a sheet
    const words = picked.length ? picked : data.words.filter((_, place) => place === data.strongest);
    box.replaceChildren(...words.slice(0, MOST).map((word) => card(root, data, word, words.length === 1)));
    if (words.length > MOST) box.append(html("p", { class: "note" }, `${words.length - MOST} more words are marked; pick them one by one to see their numbers.`));
    if (picked.length) box.prepend(closer(data));
  };
  show(new Set(data.chosen));
  onPick(root, data.group, show);
}

function closer(data) {
  const button = html("button", { type: "button", class: "close", "aria-label": "Let go of the word" }, "\u00d7");
  button.onclick = () => pick(data.group, []);
  return button;
}

/** The words with most attention from or to a word; a click picks one of them. */
function partners(root, data, word, way, name) {
  const found = word.attention[way] ?? [];
  if (!found.length) return null;
  const row = html("p", { class: "partners", title: data.hints[way] }, html("span", { class: "more" }, `${name} `), html("span", { class: "unseen" }, data.hints[way]));
  for (const [number, share] of found) {
    const other = data.words[number];
    const button = html("button", { type: "button", class: "link" }, html("bdi", {}, other.text), " ", html("span", { class: "more" }, percent(share)));
    button.onclick = () => {
      pick(data.group, other.tokens);
      send(root, data, { token: other.tokens[0] });
    };
    row.append(button, " ");
  }
  return row;
}

/** The neuron that is highest at a word, or that it is being computed; a click leads to it where a page listens. */
function topNeuron(root, data, word) {
  if (!word.neuron) return data.awaited ? html("p", { class: "neuron more" }, "Being computed\u2026") : null;
  const [name, here, elsewhere] = word.neuron;
  const shown = data.sends ? html("button", { type: "button", class: "link" }, name) : html("span", {}, name);
  if (data.sends) shown.onclick = () => send(root, data, { neuron: name, token: word.tokens[0] });
  return html("p", { class: "neuron", title: data.hints.neuron }, shown, html("span", {}, ` ${figure(here, true)} `), html("span", { class: "more" }, `elsewhere ${figure(elsewhere, true)}`), html("span", { class: "unseen" }, data.hints.neuron));
}

/** What the model does at one word: with its attention, and with its neurons. */
function inside(root, data, word) {
  const attention = [partners(root, data, word, "to", "to"), partners(root, data, word, "from", "from")].filter(Boolean);
  const neuron = topNeuron(root, data, word);
  const parts = [];
  if (attention.length) parts.push(html("p", { class: "part" }, "Attention"), ...attention);
  if (neuron) parts.push(html("p", { class: "part" }, "Top neuron"), neuron);
  return parts;
}

function card(root, data, word, alone) {
  const rows = html("div", { class: "effects-of-word", role: "list" });
  for (const [method, value, rank, count, error] of word.scores) {
    const how = data.methods[method];
    const number = `${score(value, how)}${error ? ` ${interval(error, how)}` : ""}`;
    const fill = html("span", { class: `fill ${!how.signed ? "size" : value >= 0 ? "for" : "against"}` });
    const share = how.largest ? Math.min(1, Math.abs(value) / how.largest) : 0;
    if (how.signed) Object.assign(fill.style, { width: `${50 * share}%`, left: `${value >= 0 ? 50 : 50 - 50 * share}%` });
    else Object.assign(fill.style, { width: `${100 * share}%`, left: "0" });
    const track = html("span", { class: how.signed ? "track two-sided" : "track", "aria-hidden": "true" }, fill);
    rows.append(html("div", { class: "effect-row", role: "listitem", title: `${how.unit}, ${rank}. of ${count} by size` }, html("span", { class: "name" }, how.title), track, html("span", { class: "value" }, number), html("span", { class: "unseen" }, `${how.unit}, ${rank}. of ${count} by size`)));
  }
  const pieces = html("p", { class: "pieces" });
  for (const [piece, id, unknown] of word.pieces)
    pieces.append(html("code", { class: unknown ? "unknown" : "", title: unknown ? "The model does not know this piece" : `vocabulary entry ${id}` }, piece), html("span", { class: "more" }, ` ${id}  `));
  return html("div", { class: "word" }, html("p", { class: "name", dir: "auto" }, word.text), html("p", { class: "part" }, "Effect"), rows, ...(alone ? inside(root, data, word) : []), html("p", { class: "part" }, word.pieces.length > 1 ? "Pieces" : "Piece"), pieces);
}
