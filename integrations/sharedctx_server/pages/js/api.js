// Requests to the server that sent this page. A token lives in this tab only.

const TOKEN = "sharedctx-token";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;
export const keepToken = (token) => sessionStorage.setItem(TOKEN, token.trim());
export const forgetToken = () => sessionStorage.removeItem(TOKEN);

const state = { session: null };
export const useSession = (session) => {
  state.session = session;
};
export const session = () => state.session;

function address(path, parameters) {
  const query = new URLSearchParams();
  if (state.session !== null && path !== "/api/sessions") query.set("session", state.session);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

function headers() {
  const token = sessionStorage.getItem(TOKEN);
  if (token === null) return {};
  if (!/^[\x20-\x7e]+$/.test(token)) throw new Refused(401, "this is no token: it has other characters than tokens have");
  return { authorization: `Bearer ${token}` };
}

async function ask(path, parameters, signal) {
  const reply = await fetch(address(path, parameters), { headers: headers(), signal });
  if (reply.ok) return reply;
  let message = `the server answered ${reply.status}`;
  try {
    message = (await reply.json()).error ?? message;
  } catch {
    // a reply without JSON is told by its status
  }
  throw new Refused(reply.status, message);
}

export async function get(path, parameters = {}, signal = undefined) {
  return (await ask(path, parameters, signal)).json();
}

// Server-sent events by fetch, since EventSource sends no token. Begins after a revision and goes on where it stopped,
// also after what passes by itself; ends with the signal.
export async function* events(path, signal, tell, last) {
  let pause = 1;
  while (!signal.aborted) {
    try {
      const reply = await ask(path, { from_rev: last }, signal);
      tell("live");
      pause = 1;
      for await (const event of parsed(reply.body)) {
        if (event.id !== null) last = event.id;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status < 500 && error.status !== 429) throw error;
    }
    if (signal.aborted) return;
    tell(`reconnecting in ${pause} s`);
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    pause = Math.min(pause * 2, 30);
  }
}

async function* parsed(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { type: "message", id: null, data: "" };
      for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        const field = line.slice(0, colon);
        const text = line.slice(colon + 1).replace(/^ /, "");
        if (field === "event") event.type = text;
        else if (field === "id") event.id = text;
        else if (field === "data") event.data += (event.data ? "\n" : "") + text;
      }
      if (event.data) yield { ...event, data: JSON.parse(event.data) };
    }
  }
}
