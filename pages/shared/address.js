// The address bar holds ids. Streamlit writes the words that a widget shows, so whatever it writes passes through here.

function withIds(address) {
  const link = new URL(address, window.location.href);
  const words = [...link.searchParams];
  const named = words.map(([key, word]) => [key, window.explainIds[key]?.[word] ?? word]);
  if (named.some(([, id], place) => id !== words[place][1])) link.search = new window.URLSearchParams(named).toString();
  return link.href;
}

function install() {
  const replace = window.history.replaceState.bind(window.history);
  const push = window.history.pushState.bind(window.history);
  window.history.replaceState = (state, title, address) => replace(state, title, address && withIds(address));
  window.history.pushState = (state, title, address) => {
    const link = address && withIds(address);
    // The same address in other words is no further step on the way back.
    (link === window.location.href ? replace : push)(state, title, link);
  };
}

export default function (component) {
  if (!window.explainIds) install();
  window.explainIds = component.data.ids;
  // Streamlit clears the address when the page changes, and a widget that both pages have does not write itself again.
  const link = new URL(window.location.href);
  for (const [name, values] of Object.entries(component.data.held))
    if (!link.searchParams.has(name)) for (const value of values) link.searchParams.append(name, value);
  window.history.replaceState(window.history.state, "", link.href);
}
