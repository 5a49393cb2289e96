// A difference as the server tells it: a patch of JSON (RFC 6902) or a unified diff of text.

import { h, table } from "./dom.js";
import { short } from "./format.js";

export function difference(found) {
  if (found.format === "patch") {
    return table(
      "What changed",
      [
        ["what", (change) => change.op],
        ["where", (change) => h("code", {}, change.path || "(the whole)")],
        ["now", (change) => h("code", {}, short(change.value))],
      ],
      found.changes,
      "These versions say the same.",
    );
  }
  if (!found.changes) return h("p", { class: "dim" }, "These versions say the same.");
  const lines = String(found.changes)
    .split("\n")
    .map((line) => {
      const added = line.startsWith("+") && !line.startsWith("+++");
      const removed = line.startsWith("-") && !line.startsWith("---");
      return h("span", { class: added ? "added" : removed ? "removed" : null }, `${line}\n`);
    });
  return h("pre", { tabindex: 0, "aria-label": "Difference" }, lines);
}
