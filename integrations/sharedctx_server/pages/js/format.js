// Numbers, times and addresses as a person reads them.

const whole = new Intl.NumberFormat("en");
const measured = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });

export const number = (value) => (value === null || value === undefined ? "" : whole.format(value));
export const percent = (value) => (value === null || value === undefined ? "" : `${value}%`);
export const who = (participant) => participant ?? "(the owner)";

export function time(seconds) {
  if (!seconds) return "";
  const at = new Date(seconds * 1000);
  return at.toLocaleString("sv");
}

export const counted = (count, one) => `${number(count)} ${one}${count === 1 ? "" : "s"}`;

// A measurement, without the noise of binary fractions; what is no number is shown as it is.
export const measure = (value) => (typeof value === "number" ? measured.format(value) : short(value));

export const entryLink = (key, version) =>
  `#/entry?key=${encodeURIComponent(key)}${version ? `&version=${version}` : ""}`;

// What a JSON value looks like in a cell.
export function short(value, length = 160) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text === undefined) return "";
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
