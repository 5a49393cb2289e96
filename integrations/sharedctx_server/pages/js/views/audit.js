// The audit log: who did what to which version, and whether its chain holds.

import { get } from "../api.js";
import { h, table } from "../dom.js";
import { entryLink, time, who } from "../format.js";

export const title = "Audit";

export async function show(main, parameters, signal) {
  const found = await get("/api/audit", { before: parameters.get("before"), limit: 100 }, signal);
  main.append(h("h1", {}, "Audit"));
  if (!found.enabled) {
    main.append(h("p", { class: "notice" }, "This session keeps no audit log: ", h("code", {}, "sharedctx audit on"), " begins one."));
    return;
  }
  const faults = found.faults.map((fault) => h("li", {}, fault));
  main.append(
    faults.length
      ? h("div", { class: "notice bad", role: "alert" }, "The chain is broken:", h("ul", {}, faults))
      : h("p", { class: "notice" }, `The chain of ${found.total} records holds.`),
    table(
      "Audit",
      [
        ["number", (row) => row.number, "number"],
        ["at", (row) => time(row.at)],
        ["participant", (row) => who(row.participant || null)],
        ["did", (row) => row.action],
        ["key", (row) => (row.key ? h("a", { href: entryLink(row.key) }, row.key) : "")],
        ["version", (row) => (row.version ? `v${row.version}` : "")],
      ],
      found.records,
      "Nothing has been recorded yet.",
    ),
  );
  if (found.before) main.append(h("p", {}, h("a", { href: `#/audit?before=${found.before}` }, "Older")));
}
