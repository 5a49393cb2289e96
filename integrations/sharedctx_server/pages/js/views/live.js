// The stream: every commit of the session as it happens.

import { events, get } from "../api.js";
import { h } from "../dom.js";
import { entryLink, who } from "../format.js";

export const title = "Live";
const MOST = 200;

export async function show(main, _, signal, tell) {
  const body = h("tbody", { "aria-live": "polite" });
  const state = h("p", { class: "dim" }, "Waiting for the next write.");
  const heads = ["revision", "what", "key", "version", "by"].map((name) => h("th", { scope: "col" }, name));
  main.append(
    h("h1", {}, "What happens now"),
    state,
    h("div", { class: "scroll" }, h("table", { "aria-label": "Changes" }, h("thead", {}, h("tr", {}, heads)), body)),
  );
  const { rev } = await get("/api/entries", { limit: 1, tokens: "false" }, signal);
  state.textContent = `Now at revision ${rev}. Writes appear here as they are committed.`;
  follow(body, signal, tell, rev);
}

async function follow(body, signal, tell, rev) {
  try {
    for await (const event of events("/api/events", signal, tell, rev)) {
      if (event.type === "change") {
        for (const change of event.data.changes) add(body, event.data.rev, change);
      } else if (event.type === "compacted") {
        body.prepend(h("tr", {}, h("td", { colspan: 5 }, `older changes were trimmed; they begin at ${event.data.oldest_rev}`)));
      }
    }
  } catch (error) {
    tell(error.message);
  }
}

function add(body, rev, change) {
  for (const old of body.querySelectorAll(".fresh")) old.classList.remove("fresh");
  const key = change.op === "put" ? h("a", { href: entryLink(change.key) }, change.key) : change.key;
  const what = change.op === "put" ? "wrote" : "removed";
  const cells = [rev, what, key, `v${change.version}`, who(change.agent)].map((cell) => h("td", {}, cell));
  body.prepend(h("tr", { class: "fresh" }, cells));
  while (body.children.length > MOST) body.lastChild.remove();
}
