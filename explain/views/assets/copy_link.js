// A link to what is on the screen; with the text in it only if asked for.

function draw(root, data) {
  const box = html("div", { class: "links" });
  const said = html("span", { class: "note", role: "status" });
  const button = (label, texts) => {
    const node = html("button", { type: "button", class: "link" }, label);
    node.onclick = async () => {
      const address = new URL(window.location.href);
      for (const key of ["text", "pair"]) address.searchParams.delete(key);
      if (texts !== null) address.searchParams.delete("example");
      for (const [key, text] of Object.entries(texts || {})) address.searchParams.set(key, text);
      try {
        await navigator.clipboard.writeText(address.href);
        said.textContent = "Copied.";
      } catch {
        const field = html("input", { class: "address", readonly: "", value: address.href, "aria-label": "The link" });
        said.replaceChildren("Copy it from here: ", field);
        field.select();
      }
    };
    return node;
  };
  box.append(button("Copy link", null));
  const longest = Math.max(0, ...Object.values(data.texts).map((text) => text.length));
  if (!Object.keys(data.texts).length) said.textContent = "A link holds the settings, not the texts.";
  else if (longest <= data.longest) box.append(button("Copy link with text", data.texts));
  else said.textContent = `The text is too long for a link (more than ${data.longest} characters); the link leaves it out.`;
  box.append(said);
  root.replaceChildren(box);
}
