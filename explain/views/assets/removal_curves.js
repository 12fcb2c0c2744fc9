// Removal curves: a chart for each way of removing, a line for each method, random orders as a band.

function draw(root, data) {
  inkVariables(root);
  const box = html("div", { class: "readings" });
  const width = Math.max(320, Math.min(root.clientWidth || 900, 1000));
  const tip = tooltip(box);
  for (const chart of data.charts) {
    const say = chart.share ? percent : (value) => figure(value, true);
    const along = (values) => values.map((value, number) => [chart.fractions[number], value]);
    box.append(
      html("p", { class: "chart-title" }, `${chart.title}. Up: ${chart.unit}; ${chart.good}.`),
      lineChart(tip, {
        title: chart.title,
        low: chart.low,
        high: chart.high,
        say,
        width,
        right: 250,
        ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => [share, share ? `${100 * share} %` : "0 words"]),
        lines: chart.lines.map((line) => ({ name: line.name, after: line.beats, style: line.style, points: line.values.map((value, number) => [chart.fractions[number], value, percent(chart.fractions[number]) + " of the words"]) })),
        band: chart.band && { lower: along(chart.band[0]), middle: along(chart.band[1]), upper: along(chart.band[2]) },
      }),
    );
  }
  box.append(
    html("p", { class: "note" }, data.note),
    savers(root, "removal_curves", () => asSvg(root, box, data.caption)),
  );
  root.replaceChildren(box);
  box.append(box.querySelector(".tip"));
}
