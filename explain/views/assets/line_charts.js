// Line charts, one beside the other as the width allows.

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "readings" });
  const charts = html("div", { class: "charts" });
  box.append(charts);
  const room = Math.max(300, Math.min(root.clientWidth || 900, 1000));
  const width = data.charts.length > 1 && room >= 640 ? (room - 24) / 2 : Math.min(room, 620);
  const tip = tooltip(box);
  for (const chart of data.charts) {
    const say = chart.shares ? percent : (value) => figure(value, false);
    charts.append(
      html("div", {},
        html("p", { class: "chart-title" }, chart.title),
        lineChart(tip, { ...chart, say, width, left: 52, right: 118, height: 230 }),
        html("p", { class: "note" }, `Across: ${chart.across}. Up: ${chart.up}.`)),
    );
  }
  box.append(html("p", { class: "note" }, data.note), savers(root, "charts", () => asSvg(root, box, data.caption)));
  root.replaceChildren(box);
  box.append(box.querySelector(".tip"));
}
