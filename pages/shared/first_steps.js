// Four short notes for a first visit: type, a word, the test, take it away. They block nothing, and are shown once.

const SEEN = "explain.first_steps"; // in the browser's storage: the notes were read or skipped
const LOOK_AGAIN = 400; // milliseconds until it is looked where things stand now
const STEPS = [
  [".hero .sheet", "Click beside the words and type your own text."],
  [".hero .w", "Click a word for its scores and edits."],
  [".st-key-check", "Test now: do the scores hold?"],
  [".st-key-export_menu", "Export: files, links and code."],
];

/** Whether the notes are for this visit; not where nothing can be remembered, as they would come again and again. */
function isFirstVisit() {
  try {
    window.localStorage.setItem(`${SEEN}.tried`, "1");
    window.localStorage.removeItem(`${SEEN}.tried`);
    return !window.localStorage.getItem(SEEN);
  } catch {
    return false;
  }
}

/** Show the notes once the first result is there, out of present mode. */
function firstSteps() {
  if (!isFirstVisit()) return;
  const wait = setInterval(() => {
    if (presenting() || !STEPS.every(([selector]) => inDrawings(selector).length)) return;
    clearInterval(wait);
    showSteps();
  }, LOOK_AGAIN);
}

function showSteps() {
  let at = 0;
  let before = null; // what had the focus before the note
  const count = node("span", { class: "count" });
  const text = node("p", { "aria-live": "polite" });
  const [next, skip] = ["Next", "Skip"].map((name) => node("button", { type: "button" }, name));
  const note = node("div", { class: "explain-steps", role: "dialog", "aria-label": "First steps" }, text, node("div", {}, count, skip, next));
  const ring = node("div", { class: "explain-ring", "aria-hidden": "true" });
  const place = () => {
    const frame = inDrawings(STEPS[at][0])[0]?.getBoundingClientRect();
    ring.hidden = note.hidden = !frame; // another page may be open
    if (frame) Object.assign(ring.style, { left: `${frame.left - 5}px`, top: `${frame.top - 5}px`, width: `${frame.width + 10}px`, height: `${frame.height + 10}px` });
  };
  const show = () => {
    count.textContent = `${at + 1} of ${STEPS.length}`;
    text.textContent = STEPS[at][1];
    next.textContent = at === STEPS.length - 1 ? "Done" : "Next";
    skip.hidden = at === STEPS.length - 1;
    place();
  };
  const looking = setInterval(place, LOOK_AGAIN);
  const follow = (event) => {
    const [focused] = event.composedPath(); // inside a drawing, too
    if (!note.contains(focused)) before = focused;
  };
  const close = () => {
    clearInterval(looking);
    window.localStorage.setItem(SEEN, "1");
    document.removeEventListener("keydown", escape);
    document.removeEventListener("focusin", follow);
    window.removeEventListener("scroll", place, true);
    const focused = note.contains(document.activeElement);
    note.remove();
    ring.remove();
    if (focused) before?.focus();
  };
  const escape = (event) => event.key === "Escape" && !presenting() && !document.querySelector("dialog[open]") && close();
  next.onclick = () => (++at < STEPS.length ? show() : close());
  skip.onclick = close;
  document.addEventListener("focusin", follow);
  document.addEventListener("keydown", escape);
  window.addEventListener("scroll", place, true);
  document.body.append(ring, inScheme(note));
  show();
}
