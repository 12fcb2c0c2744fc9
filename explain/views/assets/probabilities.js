// What the model decided: a bar for each label, its probability and its log-odds.

function draw(root, data) {
  const box = html("div", { class: "probabilities" });
  const list = html("div", { class: "bars", role: "table", "aria-label": "Labels with their probabilities" });
  for (const row of data.rows) {
    const fill = html("span", { class: row.decided ? "fill decided" : "fill" });
    fill.style.width = `${100 * (row.probability ?? 0)}%`;
    list.append(
      html(
        "div",
        { class: row.decided ? "label-row decided" : "label-row", role: "row" },
        html("span", { class: "name", role: "cell", dir: "auto", title: row.label }, row.label),
        row.probability === null ? html("span", { role: "cell" }) : html("span", { class: "track", role: "cell" }, fill),
        html("span", { class: "value", role: "cell", title: row.raw && `the model itself gives ${row.raw}` }, row.probability === null ? figure(row.logit, true) : percent(row.probability)),
        html("span", { class: "more", role: "cell" }, row.log_odds === null ? "" : `log-odds ${figure(row.log_odds, true)}`),
      ),
    );
  }
  if (data.headline) {
    const [before, label, after] = data.headline;
    const soft = (text) => (text ? [html("span", { class: "sure" }, text)] : []);
    box.append(html("p", { class: "headline" }, ...soft(before && `${before} `), html("span", { dir: "auto" }, label), ...soft(after && ` ${after}`)));
  }
  box.append(list, html("p", { class: "note" }, data.note));
  root.replaceChildren(box);
}
