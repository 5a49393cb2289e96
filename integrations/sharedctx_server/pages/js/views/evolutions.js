// Evolutions: their phases, and the comparison of before, plan and after.

import { get } from "../api.js";
import { card, h, table } from "../dom.js";
import { measure, number, short, time } from "../format.js";

export const title = "Evolutions";
const FIGURES = { average_size: "average bytes at rest", contexts: "contexts kept" };
const PHASES = ["initialization", "analysis", "research", "planning", "implementation", "evaluation"];

export async function show(main, parameters, signal) {
  const chosen = parameters.get("id");
  return chosen ? one(main, chosen, signal) : all(main, signal);
}

async function all(main, signal) {
  const { evolutions, metrics } = await get("/api/evolutions", {}, signal);
  main.append(
    h("h1", {}, "Evolutions"),
    h("div", { class: "cards" }, Object.entries(metrics).filter(([, value]) => typeof value === "number").map(([name, value]) => card(number(Math.round(value)), FIGURES[name] ?? name.replaceAll("_", " ")))),
    table(
      "Evolutions",
      [
        ["evolution", (row) => h("a", { href: `#/evolutions?id=${encodeURIComponent(row.evolution_id)}` }, row.evolution_id)],
        ["target", (row) => row.target_path],
        ["status", (row) => row.status],
        ["phase", (row) => row.current_phase],
        ["focus", (row) => row.focus_areas.join(", ")],
        ["created", (row) => time(Date.parse(row.created_at) / 1000)],
        ["errors", (row) => (row.has_errors ? h("span", { class: "bad" }, "yes") : "no")],
      ],
      evolutions,
      "No evolution is kept in this store.",
    ),
  );
}

async function one(main, id, signal) {
  const { context, comparison } = await get(`/api/evolutions/${encodeURIComponent(id)}`, {}, signal);
  const { updates } = await get(`/api/evolutions/${encodeURIComponent(id)}/history`, { section: "current_phase" }, signal);
  const seen = new Set(updates.map((update) => update.data));
  const phases = [...PHASES, ...[...seen].filter((phase) => !PHASES.includes(phase))];
  main.append(
    h("p", {}, h("a", { href: "#/evolutions" }, "All evolutions")),
    h("h1", {}, context.target_path),
    h(
      "ol",
      { class: "phases", "aria-label": "Phases" },
      phases.map((phase) =>
        h("li", { class: seen.has(phase) ? "done" : null, "aria-current": phase === context.current_phase ? "step" : null }, phase),
      ),
    ),
    h("p", {}, `${context.status}, success rate ${measure(context.success_rate)}`),
    h("h2", {}, "Metrics"),
    table(
      "Metrics before and after",
      [
        ["metric", ([name]) => name],
        ["before", ([, change]) => measure(change.before), "number"],
        ["after", ([, change]) => measure(change.after), "number"],
        ["change", ([, change]) => measure(change.delta), "number"],
      ],
      Object.entries(comparison.delta?.metrics ?? {}),
      "Nothing was measured before and after.",
    ),
    h("h2", {}, "Plan"),
    table(
      "Tasks",
      [
        ["task", ([name]) => name],
        ["done", ([, task]) => (task.done ? "yes" : "no")],
        ["changes", ([, task]) => task.changes.map((change) => short(change?.what ?? change)).join("; ")],
      ],
      Object.entries(comparison.delta?.tasks ?? {}),
      "There is no plan yet.",
    ),
    h("h2", {}, "Before, plan and after"),
    h(
      "div",
      { class: "beside" },
      ["before", "plan", "after", "implementation"].map((name) =>
        h("section", {}, h("h2", {}, name), h("pre", { tabindex: 0, "aria-label": name }, JSON.stringify(comparison[name] ?? {}, null, 2))),
      ),
    ),
    context.error_log.length ? h("section", {}, h("h2", {}, "Errors"), h("pre", { tabindex: 0 }, context.error_log.join("\n"))) : "",
  );
}
