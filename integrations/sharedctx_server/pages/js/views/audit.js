// The audit log: who did what to which version, and whether its chain holds.

import { get } from "../api.js";
import { h, table } from "../dom.js";
import { entryLink, time, who } from "../format.js";

export const title = "Audit";

export async function show(main, parameters, signal) {
  const found = await get("/api/audit", { before: parameters.get("before"), limit: 100 }, signal);
  main.append(h("h1", {}, "Audit"));
  if (!found.enabled) {
    main.append(h("p", { class: "notice" }, "This session keeps no audit log now: ", h("code", {}, "configure(audit=True)"), " begins one."));
    if (found.total === 0) return;
  }
  if (found.faults?.length) {
    const faults = found.faults.map((fault) => h("li", {}, fault));
    main.append(h("div", { class: "notice bad", role: "alert" }, "The chain is broken:", h("ul", {}, faults)));
  } else if (found.faults) {
    main.append(h("p", { class: "notice" }, `The chain of ${found.total} rows holds.`));
  }
  main.append(
    table(
      "Audit",
      [
        ["row", (row) => row.number, "number"],
        ["at", (row) => time(row.at)],
        ["participant", (row) => who(row.participant || null)],
        ["did", (row) => row.action],
        ["key", (row) => (row.key ? h("a", { href: entryLink(row.key) }, row.key) : "")],
        ["version", (row) => (row.version ? `v${row.version}` : "")],
        ["more", (row) => row.detail],
      ],
      found.records,
      "Nothing has been recorded yet.",
    ),
  );
  if (found.before) main.append(h("p", {}, h("a", { href: `#/audit?before=${found.before}` }, "Older")));
}
