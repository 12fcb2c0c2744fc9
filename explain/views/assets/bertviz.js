// BertViz draws in a frame that belongs to no site: whatever is in it, it can't reach the page, nor can the page reach in.
// What the frame must know of the page is handed to it in its name; it tells its height, and that is all it can say.

const GROUNDS = {
  false: { text: "#1f2328", ground: "#ffffff", accent: "#2f6fd0" },
  true: { text: "#e8eaed", ground: "#14171c", accent: "#6ea8ff" },
};

function draw(root, data) {
  const dark = data.dark ?? isDark(root);
  const look = dark === isDark(root) ? lookOf(root) : GROUNDS[dark];
  const frame = html("iframe", {
    sandbox: "allow-scripts allow-downloads",
    srcdoc: data.page,
    name: JSON.stringify({ dark, ...look }),
    title: data.summary,
    class: "frame",
  });
  frame.style.height = `${data.height}px`;
  root.explainFrame?.();
  const listen = (event) => {
    if (!root.isConnected) return window.removeEventListener("message", listen);
    const height = Number(event.data?.height);
    if (event.source === frame.contentWindow && height > 0) frame.style.height = `${Math.min(height, 10000)}px`;
  };
  window.addEventListener("message", listen);
  root.explainFrame = () => window.removeEventListener("message", listen);
  root.replaceChildren(frame, html("p", { class: "note" }, data.note));
}

function lookOf(root) {
  const style = getComputedStyle(root);
  const value = (name) => plain(style.getPropertyValue(name).trim());
  return { text: plain(style.color), ground: value("--ground"), accent: value("--accent") };
}
