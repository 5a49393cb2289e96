// One entry: its view beside the original, a slider through its versions, and what changed between them.

import { get } from "../api.js";
import { difference } from "../difference.js";
import { h } from "../dom.js";
import { counted, number, percent, time, who } from "../format.js";

export async function show(main, parameters, signal) {
  const key = parameters.get("key");
  const { versions } = await get("/api/history", { key, limit: 1000 }, signal);
  const numbers = versions.map((entry) => entry.version).reverse();
  const chosen = Number(parameters.get("version")) || numbers[numbers.length - 1];
  const state = h("div");
  const told = h("output", { for: "version" });
  const slider = h("input", {
    id: "version",
    type: "range",
    min: 0,
    max: numbers.length - 1,
    value: Math.max(numbers.indexOf(chosen), 0),
    "aria-label": "Version",
  });
  let wanted = 0;
  const choose = async () => {
    const turn = ++wanted;
    const at = Number(slider.value);
    const about = versions[versions.length - 1 - at];
    told.textContent = `v${about.version} by ${who(about.agent || null)}, ${time(about.timestamp)}`;
    slider.setAttribute("aria-valuetext", told.textContent);
    const parts = await version(key, about, at > 0 ? versions[versions.length - at] : null, signal);
    if (turn === wanted) state.replaceChildren(...parts);
  };
  slider.addEventListener("input", () =>
    choose().catch((error) => {
      if (!signal.aborted) state.replaceChildren(h("p", { class: "notice bad", role: "alert" }, error.message));
    }),
  );
  main.append(
    h("p", {}, h("a", { href: "#/entries" }, "All entries")),
    h("h1", {}, key),
    h("div", { class: "tools" }, h("label", { for: "version" }, counted(numbers.length, "version")), slider, told),
    state,
  );
  await choose();
}

const isValue = (about) => about.kind !== "gone" && about.kind !== "damaged";

async function version(key, about, before, signal) {
  const parts = [];
  if (!isValue(about)) {
    const words = about.kind === "gone" ? "This version took the value away" : "This version is damaged";
    parts.push(h("p", { class: "notice" }, about.note ? `${words}: ${about.note}.` : `${words}.`));
  } else {
    const entry = await get("/api/entry", { key, version: about.version }, signal);
    parts.push(
      h(
        "p",
        {},
        `${number(entry.original_tokens)} tokens, as a view ${number(entry.compressed_tokens)} (${percent(entry.savings_percent)} saved). `,
        h("span", { class: "dim" }, entry.transforms.join(", ") || "untouched"),
      ),
      h(
        "div",
        { class: "beside" },
        h("section", {}, h("h2", {}, "What a model reads"), h("pre", { tabindex: 0, "aria-label": "View" }, entry.view)),
        h(
          "section",
          {},
          h("h2", {}, entry.kind === "bytes" ? "The original, in base64" : "The original"),
          h("pre", { tabindex: 0, "aria-label": "Original" }, entry.original),
          entry.original_cut ? h("p", { class: "dim" }, "Cut here; the whole is at /api/original.") : null,
        ),
      ),
    );
  }
  if (before !== null && isValue(about) && isValue(before)) {
    parts.push(h("h2", {}, `What changed from v${before.version} to v${about.version}`));
    try {
      parts.push(difference(await get("/api/diff", { key, from: before.version, to: about.version }, signal)));
    } catch (error) {
      parts.push(h("p", { class: "dim" }, error.message));
    }
  }
  return parts;
}
