// The page: which view is shown, of which session, and what is told when something fails.

import { Refused, forgetToken, get, hasToken, keepToken, session, useSession } from "./api.js";
import { h } from "./dom.js";
import * as audit from "./views/audit.js";
import * as entries from "./views/entries.js";
import * as entry from "./views/entry.js";
import * as evolutions from "./views/evolutions.js";
import * as live from "./views/live.js";
import * as readers from "./views/readers.js";
import * as savings from "./views/savings.js";

const VIEWS = { savings, live, entries, readers, audit, evolutions };
const HIDDEN = { entry };
const main = document.getElementById("main");
const nav = document.getElementById("views");
const chooser = document.getElementById("session");
const connection = document.getElementById("connection");
let leaving = new AbortController();

function place() {
  const [name, query] = location.hash.replace(/^#\//, "").split("?");
  return [name || "savings", new URLSearchParams(query)];
}

async function render() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [name, parameters] = place();
  connection.textContent = "";
  for (const link of nav.children) {
    const current = link.hash === `#/${name}` || (name === "entry" && link.hash === "#/entries");
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const view = VIEWS[name] ?? HIDDEN[name];
  document.title = `${view?.title ?? parameters.get("key") ?? name} · sharedctx`;
  const fresh = document.createDocumentFragment();
  try {
    if (session() === null) await sessions(signal);
    if (view === undefined) fresh.append(h("p", { class: "notice" }, `There is no view named ${name}.`));
    else await view.show(fresh, parameters, signal, (text) => {
      if (!signal.aborted) connection.textContent = text;
    });
  } catch (error) {
    if (signal.aborted) return;
    fresh.append(error instanceof Refused && error.status === 401 ? asked() : failed(error));
  }
  if (!signal.aborted) main.replaceChildren(fresh);
}

async function sessions(signal) {
  const found = await get("/api/sessions", {}, signal);
  useSession(found.session);
  const names = found.sessions.includes(found.session) ? found.sessions : [found.session, ...found.sessions];
  chooser.replaceChildren(...names.map((name) => h("option", { value: name, selected: name === found.session }, name)));
}

function failed(error) {
  const message = error instanceof TypeError ? "The server does not answer." : error.message;
  return h("p", { class: "notice bad", role: "alert" }, message);
}

function asked() {
  const field = h("input", { type: "password", name: "token", autocomplete: "off", required: true });
  const keep = (event) => {
    event.preventDefault();
    keepToken(field.value);
    render();
  };
  const told = hasToken() ? "The server does not accept this token." : "This server asks for a token.";
  forgetToken();
  return h("form", { onsubmit: keep }, h("p", { role: "alert" }, told), h("label", {}, "Token ", field), h("button", {}, "Go on"));
}

nav.append(...Object.entries(VIEWS).map(([name, view]) => h("a", { href: `#/${name}` }, view.title)));
chooser.addEventListener("change", () => {
  useSession(chooser.value);
  render();
});
addEventListener("hashchange", async () => {
  await render();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
render();
