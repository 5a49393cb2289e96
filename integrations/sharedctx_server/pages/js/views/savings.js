// Tokens saved: in all, over time, per participant, and by face and kind of hand-over.

import { get } from "../api.js";
import { bars, lines } from "../chart.js";
import { card, h, table } from "../dom.js";
import { number, percent, who } from "../format.js";

export const title = "Savings";

export async function show(main, _, signal) {
  const [savings, timeline] = await Promise.all([
    get("/api/savings", {}, signal),
    get("/api/savings/timeline", {}, signal),
  ]);
  const { total, entries } = savings;
  main.append(
    h("h1", {}, "Tokens saved"),
    h(
      "div",
      { class: "cards" },
      card(percent(total.savings_percent), "of what full replay costs"),
      card(number(total.saved_tokens), "tokens saved"),
      card(number(total.served_tokens), "tokens served to models"),
      card(number(total.calls), "reads, expansions and hand-overs"),
      card(percent(entries.savings_percent), `smaller as views: ${number(entries.entries)} live entries`),
    ),
    h("h2", {}, "Over time"),
    lines("Tokens saved over time, by participant", series(timeline.points)),
    h("h2", {}, "By participant"),
    savings.participants.length
      ? bars(
          "Tokens of full replay and tokens served, by participant",
          savings.participants.map((one) => ({
            name: who(one.participant),
            replay: one.replay_tokens,
            served: one.served_tokens,
            told: `${number(one.replay_tokens)} → ${number(one.served_tokens)} (${one.savings_percent}% saved)`,
          })),
        )
      : h("p", { class: "dim" }, "Nothing has been served to a model yet."),
    h("h2", {}, "By framework and kind"),
    table(
      "Savings by participant, face and kind",
      [
        ["participant", (row) => who(row.participant)],
        ["framework", (row) => row.face],
        ["kind", (row) => row.kind],
        ["calls", (row) => number(row.calls), "number"],
        ["full replay", (row) => number(row.replay_tokens), "number"],
        ["served", (row) => number(row.served_tokens), "number"],
        ["saved", (row) => number(row.saved_tokens), "number"],
      ],
      savings.served,
      "Nothing has been served to a model yet.",
    ),
    h("p", { class: "dim" }, `Counted with ${savings.counter}.`),
  );
}

function series(points) {
  const sums = new Map();
  for (const point of [...points].sort((a, b) => a.at - b.at)) {
    const name = who(point.participant);
    const found = sums.get(name) ?? [];
    if (found.length === 0) found.push([point.at - 60, 0]);
    const before = found[found.length - 1][1];
    found.push([point.at, before + point.saved_tokens]);
    sums.set(name, found);
  }
  return [...sums].map(([name, found]) => ({ name, points: found }));
}
