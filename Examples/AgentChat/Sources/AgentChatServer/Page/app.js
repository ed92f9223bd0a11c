// The chat of the page: its messages, its job, and its connection (sections 7.3 and 7.4).

const chat = {
  id: null, messages: new Map(), path: [], failed: new Map(), job: null, request: null, pending: null,
  isReady: false, follows: false, awaitsJob: false, isSubmitted: false, isClaimed: false, injected: new Map(),
};
let socket = null, backoff = 500, retry = null;
const token = () => sessionStorage.getItem("token");

async function api(method, path, body) {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  const response = await fetch(`api/v2/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (response.status === 401) { show.entrance(true); throw new Error("a token is needed"); }
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

// The connection.

async function connect() {
  clearTimeout(retry);
  const id = chat.id;
  show.status("Connecting…");
  try {
    const query = token() ? `?ticket=${(await api("POST", "tickets", { chat: id })).ticket}` : "";
    if (id !== chat.id) return;
    const url = new URL(`api/v2/chat/${encodeURIComponent(id)}${query}`, location.href.split("#")[0]);
    url.protocol = url.protocol.replace("http", "ws");
    socket?.close(1000);
    const link = socket = new WebSocket(url);
    link.onmessage = event => { if (link === socket) receive(event.data); };
    link.onclose = () => { if (link === socket) lost(); };
  } catch (error) { if (id === chat.id) lost(error.message); }
}

function lost(reason = "The connection is lost") {
  [chat.isReady, chat.follows, chat.awaitsJob, chat.isSubmitted, chat.isClaimed] = [false, false, false, false, false];
  socket = null;
  const pause = backoff * (0.8 + 0.4 * Math.random());
  backoff = Math.min(30000, backoff * 2);
  show.status(`${reason}; trying again`);
  retry = setTimeout(connect, pause);
  show.chat();
}

function command(type, data) {
  if (!chat.isReady) return false;
  socket.send(JSON.stringify({ type, data }));
  return true;
}

const ask = () => command("get_chat", { id: chat.id });

// What the service says.

function receive(text) {
  try { apply(read(text)); } catch (error) {
    if (!(error instanceof Violation)) throw error;
    console.warn(error.message);
    // What did not fit is made up for by a snapshot; a service that goes on so is not asked for ever.
    if (chat.isReady && (chat.asked = (chat.asked ?? 0) + 1) <= 3) ask();
  }
  show.chat();
}

function apply(message) {
  need(chat.isReady || ["ready", "error"].includes(message.type), "AC-29", "only ready may come first");
  APPLY[message.type](message);
}

const APPLY = {
  ready(message) {
    need(!chat.isReady, "AC-29", "a second ready");
    [chat.isReady, chat.asked, backoff] = [true, 0, 500];
    if (message.active_job === null) endJob();
    // Until it was heard of, its snapshot could be taken for the answer to what is submitted.
    chat.awaitsJob = Boolean(message.active_job);
    show.status("Connected", "ready");
    ask();
  },
  chat_history(message) {
    for (const one of message.initialPath) {
      if (!(chat.follows && chat.job?.message === one.id)) chat.messages.set(one.id, one);
    }
    chat.path = message.initialPath.map(one => one.id);
    if (chat.follows && chat.job && !chat.path.includes(chat.job.message)) chat.path.push(chat.job.message);
    const last = chat.messages.get(chat.path.at(-1));
    if (chat.broken && last?.role === "assistant" && !chat.job) chat.failed.set(last.id, `The answer failed: ${chat.broken}`);
    chat.broken = null;
    show.rebuild();
    settle();
  },
  run(message) {
    need(!chat.job, "AC-23", "a second job starts");
    const isOurs = chat.isSubmitted;
    [chat.isSubmitted, chat.follows, chat.awaitsJob] = [false, true, false];
    // It may be another window's: until the history has the message, or the job is over, an error can say so.
    if (isOurs) claimPending();
    openJob(message.job_id, message.message_id, 0);
    show.announce("The agent answers.");
    if (!isOurs) ask();
  },
  stream(message) {
    need(chat.follows && chat.job?.message === message.message_id, "AC-27", "no job writes this message");
    if (has(message, "seq")) {
      if (message.seq <= chat.job.seq) return;
      need(message.seq === chat.job.seq + 1, "AC-27", "a piece is missing");
    }
    fold(chat.messages.get(message.message_id).parts, message.delta, message.consolidated === true);
    if (has(message, "seq")) chat.job.seq = message.seq;
    show.changed(message.message_id);
    if (message.delta.state === "approval-requested") show.announce("The agent asks for your approval.");
  },
  stream_resume(message) {
    if (!chat.job || chat.job.message !== message.message_id) openJob(message.job_id, message.message_id, 0);
    [chat.follows, chat.awaitsJob, chat.job.seq] = [true, false, message.seq ?? chat.job.seq];
    chat.messages.get(message.message_id).parts = message.parts;
    show.rebuild();
  },
  clarify_request(message) {
    need(chat.job?.id === message.job_id, "AC-30", "no such job");
    if (chat.request?.request_id === message.request_id) return;
    chat.request = message;
    show.questions();
    show.announce("The agent asks: " + message.questions.map(question => question.text).join(" "));
  },
  inject_ack(message) {
    if (chat.injected.has(message.inject_id)) chat.injected.get(message.inject_id).isTaken = true;
  },
  inject_split(message) {
    need(chat.job?.message === message.message_id, "AC-30", "the split closes another message");
    closeTexts(chat.messages.get(message.message_id).parts);
    const text = chat.injected.get(message.inject_id)?.text;
    if (isText(text)) {
      chat.messages.set(message.user_message_id,
        { id: message.user_message_id, role: "user", parts: [{ type: "text", text }] });
      chat.path.push(message.user_message_id);
      chat.injected.delete(message.inject_id);
    }
    openJob(chat.job.id, message.new_message_id, chat.job.seq);
    if (!isText(text)) ask();
  },
  done: message => end(message, null),
  cancel: message => end(message, "Stopped."),
  error(message) {
    const text = message.message ?? message.error;
    if (chat.job && message.job_id === chat.job.id) return end(message, `The answer failed: ${text}`);
    // Before ready: the last job failed. Where that is not known yet, the history shows its message last.
    if (has(message, "job_id")) { if (!chat.isReady) chat.broken = text; return; }
    if (message.code === "busy" && chat.isClaimed) { chat.isClaimed = false; ask(); return; }
    if (chat.isSubmitted) { chat.isSubmitted = false; fail(text); } else { show.announce(text); ask(); }
  },
};

function openJob(id, message, seq) {
  chat.job = { id, message, seq };
  if (!chat.messages.has(message)) chat.messages.set(message, { id: message, role: "assistant", parts: [] });
  if (!chat.path.includes(message)) chat.path.push(message);
}

function end(message, note) {
  chat.awaitsJob = false;
  need(chat.job && (!has(message, "job_id") || message.job_id === chat.job.id), "AC-30", "no such job lives");
  const whole = chat.messages.get(chat.job.message);
  if (message.type !== "error") closeTexts(whole.parts);
  if (note) chat.failed.set(whole.id, note);
  const asks = whole.parts.some(part => part.state === "approval-requested");
  show.announce(asks ? "The agent waits for your approval." : `${note ?? "The answer is complete."} ${plain(whole)}`);
  endJob();
  if (chat.isClaimed) forgetPending();
  else if (chat.pending?.role === "user" && !chat.failed.has(chat.pending.id)) sendPending();
  show.changed(whole.id);
}

function endJob() {
  [chat.job, chat.request] = [null, null];
  // Texts that the job did not read are given back to be sent.
  for (const { text, isTaken } of chat.injected.values()) if (!isTaken) show.giveBack(text);
  chat.injected.clear();
  show.questions();
}

const plain = message => message.parts.filter(part => part.type === "text").map(part => part.text).join("").slice(0, 2000);

// What the person does. A message that was sent and not taken is kept over a reload, and sent again under its id.

/** With a parent it branches off there: what stood behind it leaves the path. */
function submit(text, parent = null) {
  const message = { id: `m-${crypto.randomUUID()}`, role: "user", parts: [{ type: "text", text }] };
  chat.pending = { ...message, parent };
  sessionStorage.setItem(`pending ${chat.id}`, JSON.stringify(chat.pending));
  place(message);
  sendPending();
}

function place(message) {
  chat.messages.set(message.id, message);
  const branch = chat.path.indexOf(chat.pending.parent);
  if (branch >= 0) chat.path.length = branch + 1;
  chat.path.push(message.id);
}

function sendPending() {
  chat.failed.delete(chat.pending.id);
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const { parent, ...message } = chat.pending;
  const branch = parent ? { parent_id: parent } : {};
  chat.isSubmitted = command("run", { id: chat.id, message, vaultItems: [], timezone, ...branch });
  show.chat();
}

/** A job seems to answer the message; of an answer to an approval there is nothing to lose. */
function claimPending() {
  chat.isClaimed = chat.pending?.role === "user";
  if (!chat.isClaimed) forgetPending();
}

function forgetPending() {
  [chat.pending, chat.isClaimed] = [null, false];
  sessionStorage.removeItem(`pending ${chat.id}`);
}

/** After a history: what was sent has come, or is sent again, behind the job of a window that was faster. */
function settle() {
  if (!chat.pending || chat.isSubmitted) return;
  if (chat.pending.role === "assistant") return forgetPending();
  if (chat.path.includes(chat.pending.id)) return forgetPending();
  if (chat.isClaimed) return;
  const { parent, ...message } = chat.pending;
  place(message);
  if (!chat.job && !chat.awaitsJob && !chat.failed.has(chat.pending.id)) sendPending();
}

function fail(reason) {
  if (!chat.pending) return;
  if (chat.pending.role === "user") chat.failed.set(chat.pending.id, `Not sent: ${reason}.`);
  else { forgetPending(); ask(); }
}

function approve(message, part, approved) {
  if (chat.job || chat.isSubmitted || !chat.isReady) return;
  const answer = { ...part, state: "approval-responded", approval: { id: part.approval.id, approved } };
  chat.pending = { id: message.id, role: "assistant", parts: [answer] };
  sendPending();
}

function answer(answers) {
  const { job_id, request_id } = chat.request;
  if (!command("clarify_response", { job_id, request_id, answers })) return;
  chat.request = null;
  show.questions();
}

function inject(text) {
  const id = `i-${crypto.randomUUID()}`;
  if (!command("inject_message", { job_id: chat.job.id, inject_id: id, text })) return false;
  chat.injected.set(id, { text, isTaken: false });
  return true;
}

function stop() { if (chat.job) command("cancel", { job_id: chat.job.id }); }

// Chats.

async function enter(id) {
  if (editing) edit(null);
  Object.assign(chat, {
    id, messages: new Map(), path: [], failed: new Map(), job: null, request: null, isReady: false, follows: false,
    awaitsJob: false, isSubmitted: false, isClaimed: false, injected: new Map(),
    pending: JSON.parse(sessionStorage.getItem(`pending ${id}`) ?? "null"),
  });
  location.hash = `chat=${encodeURIComponent(id)}`;
  socket?.close(1000);
  socket = null;
  show.rebuild();
  show.questions();
  await connect();
}

async function create() {
  const made = await api("POST", "chats", { title: new Date().toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) });
  await list();
  await enter(made.id);
  show.list();
}

let chats = [];
async function list() {
  chats = (await api("GET", "chats?limit=100")).chats;
  show.list();
}

async function start() {
  const hash = new URLSearchParams(location.hash.slice(1));
  if (hash.has("token")) {
    sessionStorage.setItem("token", hash.get("token"));
    history.replaceState(null, "", location.pathname);
  }
  try {
    await list();
    show.entrance(false);
    const known = chats.find(one => one.id === hash.get("chat")) ?? chats[0];
    await (known ? enter(known.id) : create());
    show.list();
  } catch (error) { show.status(error.message); }
}

show.begin();
start();
