// Links between pages of the guide open in this tab, and a new page begins at its top.

let shown = null;

export default function (component) {
  const main = document.querySelector('[data-testid="stMain"]');
  if (shown !== null && shown !== component.data.shown) main.scrollTo(0, 0);
  shown = component.data.shown;

  const open = (event) => {
    const link = event.target.closest('a[href^="?topic="]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab was asked for
    event.preventDefault();
    component.setTriggerValue("topic", new URLSearchParams(link.getAttribute("href")).get("topic"));
  };
  main.addEventListener("click", open);
  return () => main.removeEventListener("click", open);
}
