// What is shown. All text of others becomes text nodes, never markup; only checked addresses become links.

const $ = id => document.getElementById(id);

function make(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { dataset, ...rest } = props;
  Object.assign(element.dataset, dataset);
  for (const [key, value] of Object.entries(rest)) {
    if (key in element) element[key] = value; else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Characters that turn or hide the text around them are shown by their number, where a name or an address stands. */
const visible = text => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
  one => `⟨U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

/** In a text of several lines only what turns the order of all that follows is shown so. */
const unturned = text => text.replace(/[\u202D\u202E]/g, visible);

/** In a value that a person decides about, everything but line ends and tabs that is not seen is shown so. */
const plainly = text => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, one => one === "\n" || one === "\t" ? one : visible(one));

const clipped = (text, most = 300) => text.length > most ? `${text.slice(0, most)}…` : text;

/** Addresses that may be followed (AC-13), and images small enough to be shown from the message itself. */
function link(address) {
  try {
    const url = new URL(address);
    return ["https:", "http:"].includes(url.protocol) ? url : null;
  } catch { return null; }
}
const IMAGE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;
const isImage = address => address.length <= 300000 && IMAGE.test(address);

const WORDS = {
  "input-streaming": "is prepared", "input-available": "runs", "approval-requested": "waits for you",
  "approval-responded": "is answered", "output-available": "done", "output-error": "failed", "output-denied": "refused",
};

/** The members of a value; all of them, and whole, where the person decides about them. */
function values(value, className = "", isWhole = false) {
  const pairs = isObject(value) && !isNumber(value) ? Object.entries(value) : [["result", value]];
  const cut = (text, most) => isWhole ? text : clipped(text, most);
  const list = make("dl", { className }, ...(isWhole ? pairs : pairs.slice(0, 50)).flatMap(([key, one]) => [
    make("dt", {}, visible(cut(key, 60))),
    make("dd", { dir: "auto" }, plainly(cut(isText(one) ? one : JSON.stringify(one), 2000))),
  ]));
  if (!isWhole && pairs.length > 50) list.append(make("dt", {}, "…"), make("dd", {}, `${pairs.length - 50} more`));
  return list;
}

function anchor(className, name, address) {
  const url = link(address);
  if (!url) {
    const why = `no link: ${visible(clipped(address, 80))}`;
    return make("span", { className }, make("span", {}, name), make("span", { className: "where" }, why));
  }
  const a = make("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, name);
  return make("span", { className }, a, make("span", { className: "where" }, visible(url.host)));
}

const PART = {
  text: part => make("p", { className: "text", dir: "auto" }, unturned(part.text)),
  reasoning: part => make("details", {}, make("summary", {}, "Thoughts"),
    make("p", { className: "text", dir: "auto" }, unturned(part.text))),
  "source-url": part => anchor("source", visible(clipped(part.title || part.url)), part.url),
  "source-document": part => make("span", { className: "source" }, make("span", {}, visible(clipped(part.title))),
    make("span", { className: "where" }, visible(clipped(part.filename ?? part.mediaType, 80)))),
  file(part) {
    const name = visible(clipped(part.filename ?? "file"));
    if (isImage(part.url)) return make("img", { src: part.url, alt: name });
    return anchor("file", `${name} (${visible(clipped(part.mediaType, 60))})`, part.url);
  },
  "step-start": () => make("hr"),
};

function tool(part, message) {
  const name = part.type === "dynamic-tool" ? part.toolName : part.type.slice(5);
  const heading = make("h3", {}, make("span", { dir: "auto" }, visible(clipped(part.title || name))),
    make("span", { className: "badge", dataset: { state: part.state } }, WORDS[part.state]));
  const card = make("section", { className: "card", "aria-label": `Tool ${visible(clipped(part.title || name, 80))}` }, heading);
  if (has(part, "input") && part.input !== null) card.append(values(part.input, "", part.state === "approval-requested"));
  if (has(part, "output") && part.output !== null) card.append(values(part.output, "output"));
  if (has(part, "errorText")) card.append(make("p", { className: "note bad", dir: "auto" }, plainly(clipped(part.errorText, 2000))));
  if (part.state === "approval-requested") {
    const button = (text, approved, className) => make("button",
      { type: "button", className, onclick: () => approve(message, part, approved) }, text);
    card.append(make("div", { className: "choices", role: "group", "aria-label": "Your approval" },
      button("Approve", true, "primary"), button("Refuse", false, "")));
  }
  return card;
}

function element(part, message) {
  if (has(part, "toolCallId")) return tool(part, message);
  if (has(PART, part.type)) return PART[part.type](part);
  const name = part.type.startsWith("data-") ? part.type.slice(5) : `a part of type ${part.type}`;
  return make("details", {}, make("summary", {}, visible(clipped(name, 80))),
    make("pre", {}, clipped(JSON.stringify(part.data ?? part, null, 2), 20000)));
}

// Messages, each with the elements of its parts; a text that grows has only its new piece added.

const shown = new Map();
let isDue = false;
/** The end is in sight, and stays so when there is more, or less room. */
let isFollowing = true;

function follow() { if (isFollowing) $("log").scrollTop = $("log").scrollHeight; }

const show = {
  changed(id) {
    const entry = shown.get(id);
    if (entry) entry.isDirty = true;
    show.chat();
  },
  rebuild() {
    for (const entry of shown.values()) entry.article.remove();
    shown.clear();
    show.chat();
  },
  chat() {
    if (isDue) return;
    isDue = true;
    setTimeout(() => { isDue = false; draw(); }, 30);
  },
  status(text, state = "") { [$("status").textContent, $("status").dataset.state] = [text, state]; },
  announce(text) { $("announcer").textContent = text; },
  entrance(isNeeded) { [$("entrance").hidden, $("composer").hidden] = [!isNeeded, isNeeded]; },
  giveBack(text) { $("text").value = [$("text").value, text].filter(Boolean).join("\n"); },
  questions() {
    document.querySelector("#questions")?.remove();
    if (chat.request) { $("log").append(questions(chat.request)); $("questions").querySelector("input")?.focus(); }
    show.chat();
  },
  list() {
    $("list").replaceChildren(...chats.map(one => make("li", {}, make("button", {
      type: "button", dir: "auto", onclick: () => { menu(false); enter(one.id).then(show.list); },
      ...(one.id === chat.id ? { "aria-current": "page" } : {}),
    }, visible(clipped(one.title || one.id, 80))))));
    $("title").textContent = visible(clipped(chats.find(one => one.id === chat.id)?.title ?? "Agent chat", 80));
  },
  begin() {
    const log = $("log");
    log.onscroll = () => { isFollowing = log.scrollHeight - log.scrollTop - log.clientHeight < 80; };
    new ResizeObserver(follow).observe(log);
    $("composer").onsubmit = event => { event.preventDefault(); send(); };
    $("text").onkeydown = event => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      send();
    };
    document.onkeydown = event => {
      if (event.key !== "Escape") return;
      menu(false);
      editing ? edit(null) : stop();
    };
    $("stop").onclick = stop;
    $("new").onclick = () => { menu(false); create(); };
    $("menu").onclick = () => menu(!$("chats").classList.contains("open"));
    $("entrance").onsubmit = event => {
      event.preventDefault();
      sessionStorage.setItem("token", $("token").value);
      $("token").value = "";
      start();
    };
  },
};

function menu(isOpen) {
  $("chats").classList.toggle("open", isOpen);
  $("menu").setAttribute("aria-expanded", String(isOpen));
}

/** The message that is written anew, which branches off behind the one before it. */
let editing = null;

function edit(id) {
  editing = id;
  $("hint").textContent = id ? "Enter sends the message anew, in place of it and all behind it; Escape leaves it." : HINT;
  $("text").value = id ? chat.messages.get(id).parts.filter(part => part.type === "text").map(part => part.text).join("") : "";
  $("text").focus();
}
const HINT = $("hint").textContent;

function send() {
  const text = $("text").value;
  if (!text.trim() || !chat.id) return;
  const place = chat.path.indexOf(editing);
  if (editing && (chat.job || place < 1)) return edit(null);
  if (chat.job ? !inject(text) : chat.isSubmitted || chat.pending && !chat.failed.has(chat.pending.id)) return;
  const parent = editing ? chat.path[place - 1] : null;
  if (editing) edit(null);
  $("text").value = "";
  if (!chat.job) submit(text, parent);
  show.chat();
}

function draw() {
  const log = $("log");
  for (const [id, entry] of shown) if (!chat.path.includes(id)) { entry.article.remove(); shown.delete(id); }
  log.querySelector(".empty")?.remove();
  let before = null;
  for (const id of chat.path) {
    const message = chat.messages.get(id);
    if (!message) continue;
    const entry = shown.get(id) ?? open(message);
    const isPlaced = entry.article.parentNode === log && entry.article.previousElementSibling === before;
    if (!isPlaced) before ? before.after(entry.article) : log.prepend(entry.article);
    entry.edit.hidden = !before || Boolean(chat.job || chat.pending);
    before = entry.article;
    update(entry, message);
  }
  if (!before) log.prepend(make("p", { className: "empty" }, "Ask for a table, a story, or the weather."));
  $("stop").hidden = !chat.job;
  $("stop").disabled = !chat.isReady;
  $("send").textContent = chat.job ? "Add" : "Send";
  $("text").placeholder = chat.job ? "Add something to the answer" : "Write a message";
  for (const button of log.querySelectorAll(".choices button")) button.disabled = Boolean(chat.job || !chat.isReady);
  follow();
}

function open(message) {
  const parts = make("div", { className: "parts" });
  const name = message.role === "user" ? "You" : message.role === "assistant" ? "Agent" : "Operator";
  const note = make("p", { className: "note", hidden: true });
  const article = make("article", { className: message.role, "aria-label": name }, make("h2", {}, name), parts, note);
  const anew = make("button", { type: "button", className: "plain", hidden: true, onclick: () => edit(message.id) }, "Edit");
  if (message.role === "user") article.append(anew);
  const entry = { article, parts, note, edit: anew, elements: [], isDirty: true };
  shown.set(message.id, entry);
  return entry;
}

function update(entry, message) {
  entry.article.classList.toggle("live", chat.job?.message === message.id);
  const note = chat.failed.get(message.id);
  entry.note.hidden = !note;
  entry.note.classList.toggle("bad", Boolean(note) && note !== "Stopped.");
  if (note && entry.note.dataset.text !== note) {
    entry.note.dataset.text = note;
    entry.note.replaceChildren(note);
    if (message.role === "user") entry.note.append(" ", make("button", { type: "button", onclick: sendPending }, "Send again"));
  }
  if (!entry.isDirty) return;
  entry.isDirty = false;
  message.parts.forEach((part, index) => {
    const old = entry.elements[index];
    if (old?.part === part) return;
    if (old && grow(old, part)) return;
    const made = element(part, message);
    if (old) { if (old.element.open) made.open = true; old.element.replaceWith(made); } else entry.parts.append(made);
    entry.elements[index] = { part, element: made };
  });
  for (const { element } of entry.elements.splice(message.parts.length)) element.remove();
}

/** A text that has become longer at its end. */
function grow(old, part) {
  const before = old.part;
  if (!has(part, "text") || part.type !== before.type || !part.text.startsWith(before.text)) return false;
  const node = (part.type === "text" ? old.element : old.element.lastElementChild);
  const piece = unturned(part.text.slice(before.text.length));
  if (node.lastChild) node.lastChild.appendData(piece); else node.append(piece);
  old.part = part;
  return true;
}

// Questions.

function questions(request) {
  const fields = request.questions.map((question, index) => {
    const name = `question-${index}`;
    const legend = make("legend", { dir: "auto" }, plainly(question.text));
    if (!question.options?.length) {
      return make("fieldset", {}, legend,
        make("input", { type: "text", name, required: true, dir: "auto", "aria-label": clipped(question.text, 200) }));
    }
    const type = question.multiple === true ? "checkbox" : "radio";
    return make("fieldset", {}, legend, ...question.options.map((option, value) => make("label", {},
      make("input", { type, name, value, required: type === "radio" }), make("span", { dir: "auto" }, plainly(option.label)))));
  });
  const form = make("form", { id: "questions", className: "card", "aria-label": "The agent asks" }, ...fields,
    make("button", { type: "submit", className: "primary" }, "Answer"));
  form.onsubmit = event => {
    event.preventDefault();
    const data = new FormData(form);
    const answers = request.questions.map((question, index) => {
      const given = data.getAll(`question-${index}`);
      if (!question.options?.length) return { question_id: question.id, text: given[0] };
      return { question_id: question.id, option_ids: given.map(value => question.options[value].id) };
    });
    if (answers.every(one => one.option_ids?.length || one.text?.trim())) answer(answers);
  };
  return form;
}
