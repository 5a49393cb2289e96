// The live entries, a page at a time.

import { get } from "../api.js";
import { h, table } from "../dom.js";
import { entryLink, number, percent, time, who } from "../format.js";

export const title = "Entries";

export async function show(main, parameters, signal) {
  const prefix = parameters.get("prefix") ?? "";
  const found = await get("/api/entries", { prefix, after: parameters.get("after"), limit: 50 }, signal);
  const field = h("input", { name: "prefix", value: prefix, type: "search", placeholder: "findings/" });
  const search = (event) => {
    event.preventDefault();
    location.hash = `#/entries?prefix=${encodeURIComponent(field.value)}`;
  };
  main.append(
    h("h1", {}, "Entries"),
    h("form", { onsubmit: search, role: "search" }, h("label", {}, "Keys that start with ", field), h("button", {}, "Show")),
    table(
      "Entries",
      [
        ["key", (entry) => h("a", { href: entryLink(entry.key) }, entry.key)],
        ["version", (entry) => `v${entry.version}`],
        ["by", (entry) => who(entry.agent || null)],
        ["kind", (entry) => entry.kind],
        ["written", (entry) => time(entry.timestamp)],
        ["expires", (entry) => time(entry.expires_at)],
        ["tokens", (entry) => number(entry.original_tokens), "number"],
        ["view", (entry) => number(entry.compressed_tokens), "number"],
        ["saved", (entry) => percent(entry.savings_percent), "number"],
      ],
      found.entries,
      prefix ? `No live key starts with ${prefix}.` : "Nothing is stored in this session yet.",
    ),
  );
  if (found.after !== null && found.after !== undefined) {
    const next = `#/entries?prefix=${encodeURIComponent(prefix)}&after=${encodeURIComponent(found.after)}`;
    main.append(h("p", {}, h("a", { href: next }, "The next 50")));
  }
}
