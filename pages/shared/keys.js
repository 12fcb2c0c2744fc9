// The keys of the app, the skip link, present mode and the list of keys. One copy serves a whole visit.

const OFF = "explain.keys.off"; // in the browser's storage: the visitor wants no keys
const BEGAN_AGAIN = "explain.began_again"; // in the browser's storage: when an empty page was last loaded anew
const PATIENCE = 10_000; // milliseconds until it may be loaded anew once more
const KEYS = [
  ["/", "edit the text (also E)"],
  ["[ ]", "the example before, the next one"],
  ["1 - 9", "another method"],
  ["\u2190 \u2192", "the word before, the next one; while presenting, examples"],
  ["Shift \u2190 \u2192", "several words together"],
  ["Z", "undo the last change of the text; Shift Z makes it again"],
  ["P", "present: only the decision and the text; the examples are a playlist"],
  ["?", "these keys"],
  ["Esc", "leave the text, the list or present mode"],
];

/** Elements that match a selector, in the page and in the drawings on it. */
function inDrawings(selector) {
  const roots = [...document.querySelectorAll("[data-testid^=stBidiComponent]")].map((host) => host.shadowRoot ?? host.querySelector("*")?.shadowRoot).filter(Boolean);
  return [...document.querySelectorAll(selector), ...roots.flatMap((root) => [...root.querySelectorAll(selector)])];
}

function editor() {
  return inDrawings(".hero textarea:not([hidden])")[0];
}

function editText() {
  editor()?.focus();
}

function stepExample(step) {
  const pills = [...document.querySelectorAll(".st-key-examples [data-testid=stButtonGroup] button")]; // beside them stand other buttons
  if (!pills.length) return;
  const at = pills.findIndex((pill) => /active/i.test(pill.getAttribute("kind") ?? pill.dataset.testid ?? "") || pill.getAttribute("aria-checked") === "true");
  const to = (Math.max(0, at) + step + pills.length) % pills.length; // the first is shown while none is picked
  pills[to].click();
}

function stepWord(step) {
  const words = inDrawings(".hero .w");
  if (!words.length) return;
  const picked = words.map((word) => word.classList.contains("picked"));
  const at = step > 0 ? picked.lastIndexOf(true) : picked.indexOf(true);
  const next = words[at < 0 ? (step > 0 ? 0 : words.length - 1) : at + step];
  if (next) next.click();
}

/** Let a word that is picked have the key, as if it had the focus: it picks its neighbour, too. */
function widen(key, step) {
  const picked = inDrawings(".hero .w.picked");
  const word = step > 0 ? picked.at(-1) : picked[0];
  if (!word) return stepWord(step);
  word.focus();
  word.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true, bubbles: true }));
}

function changeBack(again) {
  document.querySelector(again ? ".st-key-redo button" : ".st-key-undo button")?.click();
}

/** Turn present mode on or off; the server is told, so that it computes the next examples beforehand. */
function present(on, tell = true) {
  const link = new URL(window.location.href);
  document.documentElement.classList.toggle("explain-present", on);
  if (on) link.searchParams.set("present", "1");
  else link.searchParams.delete("present");
  window.history.replaceState(window.history.state, "", link.href);
  if (tell) window.explainKeys.setTriggerValue("presenting", on);
}

const presenting = () => document.documentElement.classList.contains("explain-present");

function node(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** What stands beside the app in the page is light or dark as the app is. */
function inScheme(made) {
  made.style.colorScheme = getComputedStyle(document.querySelector(".stApp")).colorScheme;
  return made;
}

function showKeys() {
  document.querySelector("dialog.explain-keys")?.remove();
  const list = node("dl", {}, ...KEYS.flatMap(([key, what]) => [node("dt", {}, key), node("dd", {}, what)]));
  const box = node("input", { type: "checkbox", id: "explain-keys-on" });
  box.checked = !window.localStorage.getItem(OFF);
  box.onchange = () => (box.checked ? window.localStorage.removeItem(OFF) : window.localStorage.setItem(OFF, "1"));
  const close = node("button", { type: "button" }, "Close");
  const dialog = node("dialog", { class: "explain-keys", "aria-label": "Keys" }, node("h2", {}, "Keys"), list, node("label", { for: "explain-keys-on" }, box, " Keys are on"), close);
  close.onclick = () => dialog.close();
  dialog.onclose = () => dialog.remove();
  document.body.append(inScheme(dialog));
  dialog.showModal();
}

function walk(event, step) {
  if (presenting()) stepExample(step);
  else if (event.shiftKey) widen(event.key, step);
  else stepWord(step);
}

const REACTIONS = {
  "/": editText,
  e: editText,
  "[": () => stepExample(-1),
  "]": () => stepExample(1),
  ArrowRight: (event) => walk(event, 1),
  ArrowLeft: (event) => walk(event, -1),
  PageDown: () => presenting() && stepExample(1), // what a clicker sends
  PageUp: () => presenting() && stepExample(-1),
  z: (event) => changeBack(event.shiftKey),
  p: () => present(!presenting()),
  "?": showKeys,
  Escape: () => present(false),
};

function react(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const [target] = event.composedPath();
  const typed = target.closest?.("input, textarea, select, [contenteditable=true], [role=combobox], [role=slider], dialog");
  if (typed || (event.key !== "?" && window.localStorage.getItem(OFF))) return;
  const moves = /^(Arrow|Page)/.test(event.key);
  if (moves && target !== document.body && target !== document.documentElement && !presenting()) return; // they scroll, or walk in a drawing
  const method = /^[1-9]$/.test(event.key) ? inDrawings(".opinions .method")[+event.key - 1] : null;
  const reaction = method ? () => method.click() : REACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!reaction || (event.key === "Escape" && !presenting())) return;
  event.preventDefault();
  reaction(event);
}

/** Close the menus of the top bar, but those among some nodes. */
function closeMenus(but = []) {
  for (const holder of document.querySelectorAll('[class*="_menu"]')) {
    const menu = holder.querySelector("details");
    if (menu?.open && !but.includes(menu)) menu.querySelector("summary").click();
  }
}

function skipLink() {
  const link = node("a", { href: "#stMain", class: "explain-skip" }, "To the text");
  link.onfocus = () => {
    link.textContent = editor() ? "To the text" : "To the content";
  };
  link.onclick = (event) => {
    event.preventDefault(); // the address is that of what is shown
    const main = document.getElementById("stMain");
    main.tabIndex = -1;
    (editor() ?? main).focus();
  };
  document.body.prepend(node("nav", { "aria-label": "Skip" }, link));
}

/** On a busy machine Streamlit can fail and leave an empty page: begin again, with what the address holds. */
function beginAgainWhereEmpty() {
  const root = document.getElementById("root");
  const look = () => {
    const soon = Date.now() - Number(window.sessionStorage.getItem(BEGAN_AGAIN)) < PATIENCE;
    if (root.childElementCount || soon) return; // not again and again
    window.sessionStorage.setItem(BEGAN_AGAIN, Date.now());
    window.location.reload();
  };
  new window.MutationObserver(look).observe(root, { childList: true });
}

export default function (component) {
  const first = !window.explainKeys;
  window.explainKeys = component; // the one that stands on the page now
  if (!first) return;
  beginAgainWhereEmpty();
  document.addEventListener("keydown", react);
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenus());
  document.addEventListener("pointerdown", (event) => {
    const [target] = event.composedPath();
    const floating = target.closest?.('[data-baseweb="popover"], [data-testid="stTooltipContent"], [role="listbox"]'); // lists that widgets of a menu open
    if (!floating) closeMenus(event.composedPath());
  });
  skipLink();
  firstSteps();
  if (new URL(window.location.href).searchParams.get("present") === "1") present(true, false);
}
