// Pairs: a signed bar for what two words do together, and the line of its interval.

function draw(root, data) {
  const box = html("div", { class: "phrases" });
  const list = html("ol", { class: "bars whiskers pairs", "aria-label": "Pairs, strongest first" });
  const at = (value) => 50 + (50 * value) / data.largest;
  data.pairs.forEach((pair, number) => {
    const fill = html("span", { class: "fill" });
    const [from, to] = [50, at(pair.value)].sort((one, other) => one - other);
    fill.style.left = `${from}%`;
    fill.style.width = `${to - from}%`;
    fill.style.backgroundColor = strongColor(root, pair.value, true);
    const track = html("span", { class: "track" }, html("span", { class: "zero" }), fill);
    if (pair.error) {
      const whisker = html("span", { class: "whisker" });
      whisker.style.left = `${at(pair.value - pair.error)}%`;
      whisker.style.width = `${at(pair.value + pair.error) - at(pair.value - pair.error)}%`;
      track.append(whisker);
    }
    const says = `${figure(pair.value, true)}${pair.error ? ` ±${figure(pair.error)}` : ""}`;
    list.append(
      html(
        "li",
        { class: "bar", role: "button", "data-number": number, "aria-label": `${pair.texts.join(" with ")}: ${says} ${data.unit}` },
        html("span", { class: "name", dir: "auto", title: pair.texts.join(" + ") }, html("bdi", {}, pair.texts[0]), " + ", html("bdi", {}, pair.texts[1])),
        track,
        html("span", { class: "value" }, figure(pair.value, true)),
        html("span", { class: "badges" }, pair.error ? `±${figure(pair.error)}` : ""),
      ),
    );
  });
  box.append(
    data.pairs.length ? list : html("p", {}, "There are no two words that can be taken away."),
    html("p", { class: "note" }, data.note),
    savers(root, "pairs", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
  const choose = (item) => pick(data.group, item.classList.contains("picked") ? [] : data.pairs[+item.dataset.number].tokens);
  list.onclick = (event) => event.target.closest(".bar") && choose(event.target.closest(".bar"));
  walkable(list, ".bar", choose, () => pick(data.group, []));
  onPick(root, data.group, (tokens) => {
    for (const item of list.querySelectorAll(".bar"))
      item.classList.toggle("picked", tokens.size > 0 && data.pairs[+item.dataset.number].tokens.every((token) => tokens.has(token)));
  });
}
