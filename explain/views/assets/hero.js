// The head of a page: the decision, the words it rests on, and the text: colored by score, and edited in place.

const TYPING_PAUSE = 500; // milliseconds without a key, after which an edited text is sent
// Full strength: text on it keeps a contrast of 4.5 in both themes.
const STRONG = {
  light: { for: [244, 140, 40], against: [96, 156, 242], size: [164, 138, 228] },
  dark: { for: [160, 76, 8], against: [42, 94, 190], size: [104, 80, 180] },
};

function strongTint(root, amount, signed, strength) {
  const inks = STRONG[isDark(root) ? "dark" : "light"];
  const hue = !signed ? inks.size : amount >= 0 ? inks.for : inks.against;
  const share = Math.abs(strength);
  return `rgba(${hue.join(",")},${share < 0.04 ? 0 : (share ** 0.82).toFixed(3)})`;
}

function draw(root, data) {
  const parts = (root.explainHero ??= frame(root));
  if (!parts.box.isConnected) root.replaceChildren(parts.box);
  parts.data = data;
  inkVariables(root);
  parts.answer.replaceChildren(...answerParts(data), ...whyNot(root, data));
  parts.because.replaceChildren(...data.because.map(([text, kind]) => (kind ? html("b", { class: kind, dir: "auto" }, text) : text)));
  parts.lead.textContent = data.lead;
  const letters = data.editor.reduce((sum, [, text]) => sum + text.length, 0);
  parts.box.classList.toggle("long", letters > 150);
  parts.box.classList.toggle("very-long", letters > 420);
  drawSheets(root, parts, data);
  drawOverview(parts, data.heat);
  parts.legend.replaceChildren(...(data.heat ? heroLegend(root, data.heat) : []));
  pickableMarks(root, parts.sheets, data.heat ?? { texts: [], group: data.group }, parts.tip);
  parts.box.querySelectorAll(".savers").forEach((old) => old.remove());
  if (data.heat) parts.box.append(savers(root, "decision", () => asSvg(root, parts.box, data.caption)));
}

/** What stays when the head is drawn anew: its editors keep their caret, their undo and an unfinished composition. */
function frame(root) {
  const box = html("div", { class: "hero" });
  const tip = tooltip(box);
  const parts = { box, tip, editors: [] };
  parts.answer = html("div", { class: "answer", role: "heading", "aria-level": "1" });
  parts.because = html("p", { class: "because" });
  parts.lead = html("p", { class: "lead" });
  parts.sheets = html("div", { class: "sheets" });
  parts.overview = html("div", { class: "overview", "aria-hidden": "true", title: "The whole text: up is for, down is against. A click scrolls there." });
  parts.legend = html("div", { class: "legend" });
  box.append(parts.answer, parts.because, parts.lead, parts.sheets, parts.overview, parts.legend);
  parts.sheets.onscroll = () => moveWindow(parts);
  parts.overview.onclick = (event) => scrollTo(parts, event.clientX);
  pickableRuns(root, parts.sheets, () => parts.data.heat);
  return parts;
}

function answerParts(data) {
  if (!data.answer) return [];
  const { before, label, after, share, next } = data.answer;
  const parts = [html("span", { class: "label", dir: "auto" }, before ? `${before} ${label}` : label)];
  if (after) parts.push(" ", html("span", { class: "share" }, after));
  if (share !== null && share !== undefined) {
    const fill = html("span", { class: "fill" });
    fill.style.width = `${100 * share}%`;
    parts.push(html("span", { class: "meter", "aria-hidden": "true", title: data.answer.basis || null }, fill));
  }
  if (next) parts.push(html("span", { class: "next", dir: "auto" }, next));
  return parts;
}

/** A button that explains the decision against the next label; a second click goes back. */
function whyNot(root, data) {
  if (!data.why_not) return [];
  const { label, text, on } = data.why_not;
  const hint = on ? "Explained: the decided label rather than this one. A click goes back." : "Explain the decided label rather than this one.";
  const button = html("button", { type: "button", class: "why-not", dir: "auto", "aria-pressed": String(on), title: hint }, text);
  button.onclick = () => root.explainSend?.("contrasted", { label: on ? null : label });
  return [button];
}

function drawSheets(root, parts, data) {
  const count = Math.max(data.editor.length, data.heat?.texts.length ?? data.plain?.length ?? 0);
  while (parts.editors.length > count) parts.editors.pop().sheet.remove();
  while (parts.editors.length < count) {
    const editor = sheet(root, parts);
    parts.editors.push(editor);
    parts.sheets.append(editor.sheet);
  }
  parts.editors.forEach((editor, number) => {
    const [name, text] = data.editor[number] ?? [data.heat?.texts[number]?.label ?? "text", null];
    editor.name.textContent = count > 1 ? name : "";
    editor.read.setAttribute("aria-label", name);
    const heat = data.heat?.texts[number];
    const plain = data.plain?.[number] ?? text ?? "";
    editor.read.replaceChildren(...(heat ? markedWords(root, data.heat, heat, strongTint) : [plain]));
    editor.area.hidden = text === null;
    if (text === null) return;
    editor.area.setAttribute("aria-label", count > 1 ? name : "Text to explain");
    const editing = editor.sheet.classList.contains("editing");
    const late = editing && text !== editor.sent && editor.earlier.includes(text); // drawn for an earlier text; the caret would jump
    if (!late && (!editing || editor.sent === editor.area.value)) {
      if (editor.area.value !== text && !editor.composing) editor.area.value = text;
      editor.sent = text;
    }
    if (!text) editor.read.replaceChildren(html("span", { class: "empty" }, "Type or paste any text."));
    editor.signed = data.heat?.signed ?? true;
    recolor(root, editor, data.colors[number] ?? [], text);
  });
}

/** The colored text behind an editor: the same letters at the same places, colored where they are those that were explained. */
function recolor(root, editor, colors, text) {
  editor.colors = { colors, text };
  const value = editor.area.value;
  const nodes = [];
  let at = 0;
  if (value === text)
    for (const [start, stop, share] of colors) {
      nodes.push(value.slice(at, start));
      const mark = html("span", { class: "ink" }, value.slice(start, stop));
      mark.style.backgroundColor = strongTint(root, share, editor.signed, share);
      nodes.push(mark);
      at = stop;
    }
  editor.ground.replaceChildren(...nodes, value.slice(at), "\u200b"); // so that a last empty line has its height
}

/** Where the strong words of a text are that is too long to be seen at once; words, which the keyboard reaches, stand above. */
function drawOverview(parts, heat) {
  const units = heat ? heat.texts.flatMap((text) => text.units) : [];
  const { overview, sheets } = parts;
  overview.hidden = !units.length || !parts.box.classList.contains("very-long") || sheets.scrollHeight <= sheets.clientHeight;
  if (overview.hidden) return overview.replaceChildren();
  overview.style.direction = getComputedStyle(sheets.querySelector(".read")).direction;
  const letters = units.reduce((sum, { gap, text }) => sum + gap.length + text.length, 0);
  let at = 0;
  const bars = units.map(({ gap, text, score }) => {
    const share = heat.largest ? score / heat.largest : 0;
    const bar = html("span", { class: `stick ${!heat.signed ? "size" : share < 0 ? "against" : "for"}` });
    const width = Math.max(0.15, (100 * text.length) / letters);
    Object.assign(bar.style, { insetInlineStart: `${(100 * (at + gap.length)) / letters}%`, width: `${width}%`, height: `${50 * Math.abs(share)}%` });
    at += gap.length + text.length;
    return Math.abs(share) < 0.02 ? null : bar;
  });
  overview.replaceChildren(...bars.filter(Boolean), html("span", { class: "window" }));
  moveWindow(parts);
}

/** Frame the part of the text that is in sight. */
function moveWindow({ overview, sheets }) {
  const frame = overview.querySelector(".window");
  const height = sheets.scrollHeight || 1;
  if (frame) Object.assign(frame.style, { insetInlineStart: `${(100 * sheets.scrollTop) / height}%`, width: `${Math.min(100, (100 * sheets.clientHeight) / height)}%` });
}

function scrollTo({ overview, sheets }, x) {
  const { left, right, width } = overview.getBoundingClientRect();
  const share = (overview.style.direction === "rtl" ? right - x : x - left) / width;
  sheets.scrollTop = share * sheets.scrollHeight - sheets.clientHeight / 2;
}

function sheet(root, parts) {
  const editor = { composing: false, sent: "", earlier: [], timer: 0, goesOn: false };
  editor.name = html("span", { class: "which" });
  editor.read = html("p", { class: "text read", dir: "auto", role: "group" });
  editor.ground = html("p", { class: "text ground", dir: "auto", "aria-hidden": "true" });
  editor.area = html("textarea", { class: "text", dir: "auto", maxlength: "100000", rows: "1", spellcheck: "false", autocomplete: "off", placeholder: "Type or paste any text." });
  editor.sheet = html("div", { class: "sheet" }, editor.name, editor.read, html("div", { class: "edit" }, editor.ground, editor.area));
  const { area } = editor;
  const submit = () => {
    clearTimeout(editor.timer);
    if (editor.composing || area.value === editor.sent) return;
    editor.earlier.push(editor.sent);
    editor.sent = area.value;
    root.explainSend?.("edited", { texts: parts.editors.map((each) => each.area.value), goes_on: editor.goesOn });
    editor.goesOn = true;
  };
  area.addEventListener("compositionstart", () => {
    editor.composing = true;
    clearTimeout(editor.timer);
  });
  area.addEventListener("compositionend", () => {
    editor.composing = false;
    editor.timer = setTimeout(submit, TYPING_PAUSE);
  });
  area.oninput = () => {
    recolor(root, editor, editor.colors.colors, editor.colors.text);
    clearTimeout(editor.timer);
    if (!editor.composing) editor.timer = setTimeout(submit, TYPING_PAUSE);
  };
  area.onkeydown = (event) => {
    event.stopPropagation(); // keys of the page are silent while text is edited
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
    else if (event.key === "Escape" && !editor.composing) area.blur();
  };
  area.onfocus = () => {
    editor.earlier = [];
    editor.goesOn = false; // what is sent from here on is one change, step by step
    editor.sheet.classList.add("editing");
  };
  area.onblur = () => {
    editor.composing = false;
    submit();
    editor.sheet.classList.remove("editing");
  };
  editor.sheet.ondblclick = (event) => {
    const mark = event.target.closest(".w");
    if (!area.hidden && !editor.sheet.classList.contains("editing")) edit(editor, mark ? endOf(parts.data.heat.texts[+mark.dataset.text], +mark.dataset.unit) : area.value.length);
  };
  editor.sheet.addEventListener("click", (event) => {
    if (!event.target.closest(".w") && !area.hidden && !editor.sheet.classList.contains("editing")) edit(editor, area.value.length);
  });
  return editor;
}

/** The place in a text right after one of its units. */
function endOf(text, number) {
  return text.units.slice(0, number + 1).reduce((place, unit) => place + unit.gap.length + unit.text.length, 0);
}

function edit(editor, caret) {
  editor.area.focus();
  editor.area.setSelectionRange(caret, caret);
}

function heroLegend(root, heat) {
  const strip = html("span", { class: "ramp", "aria-hidden": "true" });
  for (let step = 0; step <= 24; step++) {
    const value = heat.signed ? step / 12 - 1 : step / 24;
    const part = html("span");
    part.style.backgroundColor = strongTint(root, value, heat.signed, value);
    strip.append(part);
  }
  if (!heat.signed) return [html("span", {}, "little"), strip, html("span", {}, `much: ${score(heat.largest, heat)}`)];
  const side = (kind, text) => html("span", { class: "key" }, html("span", { class: `line ${kind}`, "aria-hidden": "true" }), ` ${text}`);
  return [side("against", "against"), strip, side("for", heat.for), html("span", { class: "unit" }, heat.unit)];
}
