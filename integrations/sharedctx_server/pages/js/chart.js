// Lines over time and bars, as SVG.

import { h, s } from "./dom.js";
import { number, time } from "./format.js";

const WIDE = 900;
const HIGH = 240;
const LEFT = 70;
const BASE = HIGH - 26;

export const hues = () => getComputedStyle(document.documentElement).getPropertyValue("--hues").trim().split(/\s+/);

// series: [{name, points: [[seconds, value], ...]}]; what each has summed up to a moment.
export function lines(label, series) {
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) return h("p", { class: "dim" }, "Nothing has been served to a model yet.");
  const times = points.map(([at]) => at);
  const begin = Math.min(...times);
  const length = Math.max(Math.max(...times) - begin, 60);
  const most = Math.max(...points.map(([, value]) => value), 1);
  const x = (at) => LEFT + ((at - begin) / length) * (WIDE - LEFT - 20);
  const y = (value) => BASE - (Math.max(value, 0) / most) * (BASE - 14);
  const colours = hues();
  const marks = [0, 0.5, 1].map((part) => [
    s("line", { class: "axis", x1: LEFT, x2: WIDE - 20, y1: y(part * most), y2: y(part * most) }),
    s("text", { x: LEFT - 8, y: y(part * most) + 4, "text-anchor": "end" }, number(Math.round(part * most))),
  ]);
  const drawn = series.map((one, at) => {
    const colour = colours[at % colours.length];
    const path = one.points.map(([when, value], first) => `${first ? "L" : "M"}${x(when)} ${y(value)}`).join("");
    return [
      s("path", { d: path, fill: "none", stroke: colour, "stroke-width": 2.5 }),
      one.points.map(([when, value]) =>
        s(
          "circle",
          { cx: x(when), cy: y(value), r: 3.5, fill: colour },
          s("title", {}, `${one.name}: ${number(value)} at ${time(when)}`),
        ),
      ),
    ];
  });
  const ends = [
    s("text", { x: LEFT, y: HIGH - 6 }, time(begin)),
    s("text", { x: WIDE - 20, y: HIGH - 6, "text-anchor": "end" }, time(begin + length)),
  ];
  const picture = s(
    "svg",
    { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": label },
    [...marks, ...drawn, ends].flat(3),
  );
  return h("figure", {}, picture, legend(series.map((one, at) => [one.name, colours[at % colours.length]])));
}

function legend(names) {
  return h(
    "figcaption",
    { class: "legend" },
    names.map(([name, colour]) => {
      const mark = h("i");
      mark.style.background = colour;
      return h("span", {}, mark, name);
    }),
  );
}

// rows: [{name, replay, served, told}]
export function bars(label, rows) {
  const most = Math.max(...rows.map((row) => row.replay), 1);
  const scale = (WIDE - 470) / most;
  const drawn = rows.map((row, at) => {
    const top = at * 34 + 6;
    const replay = Math.max(row.replay * scale, 1);
    const served = Math.max(row.served * scale, 1);
    return [
      s("text", { x: 192, y: top + 15, "text-anchor": "end" }, row.name),
      s("rect", { class: "replay", x: 200, y: top, width: replay, height: 10, rx: 2 }),
      s("rect", { class: "served", x: 200, y: top + 12, width: served, height: 10, rx: 2 }),
      s("text", { x: 208 + Math.max(replay, served), y: top + 15 }, row.told),
    ];
  });
  return h(
    "figure",
    {},
    s(
      "svg",
      { viewBox: `0 0 ${WIDE} ${rows.length * 34 + 8}`, role: "img", "aria-label": label },
      drawn.flat(),
    ),
    h("figcaption", { class: "dim" }, "Above: tokens of full replay. Below: tokens served."),
  );
}
