// Neighbouring words picked together: by dragging over them, by a click with Shift, or with Shift and the arrow keys.

/** Let the marks of a box be picked in runs, once for all that is drawn in it; `heat` gives the texts that stand there now. */
function pickableRuns(root, box, heat) {
  let run = null; // the text, the unit where it begins, and the one where it has arrived
  let dragged = false;
  let ended = false; // the click that ends a drag picks nothing more
  let untold = false; // the page is told when Shift is let go
  const place = (mark) => ({ text: +mark.dataset.text, unit: +mark.dataset.unit });
  const at = (event) => event.target.closest?.(".w");
  const ends = () => [Math.min(run.from, run.to), Math.max(run.from, run.to)];
  const units = () => {
    const [first, last] = ends();
    return heat().texts[run.text].units.slice(first, last + 1);
  };
  const show = () => pick(heat().group, units().flatMap((unit) => unit.tokens));
  const tell = () => {
    untold = false;
    const [first, last] = [units()[0], units().at(-1)];
    send(root, heat(), { token: first.tokens[0], last: last.tokens[0] });
  };
  const begin = (mark) => {
    const { text, unit } = place(mark);
    run = { text, from: unit, to: unit };
  };
  const reach = (mark) => {
    run.to = place(mark).unit;
    show();
  };
  const picked = (text) => [...box.querySelectorAll(".w.picked")].filter((mark) => place(mark).text === text);
  const isFree = (mark) => mark && !mark.closest(".sheet")?.classList.contains("editing");

  box.addEventListener("pointerdown", (event) => {
    dragged = ended = false;
    run = null;
    if (event.pointerType === "mouse" && event.button === 0 && !event.shiftKey && isFree(at(event))) begin(at(event));
  });
  box.addEventListener("pointerover", (event) => {
    const mark = at(event);
    if (!run || !(event.buttons & 1) || !mark || place(mark).text !== run.text || (!dragged && place(mark).unit === run.from)) return;
    dragged = true;
    box.classList.add("dragging");
    window.getSelection()?.removeAllRanges(); // words are picked, not letters
    reach(mark);
  });
  const drop = () => {
    if (!root.isConnected) return window.removeEventListener("pointerup", drop);
    box.classList.remove("dragging");
    if (dragged) tell();
    ended = dragged;
    dragged = false;
  };
  window.addEventListener("pointerup", drop);
  box.addEventListener("mousedown", (event) => event.shiftKey && isFree(at(event)) && event.preventDefault()); // it would select letters
  box.addEventListener(
    "click",
    (event) => {
      const mark = at(event);
      const from = event.shiftKey && isFree(mark) ? picked(place(mark).text)[0] : null;
      if (from) {
        begin(from);
        reach(mark);
        tell();
      }
      if (from || ended) event.stopPropagation();
      ended = false;
    },
    true,
  );
  box.addEventListener(
    "keydown",
    (event) => {
      const mark = at(event);
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!mark || !event.shiftKey || !step) return;
      event.preventDefault();
      event.stopPropagation();
      const { text, unit } = place(mark);
      const marked = picked(text);
      const goesOn = run?.text === text && run.to === unit && marked.some((other) => place(other).unit === run.from);
      if (!goesOn) begin(marked.includes(mark) ? marked.at(step > 0 ? 0 : -1) : mark);
      const next = [...box.querySelectorAll(".w")].find((other) => place(other).text === text && place(other).unit === unit + step);
      if (next) {
        mark.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      }
      reach(next ?? mark);
      untold = true;
    },
    true,
  );
  const letGo = (event) => {
    if (!root.isConnected) return window.removeEventListener("keyup", letGo);
    if (event.key === "Shift" && untold) tell();
  };
  window.addEventListener("keyup", letGo);
}
