// Draws the charts, asks before what cannot be taken back lightly, and keeps a search's address true.
// Everything works without it.
"use strict";

(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const palette = { A: "--t-a", B: "--t-b", C: "--t-c", D: "--t-d", "Needs data": "--t-needs", "Not ICP": "--t-not" };
  const others = ["--line-1", "--line-2", "--line-3", "--line-4"];
  const drawn = new Map();

  const draw = (figure) => {
    const script = figure.querySelector("script[type='application/json']");
    const plot = figure.querySelector(".plot");
    if (!script || !plot || typeof uPlot === "undefined") return;
    const data = JSON.parse(script.textContent);
    const unit = figure.dataset.unit || "";
    const ink = colour("--dim"), grid = colour("--edge");
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
    const said = (value) => (value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en") + (unit ? " " + unit : ""));
    const options = {
      width: Math.max(240, plot.clientWidth),
      height: 220,
      legend: { live: true },
      cursor: { y: false },
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
      axes: [axis, { ...axis, size: 64, values: (_, marks) => marks.map((mark) => mark.toLocaleString("en")) }],
      scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.05)] } },
      series: [
        { label: "day", value: (_, at) => (at === null ? "–" : new Date(at * 1000).toISOString().slice(0, 10)) },
        ...data.lines.map((line, index) => ({
          label: line.name,
          stroke: colour(palette[line.name] || others[index % others.length]),
          width: 2,
          spanGaps: false,
          points: { show: data.x.length < 40 },
          value: (_, value) => said(value),
        })),
      ],
    };
    drawn.get(figure)?.destroy();
    plot.replaceChildren();
    drawn.set(figure, new uPlot(options, [data.x, ...data.lines.map((line) => line.values)], plot));
  };

  const drawAll = (within) => within.querySelectorAll("[data-chart]").forEach(draw);

  document.addEventListener("DOMContentLoaded", () => drawAll(document));
  document.addEventListener("htmx:after:swap", () => drawAll(document));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
  let resized = 0;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(() => drawAll(document), 150);
  });

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset?.ask;
    if (question && !confirm(question)) event.preventDefault();
  });
})();
