// Who read what: the entries and projects that participants read, and what models were served.

import { get } from "../api.js";
import { h, table } from "../dom.js";
import { entryLink, number, time, who } from "../format.js";

export const title = "Readers";

export async function show(main, _, signal) {
  const [{ readers }, savings] = await Promise.all([get("/api/readers", {}, signal), get("/api/savings", {}, signal)]);
  main.append(
    h("h1", {}, "Who read what"),
    table(
      "Entries read",
      [
        ["participant", (row) => who(row.participant)],
        ["entry", (row) => h("a", { href: entryLink(row.key) }, row.key)],
        ["up to", (row) => `v${row.version}`],
        ["at", (row) => time(row.at)],
      ],
      readers,
      "Nothing was read by a named participant yet.",
    ),
    h("h2", {}, "What models were served"),
    table(
      "Reads by participant",
      [
        ["participant", (row) => who(row.participant)],
        ["through", (row) => row.face],
        ["by", (row) => row.kind],
        ["times", (row) => number(row.calls), "number"],
        ["tokens", (row) => number(row.served_tokens), "number"],
      ],
      savings.served,
      "Nothing has been served to a model yet.",
    ),
  );
}
