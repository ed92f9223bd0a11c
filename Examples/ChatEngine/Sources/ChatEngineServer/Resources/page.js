"use strict";

// The page of a Chat Engine. What people and backends say becomes text, never markup.

const base = "/api/v1";
const $ = (id) => document.getElementById(id);
let token = sessionStorage.getItem("token") ?? "";
let session = null;     // the id of the open session
let messages = [];      // all of it, in order of creation
let chosen = new Map(); // which child a person looks at, by the parent's id
let branch = null;      // the answer under which the next message stands
let running = null;     // the controller of the stream under way

/** An element with a text and a class. */
function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function button(text, label, action) {
  const made = element("button", text);
  made.type = "button";
  made.setAttribute("aria-label", label);
  made.addEventListener("click", () => attempt(action));
  return made;
}

function notice(text, isWrong = false) {
  $("notice").textContent = text;
  $("notice").classList.toggle("wrong", isWrong);
}

/** Runs an action, and says what went wrong with it. */
async function attempt(action) {
  try {
    notice("");
    await action();
  } catch (error) {
    if (error.name !== "AbortError") notice(error.message, true);
  }
}

async function ask(method, path, body, signal) {
  const headers = { authorization: `Bearer ${token}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(base + path, { method, headers, signal, body: body && JSON.stringify(body) });
  if (answer.ok) return answer;
  const error = await answer.json().catch(() => ({}));
  throw new Error(error.message ? `${error.error_code}: ${error.message}` : `status ${answer.status}`);
}

const read = async (method, path, body) => (await ask(method, path, body)).json();

// Signing in.

function claims() {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return {};
  }
}

async function signIn() {
  const { session_types: types } = await read("GET", "/session-types");
  sessionStorage.setItem("token", token);
  $("signin").hidden = true;
  $("tools").hidden = false;
  $("types").replaceChildren(...types.map((type) => {
    const option = element("option", type.name);
    option.value = type.session_type_id;
    return option;
  }));
  listSessions();
}

function signOut() {
  sessionStorage.clear();
  location.reload();
}

// Sessions: the protocol has no list of them, so the page remembers those that were opened here.

const key = () => `sessions of ${claims().client_id}`;
const remembered = () => JSON.parse(localStorage.getItem(key()) ?? "[]");
const remember = (list) => localStorage.setItem(key(), JSON.stringify(list));

function listSessions() {
  $("sessions").replaceChildren(...remembered().map(({ id, name }) => {
    const item = element("li");
    const open = button(name, `Open ${name}`, () => openSession(id));
    if (id === session) open.setAttribute("aria-current", "true");
    item.append(open);
    return item;
  }));
}

async function createSession() {
  const made = await read("POST", "/sessions", { session_type_id: $("types").value, client_id: claims().client_id });
  const type = $("types").selectedOptions[0].textContent;
  remember([{ id: made.session_id, name: `${type}, ${new Date().toLocaleTimeString()}` }, ...remembered()]);
  await openSession(made.session_id);
}

async function openSession(id) {
  running?.abort();
  const state = await read("GET", `/sessions/${id}`);
  [session, chosen, branch] = [id, new Map(), null];
  const known = remembered().find((one) => one.id === id);
  if (!known) remember([{ id, name: `Session ${id.slice(-8)}` }, ...remembered()]);
  $("title").textContent = state.metadata?.summary ?? known?.name ?? id;
  $("bar").hidden = $("send").hidden = false;
  $("link").replaceChildren();
  listSessions();
  await refresh();
}

async function deleteSession() {
  await read("DELETE", `/sessions/${session}`);
  remember(remembered().filter(({ id }) => id !== session));
  [session, messages] = [null, []];
  $("bar").hidden = $("send").hidden = true;
  listSessions();
  showPath();
}

async function refresh() {
  messages = (await read("GET", `/sessions/${session}/messages`)).messages;
  showPath();
}

// The path through the tree that a person looks at.

const variants = (message) => messages
  .filter((one) => one.parent_message_id === message.parent_message_id && one.role === message.role)
  .sort((one, other) => one.variant_index - other.variant_index);

function path() {
  const found = [];
  let parent = null;
  for (;;) {
    const children = messages.filter((one) => one.parent_message_id === parent);
    const next = children.find((one) => one.message_id === chosen.get(parent))
      ?? children.find((one) => one.is_active) ?? children.at(-1);
    if (!next) return found;
    found.push(next);
    parent = next.message_id;
  }
}

function showPath() {
  $("path").replaceChildren(...path().map(item));
  $("where").textContent = branch ? "The next message begins a branch." : "";
  $("path").lastElementChild?.scrollIntoView();
}

function item(message) {
  const made = element("li", "", message.role + (message.is_complete ? "" : " incomplete"));
  made.dataset.message = message.message_id;
  for (const part of message.content) {
    if (part.type === "text") made.append(element("div", part.text, "content"));
    else if (part.type === "code") made.append(element("pre", part.code));
    else made.append(element("div", `[${part.type} ${part[`${part.type}_id`]}]`, "content"));
  }
  const below = element("div", "", "below");
  const all = variants(message);
  const place = all.findIndex((one) => one.message_id === message.message_id);
  const show = (step) => () => {
    chosen.set(message.parent_message_id, all[place + step].message_id);
    branch = null;
    showPath();
  };
  if (all.length > 1) {
    const [back, on] = [button("‹", "Previous variant", show(-1)), button("›", "Next variant", show(1))];
    [back.disabled, on.disabled] = [place === 0, place === all.length - 1];
    below.append(back, element("span", `${place + 1} of ${all.length}`, "place"), on);
  }
  if (!message.is_complete) below.append(element("span", "incomplete"));
  if (message.role === "assistant") {
    below.append(
      button("Again", "Answer again", () => recreate(message)),
      button("Branch", "Branch from here", () => { branch = message.message_id; showPath(); $("text").focus(); }),
      button("Like", "Like", () => react(message, "like")),
      button("Dislike", "Dislike", () => react(message, "dislike")));
  }
  made.append(below);
  return made;
}

async function react(message, reaction) {
  await read("POST", `/messages/${message.message_id}/reaction`, { reaction_type: reaction });
  notice(`You ${reaction} it.`);
}

// Streams: a line may span pieces, and a piece may hold many lines.

async function* lines(answer) {
  const decoder = new TextDecoder();
  let rest = "";
  for (const reader = answer.body.getReader();;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    const whole = rest.split("\n");
    rest = whole.pop();
    for (const line of whole) if (line.trim()) yield JSON.parse(line);
  }
}

/** Asks for an answer, and writes it into an item as it comes. To stop is to close the connection. */
async function hear(route, body, after) {
  running?.abort();
  const controller = running = new AbortController();
  $("stop").hidden = false;
  const made = element("li", "", "assistant streaming");
  const content = element("div", "", "content");
  made.append(content);
  let isOver = false;
  try {
    const answer = await ask("POST", route, body, controller.signal);
    $("path").append(made);
    for await (const event of lines(answer)) {
      if (event.type === "chunk") content.append(event.chunk.content);
      if (event.type === "complete") isOver = true;
      if (event.type === "error") throw new Error(`${event.error_code}: ${event.message}`);
      made.scrollIntoView();
    }
    if (!isOver) throw new Error("the connection ended");
  } finally {
    if (running === controller) {
      running = null;
      $("stop").hidden = true;
    }
    made.remove();
    // What was cut is stored a moment after the connection has closed.
    if (!isOver) await new Promise((done) => setTimeout(done, 300));
    if (session) await after();
  }
}

async function send(text) {
  const shown = path();
  // Under what is looked at, where that is not where the active path ends.
  const isActive = shown.every((one) => one.is_active);
  const parent = branch ?? (isActive ? undefined : shown.findLast((one) => one.role === "assistant")?.message_id);
  const body = { session_id: session, content: text, parent_message_id: parent };
  $("path").replaceChildren(...shown.slice(0, branch ? shown.findIndex((one) => one.message_id === branch) + 1 : undefined)
    .map(item));
  const said = element("li", "", "user");
  said.append(element("div", text, "content"));
  $("path").append(said);
  branch = null;
  $("where").textContent = "";
  await hear("/messages/send", body, follow);
}

async function recreate(message) {
  const place = path().findIndex((one) => one.message_id === message.message_id);
  while ($("path").children.length > place) $("path").lastElementChild.remove();
  await hear(`/messages/${message.message_id}/recreate`, {}, follow);
}

/** Looks at the active path again. */
async function follow() {
  chosen = new Map();
  await refresh();
}

// What is found, exported and shared.

async function search(query) {
  const found = await read("GET", `/search?query=${encodeURIComponent(query)}`);
  $("hits").replaceChildren(...found.results.flatMap((one) => one.matched_messages.map((hit) => {
    const made = element("li");
    made.append(button(hit.context, "Open what was found", () => openSession(one.session_id)));
    return made;
  })));
  notice(found.total === 1 ? "Found in 1 session." : `Found in ${found.total} sessions.`);
}

function link(text, url) {
  const made = element("a", url);
  made.href = new URL(url, location.href).href;
  made.rel = "noreferrer";
  $("link").replaceChildren(`${text}: `, made);
}

async function exportSession() {
  const made = await read("POST", `/sessions/${session}/export`, { format: $("format").value, scope: "active" });
  link("Exported", made.download_url);
}

async function share() {
  link("Whoever has this link reads along", (await read("POST", `/sessions/${session}/share`, {})).share_url);
}

const on = (id, type, action) => $(id).addEventListener(type, (event) => {
  event.preventDefault();
  attempt(action);
});

on("signin", "submit", () => { token = $("token").value.trim(); return signIn(); });
on("create", "submit", createSession);
on("search", "submit", () => search($("query").value));
on("send", "submit", () => { const text = $("text").value; $("text").value = ""; return send(text); });
on("stop", "click", () => running?.abort());
on("summary", "click", () => hear(`/sessions/${session}/summarize`, {}, () => openSession(session)));
on("export", "click", exportSession);
on("share", "click", share);
on("delete", "click", deleteSession);
on("signout", "click", signOut);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    $("send").requestSubmit();
  }
});
if (token) attempt(signIn);
