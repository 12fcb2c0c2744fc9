// Key phrases: the text with its phrases numbered, and a signed bar for each.

function draw(root, data) {
  const box = html("div", { class: "phrases" });
  const paragraphs = data.texts.map((text) => {
    const prose = html("p", { class: text.parts.reduce((sum, part) => sum + part.text.length, 0) > 1200 ? "text tall" : "text", dir: "auto" });
    if (text.before) prose.append(unread(text.before));
    text.parts.forEach((part, place) => {
      if (!part.rank) prose.append(part.asked ? html("span", { class: "w asked", title: data.asked }, part.text) : part.text);
      else {
        const phrase = data.phrases[part.rank - 1];
        const mark = html("span", { class: phrase.score < 0 ? "w against" : "w for", "data-rank": part.rank }, part.text);
        mark.style.backgroundColor = color(root, phrase.score, true, Math.abs(phrase.score) / data.largest);
        mark.style.borderBottomColor = line(root, phrase.score, true, Math.abs(phrase.score) / data.largest);
        const before = text.parts[place - 1];
        if (before?.rank && !before.ends.length) mark.classList.add("joined");
        if (part.asked) mark.classList.add("asked");
        if (!part.ends.length) mark.classList.add("joins");
        prose.append(mark, ...part.ends.map((rank) => html("sup", {}, String(rank))));
      }
      if (part.asked && !text.parts[place + 1]?.asked) prose.append(html("span", { class: "asked-label", dir: "ltr", "aria-hidden": "true" }, data.asked));
    });
    if (text.unread) prose.append(unread(text.unread));
    return prose;
  });
  const list = html("div", { class: "bars", role: "group", "aria-label": "Key phrases, largest effect first, a phrase above its parts" });
  for (const phrase of data.phrases) list.append(bar(root, data, phrase));
  const empty = data.empty ? [html("p", { class: "empty" }, data.empty)] : [];
  // Where nothing speaks for the target, that comes first, and what the model decides without words belongs to it.
  if (data.headline) box.append(html("p", { class: "lead" }, data.headline), ...empty.splice(0));
  box.append(...paragraphs, ...empty, list, howToRead(data.note), savers(root, "key_phrases", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);

  const choose = (item) => {
    const phrase = data.phrases[+item.dataset.rank - 1];
    pick(data.group, item.classList.contains("picked") ? [] : phrase.tokens);
  };
  box.onclick = (event) => event.target.closest("[data-rank]") && choose(event.target.closest("[data-rank]"));
  walkable(list, ".bar", choose, () => pick(data.group, []));
  onPick(root, data.group, (tokens) => {
    for (const item of box.querySelectorAll("[data-rank]"))
      item.classList.toggle("picked", data.phrases[+item.dataset.rank - 1].tokens.some((token) => tokens.has(token)));
  });
}

function bar(root, data, phrase) {
  const fill = html("span", { class: "fill" });
  const share = (50 * Math.abs(phrase.score)) / data.largest;
  fill.style.width = `${share}%`;
  fill.style[phrase.score < 0 ? "right" : "left"] = "50%";
  fill.style.backgroundColor = strongColor(root, phrase.score, true);
  const says = phrase.answers.length ? [[phrase.answers.join(" \u2192 "), "The answer with the phrase, and without it"]] : [];
  if (phrase.sufficient) says.push(["enough alone", "Without any words the model decides otherwise; with this phrase alone it decides as it does here"]);
  if (phrase.necessary) says.push(["needed", "Without this phrase the model decides otherwise"]);
  if (phrase.interaction !== null) says.push([`together ${figure(phrase.interaction, true)}`, "What the words do together beyond the sum of what each does alone"]);
  return html(
    "div",
    { class: phrase.part_of ? "bar part" : "bar", "data-rank": phrase.rank, role: "button", "aria-label": `${phrase.rank} ${phrase.text} ${figure(phrase.score, true)} ${says.map(([text]) => text).join(" ")} (${data.unit}${phrase.part_of && `, part of \u201c${phrase.part_of}\u201d`})` },
    html("span", { class: "rank" }, String(phrase.rank)),
    " ", // so that its text is read in words
    html("span", { class: "name", dir: "auto", title: phrase.part_of ? `${phrase.text}: a part of \u201c${phrase.part_of}\u201d that moves the target at least half as much again` : phrase.text }, phrase.text),
    " ", // so that its text is read in words
    html("span", { class: "track" }, html("span", { class: "zero" }), fill),
    " ", // so that its text is read in words
    html("span", { class: "value" }, figure(phrase.score, true)),
    " ", // so that its text is read in words
    html("span", { class: "badges" }, ...says.flatMap(([text, title]) => [html("span", { class: "badge", title }, text), " "])),
    " ", // so that its text is read in words
  );
}
