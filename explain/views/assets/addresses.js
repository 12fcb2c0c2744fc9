// Links that were just made and can't be made again: each in a field, with a button that copies it.

function draw(root, data) {
  const box = html("div", { class: "addresses" });
  for (const { label, path, parameters } of data.addresses) {
    const address = new URL(path, window.location.href);
    for (const [name, word] of Object.entries(parameters)) address.searchParams.set(name, word);
    const field = html("input", { class: "address", readonly: "", value: address.href, "aria-label": label, dir: "ltr" });
    field.onfocus = () => field.select();
    const button = html("button", { type: "button", class: "link", "aria-label": `Copy: ${label}` }, "Copy");
    button.onclick = async () => {
      try {
        await navigator.clipboard.writeText(address.href);
        button.textContent = "Copied";
      } catch {
        field.select(); // the visitor copies it by the keys
      }
    };
    box.append(html("label", {}, label), html("div", { class: "links" }, field, button));
  }
  root.replaceChildren(box);
}
