"use strict";
// The protocol of Specs/agent-chat.md for a page: what comes is checked before it is used, and what breaks a rule
// changes nothing. Unknown keys and parts are let pass, as its conformant mode does.

class Violation extends Error {
  constructor(rule, text) { super(`${rule}: ${text}`); }
}

function need(holds, rule, text) { if (!holds) throw new Violation(rule, text); }

const isObject = value => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = value => typeof value === "string";
const isId = value => isText(value) && value !== "" && [...value].length <= 256 && !/\p{Cc}/u.test(value);
const has = (object, key) => Object.hasOwn(object, key);

function optional(object, key, test, rule) { need(!has(object, key) || test(object[key]), rule, `${key} is wrong`); }

// Section 5.
const TOOL = {
  "input-streaming": {}, "input-available": { input: 1 },
  "approval-requested": { input: 1, approval: 1 }, "approval-responded": { input: 1, approval: 1 },
  "output-available": { input: 1, output: 1, approval: 0 }, "output-error": { errorText: 1, approval: 0 },
  "output-denied": { input: 1, approval: 1 },
};
const ANSWER = { "output-available": true, "output-error": true, "output-denied": false };

function checkTool(part) {
  need(isId(part.toolCallId), "AC-15", "a tool has a toolCallId");
  need(isText(part.state) && has(TOOL, part.state), "AC-15", "the state is unknown");
  const fields = TOOL[part.state];
  for (const key of ["input", "output", "errorText", "approval"]) {
    if (fields[key] === 1) need(has(part, key), "AC-17", `${key} is missing`);
    else if (!has(fields, key) && key !== "input") need(!has(part, key), "AC-16", `${key} is not for this state`);
  }
  optional(part, "errorText", isText, "AC-04");
  optional(part, "title", isText, "AC-04");
  if (!has(part, "approval")) return;
  const { approval, state } = part;
  need(isObject(approval) && isId(approval.id), "AC-18", "an approval has an id");
  optional(approval, "reason", isText, "AC-04");
  if (state === "approval-requested") need(!has(approval, "approved"), "AC-18", "nobody has approved yet");
  else if (state === "approval-responded") need(typeof approval.approved === "boolean", "AC-18", "approved is missing");
  else need(approval.approved === ANSWER[state], "AC-18", "approved does not fit the state");
}

function checkPart(part) {
  need(isObject(part) && isText(part.type), "AC-09", "a part has a type");
  const type = part.type;
  if (type === "text" || type === "reasoning") {
    need(isText(part.text), "AC-11", "text is missing");
    optional(part, "state", state => state === "streaming" || state === "done", "AC-11");
  } else if (type === "source-url") {
    need(isId(part.sourceId) && isText(part.url), "AC-12", "a source has sourceId and url");
    optional(part, "title", isText, "AC-04");
  } else if (type === "source-document") {
    need(isId(part.sourceId) && isText(part.mediaType) && isText(part.title), "AC-12", "a document has a title");
    optional(part, "filename", isText, "AC-04");
  } else if (type === "file") {
    need(isText(part.mediaType) && isText(part.url), "AC-13", "a file has mediaType and url");
    optional(part, "filename", isText, "AC-04");
  } else if (type === "dynamic-tool") {
    need(isText(part.toolName), "AC-15", "a dynamic tool has a toolName");
    checkTool(part);
  } else if (type.startsWith("tool-")) {
    need(type !== "tool-", "AC-10", "a tool has a name");
    checkTool(part);
  } else if (type.startsWith("data-")) {
    need(type !== "data-", "AC-10", "data have a name");
    need(has(part, "data"), "AC-14", "data are missing");
  }
  return part;
}

function checkMessage(message) {
  need(isObject(message) && isId(message.id), "AC-06", "a message has an id");
  need(["user", "assistant", "system"].includes(message.role), "AC-07", "the role is unknown");
  need(Array.isArray(message.parts) && (message.parts.length > 0 || message.role === "assistant"), "AC-08", "no parts");
  message.parts.forEach(checkPart);
  return message;
}

function checkQuestion(question) {
  need(isObject(question) && isId(question.id) && isText(question.text), "AC-04", "a question has an id and a text");
  optional(question, "options", list => Array.isArray(list)
    && list.every(option => isObject(option) && isId(option.id) && isText(option.label)), "AC-04");
}

// Section 6.2.
const FIELDS = {
  ready: message => optional(message, "active_job", job => job === null
    || (isObject(job) && isId(job.job_id) && isId(job.message_id)), "AC-04"),
  run: message => need(isId(message.job_id) && isId(message.message_id), "AC-06", "run has two ids"),
  stream: message => { need(isId(message.message_id), "AC-06", "message_id"); checkPart(message.delta); },
  stream_resume: message => {
    need(isId(message.message_id), "AC-06", "message_id");
    need(Array.isArray(message.parts), "AC-33", "parts are missing");
    message.parts.forEach(checkPart);
  },
  chat_history: message => {
    need(Array.isArray(message.initialPath), "AC-33", "initialPath is missing");
    message.initialPath.forEach(checkMessage);
    need(new Set(message.initialPath.map(one => one.id)).size === message.initialPath.length, "AC-34", "an id twice");
  },
  done: () => {},
  cancel: () => {},
  error: message => need(isText(message.message) || isText(message.error), "AC-32", "an error has a text"),
  clarify_request: message => {
    need(isId(message.job_id) && isId(message.request_id), "AC-06", "a request has two ids");
    need(Array.isArray(message.questions) && message.questions.length > 0, "AC-04", "questions are missing");
    message.questions.forEach(checkQuestion);
  },
  inject_ack: message => need(isId(message.job_id) && isId(message.inject_id), "AC-06", "two ids"),
  inject_split: message => need(["job_id", "inject_id", "message_id", "user_message_id", "new_message_id"]
    .every(key => isId(message[key])), "AC-06", "a split has five ids"),
};

/** A number that a double cannot hold: shown, compared and sent with every digit (section 3). */
class Exact {
  constructor(text) { this.text = text; }
  toJSON() { return JSON.rawJSON?.(this.text) ?? this.text; }
}

/** A number's text without its spelling: sign, digits without zeros at either end, and the power of ten. */
function decimal(text) {
  const [, sign, whole, part = "", power = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const digits = (whole + part).replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  return kept ? `${sign}${kept}e${BigInt(power) + BigInt(digits.length - kept.length - part.length)}` : "0";
}

function exact(key, value, context) {
  const source = context?.source;
  if (typeof value !== "number" || !source || source.length > 4000) return value;
  return Number.isFinite(value) && decimal(String(value)) === decimal(source) ? value : new Exact(source);
}

const isNumber = value => typeof value === "number" || value instanceof Exact;

/** Whether two values are the same (section 3). */
function same(left, right) {
  if (isNumber(left) && isNumber(right)) return decimal(left.text ?? String(left)) === decimal(right.text ?? String(right));
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((one, index) => same(one, right[index]));
  }
  if (!isObject(left)) return left === right;
  if (!isObject(right) || isNumber(left) || isNumber(right)) return false;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every(key => has(right, key) && same(left[key], right[key]));
}

function read(text) {
  need(isText(text), "AC-01", "a binary frame");
  let message;
  try { message = JSON.parse(text, exact); } catch { throw new Violation("AC-01", "no JSON"); }
  need(isObject(message), "AC-01", "no object");
  need(isText(message.type) && has(FIELDS, message.type), "AC-02", "an unknown type");
  need(!has(message, "data"), "AC-03", "a server message has no data");
  optional(message, "job_id", isId, "AC-06");
  if (message.seq instanceof Exact) message.seq = Number(message.seq.text);
  optional(message, "seq", seq => Number.isSafeInteger(seq) && seq >= 0, "AC-04");
  FIELDS[message.type](message);
  return message;
}

// Section 7.1.
const STEPS = {
  "input-streaming": ["input-streaming", "input-available", "output-error"],
  "input-available": ["input-available", "approval-requested", "output-available", "output-error"],
  "approval-requested": ["approval-requested", "approval-responded", "output-denied"],
  "approval-responded": ["approval-responded", "output-available", "output-error", "output-denied"],
  "output-available": ["output-available", "output-error", "output-denied"],
  "output-error": ["output-available", "output-error", "output-denied"],
  "output-denied": ["output-available", "output-error", "output-denied"],
};
const FINAL = ["output-available", "output-error", "output-denied"];

/** A step of a tool's life; without a part before, its first. */
function checkStep(before, part) {
  const text = `${before?.state ?? "new"} to ${part.state}`;
  if (!before) {
    need(["input-streaming", "input-available", "output-error"].includes(part.state), "AC-20", text);
    return;
  }
  need(before.type === part.type && before.toolName === part.toolName, "AC-21", "another tool");
  if (has(before, "approval") && has(part, "approval")) {
    need(before.approval.id === part.approval.id, "AC-21", "another approval");
  }
  if (before.state !== "input-streaming" && has(before, "input") && has(part, "input")) {
    need(same(before.input, part.input), "AC-21", "another input");
  }
  need(STEPS[before.state].includes(part.state), "AC-20", text);
  if (before.state === "approval-responded" && part.state !== before.state) {
    need(before.approval.approved === (part.state !== "output-denied"), "AC-20", text);
  } else if (FINAL.includes(before.state)) {
    if (before.preliminary === true) need(part.state !== "output-denied", "AC-20", text);
    else need(same(before, part), "AC-20", text);
  } else if (before.state === part.state && before.state !== "input-streaming") {
    need(same(before, part), "AC-20", text);
  }
}

// Section 7.2.
function fold(parts, delta, consolidated) {
  const last = parts.at(-1);
  if (consolidated) {
    need(last && last.type === delta.type && last.toolCallId === delta.toolCallId, "AC-28", "nothing to replace");
    if (has(delta, "toolCallId")) checkStep(last, delta);
    parts[parts.length - 1] = delta;
    return;
  }
  if (delta.type === "text" || delta.type === "reasoning") {
    if (last && last.type === delta.type && last.state !== "done") {
      parts[parts.length - 1] = { ...last, ...delta, text: last.text + delta.text };
      return;
    }
  }
  let place = -1;
  if (has(delta, "toolCallId")) {
    place = parts.findIndex(part => part.toolCallId === delta.toolCallId);
    checkStep(parts[place], delta);
  } else if (delta.type.startsWith("data-") && has(delta, "id")) {
    place = parts.findIndex(part => part.type === delta.type && part.id === delta.id);
  }
  if (place >= 0) { parts[place] = delta; return; }
  closeTexts(parts);
  parts.push(delta);
}

function closeTexts(parts) {
  for (const part of parts) if (part.state === "streaming" && has(part, "text")) part.state = "done";
}
