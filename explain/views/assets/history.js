// A history: a row for each explanation, with its decision and a small heatmap; a click opens it again.

const FIRST = 30; // rows that are drawn before one asks for all

function draw(root, data) {
  const state = (root.explainHistory ??= { all: false, sought: "", named: "", name: "", asks: "", saved: "" });
  state.data = data;
  if (data.file && data.file.number !== state.saved) saveText(data.file);
  state.saved = data.file?.number ?? state.saved;
  const drawn = JSON.stringify([data.entries, data.paused, data.note, data.links, isDark(root)]);
  if (state.drawn === drawn && root.firstChild) return; // what is typed here stays
  state.drawn = drawn;
  const box = html("div", { class: "history" });
  const rows = html("ul", { class: "entries" });
  const more = html("button", { type: "button", class: "act", hidden: "" });
  const parts = { box, rows, more };
  const sought = html("input", { type: "search", class: "sought", placeholder: "Find", "aria-label": "Find in the history", dir: "auto", hidden: data.entries.length > 7 ? null : "" });
  sought.value = state.sought;
  sought.onkeydown = (event) => event.key !== "Escape" && event.stopPropagation();
  sought.oninput = () => {
    state.sought = sought.value;
    fill(root, state, parts);
  };
  more.onclick = () => {
    state.all = true;
    fill(root, state, parts);
  };
  box.append(sought, rows, more, html("p", { class: "note" }, data.note));
  if (data.sends) box.append(choices(root, state));
  fill(root, state, parts);
  root.replaceChildren(box);
  if (state.named) root.querySelector(".naming")?.focus();
}

function fill(root, state, { rows, more }) {
  const { data } = state;
  const words = state.sought.toLocaleLowerCase().trim();
  const fitting = data.entries.filter((entry) => `${entry.title} ${entry.text} ${entry.decided} ${entry.about}`.toLocaleLowerCase().includes(words));
  const drawn = state.all ? fitting : fitting.slice(0, FIRST);
  rows.replaceChildren(...drawn.map((entry) => entryRow(root, state, entry, () => fill(root, state, { rows, more }))));
  if (!fitting.length) rows.append(html("li", { class: "note" }, words ? "Nothing here has these words." : "Nothing yet. What you explain is listed here."));
  more.hidden = drawn.length === fitting.length;
  more.textContent = `All ${fitting.length}`;
}

function entryRow(root, state, entry, again) {
  const { data } = state;
  const name = entry.title || entry.text;
  const act = (label, react) => {
    const button = html("button", { type: "button", class: "act", "aria-label": `${label}: ${name}` }, label);
    button.onclick = react;
    return button;
  };
  const tell = (done) => send(root, data, { id: entry.id, ...done });
  const star = html("button", { type: "button", class: "star", "aria-pressed": String(entry.starred), "aria-label": `Star: ${name}` }, entry.starred ? "\u2605" : "\u2606");
  star.onclick = () => tell({ act: "star", on: !entry.starred });
  const open = html("button", { type: "button", class: "open" }, html("span", { class: "unseen" }, "Open again: "), ...summary(root, entry));
  open.onclick = () => {
    tell({ act: "open" });
    closeMenu(root);
  };
  const time = html("time", { datetime: entry.time }, new Date(entry.time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));
  const mark = html("span", { class: "star" }, entry.starred ? "\u2605" : "");
  const row = html("li", { class: "entry" }, data.sends ? star : mark, data.sends ? open : html("div", { class: "open" }, ...summary(root, entry)), html("p", { class: "more" }, html("span", { dir: "auto" }, entry.about), " \u00b7 ", time));
  if (!data.sends) return row;
  if (state.named === entry.id) {
    row.append(nameField(root, state, entry, again));
    return row;
  }
  const acts = [
    act("Rename", () => {
      Object.assign(state, { named: entry.id, name: entry.title });
      again();
      root.querySelector(".naming")?.focus();
    }),
    act("Save", () => tell({ act: "export" })),
    data.links ? act("Copy link", (event) => copyLink(entry, event.target)) : null,
    act("Remove", () => tell({ act: "remove" })),
  ];
  row.append(html("p", { class: "acts" }, ...acts));
  return row;
}

/** The decision, the name and the small heatmap of an entry. */
function summary(root, entry) {
  const heat = html("span", { class: "heat", dir: "auto" });
  for (const [before, word, share] of entry.words) {
    const mark = html("span", { class: entry.signed && share < 0 ? "tinted against" : "tinted" }, word);
    mark.style.backgroundColor = color(root, share, entry.signed, Math.abs(share));
    mark.style.borderBottomColor = line(root, share, entry.signed, Math.abs(share));
    heat.append(before, mark);
  }
  if (!entry.words.length) heat.append(entry.text);
  const title = entry.title ? html("b", { class: "title", dir: "auto" }, entry.title) : null;
  return [html("span", { class: "decided", dir: "auto" }, entry.decided), title, heat].filter(Boolean);
}

function nameField(root, state, entry, again) {
  const field = html("input", { type: "text", class: "naming", maxlength: "80", "aria-label": "Name", placeholder: "name", dir: "auto" });
  field.value = state.name;
  field.oninput = () => (state.name = field.value);
  state.field = field;
  const end = (keeps) => {
    if (state.field !== field) return; // it was drawn anew, and its element left behind
    Object.assign(state, { named: "", field: null });
    if (keeps && field.value.trim() !== entry.title) send(root, state.data, { act: "rename", id: entry.id, title: field.value.trim() });
    again();
  };
  field.onkeydown = (event) => {
    event.stopPropagation(); // the menu stays open
    if (event.key === "Escape") end(false);
    else if (event.key === "Enter" && !event.isComposing) end(true);
  };
  field.onblur = () => end(true);
  return field;
}

/** What is done with the whole history; what deletes asks once more. */
function choices(root, state) {
  const { data } = state;
  const bar = html("div", { class: "choices" });
  const button = (label, react, kind = "act") => {
    const node = html("button", { type: "button", class: kind }, label);
    node.onclick = react;
    return node;
  };
  const show = () => {
    const count = data.entries.length;
    const yes = { pause: { act: "pause", on: true }, clear: { act: "clear" } }[state.asks];
    if (yes) {
      const says = `Delete ${count === 1 ? "1 entry" : `${count} entries`}${state.asks === "pause" ? " and keep none from now on" : ""}?`;
      const ask = (react) => () => {
        state.asks = "";
        react();
        show();
      };
      const no = button("Cancel", ask(() => {}));
      bar.replaceChildren(html("span", { role: "alert" }, says), button("Delete", ask(() => send(root, data, yes)), "act delete"), no);
      no.focus();
      return;
    }
    const paused = html("input", { type: "checkbox" });
    paused.checked = data.paused;
    paused.onchange = () => {
      if (!paused.checked || !count) return send(root, data, { act: "pause", on: paused.checked });
      state.asks = "pause";
      show();
    };
    const clear = button("Clear all", () => {
      state.asks = "clear";
      show();
    });
    const all = button("Export all", () => send(root, data, { act: "export_all" }));
    bar.replaceChildren(html("label", {}, paused, " Keep no history"), ...(count ? [all, clear] : []));
  };
  show();
  return bar;
}

async function copyLink(entry, button) {
  const address = new URL("/", window.location.href);
  address.searchParams.set("entry", entry.id);
  try {
    await navigator.clipboard.writeText(address.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = address.href;
  }
}

function saveText(file) {
  const link = html("a", { href: URL.createObjectURL(new Blob([file.content], { type: "application/json" })), download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Close the menu that this list stands in, where it stands in one. */
function closeMenu(root) {
  const menu = root.getRootNode().host?.closest("details");
  if (menu?.open) menu.querySelector("summary").click();
}
