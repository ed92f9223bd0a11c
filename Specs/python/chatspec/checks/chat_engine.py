"""Cases of Chat Engine (Specs/chat-engine.md, section 12): a list, each case with id, rule, kind and expect."""

import base64
import json
from typing import Any, Callable

from ..chat_engine import Violation, calls, search, sessions, streams, values
from ..chat_engine.tree import Tree
from .common import Mismatch, NotApplicable

MESSAGE = "gts.hyperspot.chat_engine.entities.message.v1~33333333-3333-4333-8333-333333333333"
PIECES = (1, 7, 4096)


def is_ours(document: Any) -> bool:
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and all(isinstance(first.get(key), str) for key in ("id", "rule", "kind", "expect"))


def check(case: dict) -> None:
    if case.get("kind") not in KINDS:
        raise NotApplicable(f"kind {case.get('kind')!r}")
    KINDS[case["kind"]](case)


def expect(what: str, actual: Any, expected: Any) -> None:
    if json.dumps(actual, sort_keys=True) != json.dumps(expected, sort_keys=True):
        raise Mismatch(f"{what} is {actual!r:.200}, the file has {expected!r:.200}")


def verdict(case: dict, step: Callable[[], Any]) -> Any:
    """Does a step that has to be taken or refused, and gives what it gave."""
    try:
        value = step()
    except Violation as violation:
        if case["expect"] != "invalid":
            raise Mismatch(f"it is refused ({violation}), the file takes it") from None
        return None
    if case["expect"] != "valid":
        raise Mismatch("it is taken, the file refuses it")
    return value


def read_value(reader: values.Reader) -> Callable[[dict], None]:
    def checker(case: dict) -> None:
        value = verdict(case, lambda: reader(case["input"], case.get("mode", "strict")))
        if "result" in case:
            expect("the value", value, case["result"])

    return checker


def value(case: dict) -> None:
    if case["schema"] not in values.SCHEMAS:
        raise NotApplicable(f"schema {case['schema']}")
    read_value(values.SCHEMAS[case["schema"]])(case)


def raw_body(case: dict) -> None:
    verdict(case, lambda: values.SEND(values.read(base64.b64decode(case["base64"])), "strict"))


def identifier(case: dict) -> None:
    verdict(case, lambda: values.identifier(case["id_kind"])(case["input"], "strict"))


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def stream(case: dict) -> None:
    data = b"".join(line.encode() + b"\n" for line in case["lines"])
    for size in PIECES:
        reader = streams.Reader()
        try:
            for piece in pieces(data, size):
                reader.feed(piece)
            reader.end()
            outcome = "truncated" if reader.state == "truncated" else "valid"
        except Violation:
            outcome = "invalid"
        expect(f"the stream in pieces of {size}", outcome, case["expect"])


def answer(data: bytes, size: int, status: int = 200, form: str = "application/x-ndjson", kind: str = "message.new"):
    backend = streams.Backend(MESSAGE, kind)
    backend.head(status, form)
    for piece in pieces(data, size):
        backend.feed(piece)
    backend.end()
    return backend


def backend_stream(case: dict) -> None:
    data = b"".join(line.encode() + b"\n" for line in case["lines"])
    if case.get("last_newline") is False:
        data = data[:-1]
    data += base64.b64decode(case.get("tail_base64", ""))
    for size in PIECES:
        backend = answer(data, size)
        outcome = backend.outcome
        if backend.is_late and outcome != "invalid":
            outcome = "late" if outcome == "valid" else "late-error"
        expect(f"the answer in pieces of {size}", outcome, case["expect"])
        expect("the client's text", backend.text, case["text"])


def line_limit(case: dict) -> None:
    frame = b'{"type":"chunk","chunk":{"type":"text","content":"%s"}}'
    line = frame % (b"x" * (case["line_bytes"] - len(frame) + 2))
    expect("the line", answer(line + b'\n{"type":"complete"}\n', 65_536).outcome, case["expect"])


def webhook_reply(case: dict) -> None:
    whole = {"message_id": MESSAGE, "role": "assistant", "content": [{"type": "text", "text": "a"}]}
    data = json.dumps(whole) if case["data"] == "REPLY" else case["data"]
    backend = answer(data.encode(), 4096, case["status"], case["content_type"], case["event"])
    expect("the answer", backend.outcome, case["expect"])
    if backend.outcome == "valid":
        expect("the client's text", backend.text, case["text"])


def breaker(case: dict) -> None:
    machine, passes = calls.Breaker(), []
    for word, now, *rest in case["steps"]:
        if word == "open":
            machine.enter("open", now)
        elif word == "call":
            passed = machine.call(now)
            expect(f"the call at {now}", "rejected" if passed is None else "allowed", rest[0])
            passes += [] if passed is None else [passed]
        else:
            passed = passes.pop(0) if passes else machine.call(now)
            if passed is not None:
                machine.record(word, passed, now)
    expect("the state at the end", machine.state, case["final"])


def retry(case: dict) -> None:
    count, delays, result = calls.attempts(case["op"], case["outcomes"])
    expect("the attempts", count, case["attempts"])
    expect("the result", result, case["result"])
    expect("the delays", delays, case.get("nominal_delays_ms", delays))


def timeout(case: dict) -> None:
    expect("the timeout", calls.timeout(case["op"], case["configured_s"]), case["effective_s"])


def fire_and_forget(case: dict) -> None:
    answered, _, _, again = calls.TABLE[case["event"]]
    expect("what counts", [answered, again], [False, False])
    expect("the attempts", calls.attempts(case["event"], [case["fault"]])[0], case["attempts"])
    expect("the failures", 0, case["breaker_failures"])
    expect("what the client sees", "unchanged", case["client_sees"])


class Run:
    """A tree whose messages are called as the case calls them."""

    def __init__(self, hidden: dict) -> None:
        self.tree, self.hidden, self.history, self.failed = Tree(), hidden, [], 0

    def do(self, op: list) -> None:
        word, *rest = op
        if word in ("send", "partial", "fail"):
            parent, user, *reply = rest
            self.history = self.tree.send(user, self.name(reply), parent)
            self.finish(reply, word)
        elif word in ("recreate", "partialrecreate", "failrecreate"):
            message, *reply = rest
            self.history = self.tree.recreate(message, self.name(reply))
            self.finish(reply, word)
        elif word == "streaming":
            user, reply, inner = rest
            self.history = self.tree.send(user, reply)
            self.do(inner)
            self.tree.finish(reply, hidden=self.hidden.get(reply, ""))
        elif word == "refused":
            before = repr(self.tree)
            try:
                self.do(rest[0])
            except Violation as violation:
                expect("the status", violation.status, rest[1])
                expect("what a refusal leaves", repr(self.tree), before)
                return
            raise Mismatch(f"{rest[0]} is done, the file refuses it")
        else:
            raise NotApplicable(f"operation {word}")

    def name(self, reply: list) -> str:
        self.failed += 1
        return reply[0] if reply else f"failed {self.failed}"

    def finish(self, reply: list, word: str) -> None:
        name = reply[0] if reply else f"failed {self.failed}"
        self.tree.finish(
            name, complete=not word.startswith(("partial", "fail")), says=bool(reply),
            hidden=self.hidden.get(name, ""))


def run(case: dict) -> Run:
    tree = Run(case.get("hidden", {}))
    for op in case["ops"]:
        tree.do(op)
    return tree


def tree(case: dict) -> None:
    one = run(case)
    nodes = one.tree.nodes
    expect("the active path", one.tree.path(), case.get("active_path", one.tree.path()))
    expect("the list", one.tree.visible_names(), case.get("list", one.tree.visible_names()))
    expect("the history", one.history, case.get("history_sent", one.history))
    for name, index in case.get("indexes", {}).items():
        expect(f"the index of {name}", nodes[name].index, index)
    if "incomplete" in case:
        expect("incomplete", [name for name in one.history if not nodes[name].complete], case["incomplete"])
    if "variants_of" in case:
        order, current = one.tree.variants(case["variants_of"])
        expect("the variants", order, case["order"])
        expect("the current one", current, case.get("current_index", current))


def export(case: dict) -> None:
    one = run(case).tree
    expect("the order", one.path() if case["scope"] == "active" else one.visible_names(), case["order"])


def capabilities(case: dict) -> None:
    sent = verdict(case, lambda: sessions.enabled(case["enabled"], case["available"]))
    if sent is not None:
        expect("what is sent", sent, case["sent"])


def reaction(case: dict) -> None:
    reactions = sessions.Reactions()
    expect("the results", [list(reactions.react(0, step)) for step in case["steps"]], case["results"])


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    return float(text[:-1]) * UNITS[text[-1]]


def share(case: dict) -> None:
    shares, conversation, now = sessions.Shares(), Tree(), 0.0
    for number in (1, 2):
        conversation.send(f"u{number}", f"a{number}")
        conversation.finish(f"a{number}")
    statuses: list[int | None] = []
    for step in case["steps"]:
        word, _, rest = step.replace(" ", ":").partition(":")
        if word == "wait":
            now += seconds(rest)
            statuses.append(None)
            continue
        try:
            if word == "share":
                shares.share(now + seconds(rest.removeprefix("expires")) if rest else None, now)
            elif word == "read":
                shares.good(int(rest or 0), now)
            elif word == "revoke":
                shares.revoke(0)
            elif word == "guest":
                shares.good(0, now)
                guest = len(conversation.nodes)
                conversation.send(f"g{guest}", f"r{guest}", {"first": "a1", "last": "a2"}.get(rest), guest=True)
            else:
                raise NotApplicable(f"step {step}")
            statuses.append(201 if word == "share" else 200)
        except Violation as violation:
            statuses.append(violation.status)
    expect("the statuses", statuses, case["statuses"])


def summarize(case: dict) -> None:
    settings = case["summarization_settings"]
    if settings is None or values.settings(settings, "strict").get("enabled") is not True:
        expect("the status", "400", case["expect"])
    else:
        expect("the status", "502" if "service_url" in settings else "200", case["expect"])


def authentication(case: dict) -> None:
    token, now = case["token"], 1_000_000_000

    def step() -> str:
        if token is None or "secret" in token:
            raise Violation("CE-23", "no signature", 401)
        apart = ("alg", "scheme", "exp_in", "nbf_in")
        claims = {name: one for name, one in token.items() if name not in apart and one is not None}
        for name, claim in (("exp_in", "exp"), ("nbf_in", "nbf")):
            if token.get(name) is not None:
                claims[claim] = now + token[name] if isinstance(token[name], (int, float)) else token[name]
        return sessions.client(token.get("scheme", "Bearer"), {"alg": token.get("alg", "HS256")}, claims, now)

    verdict(case, step)


def owner(case: dict) -> None:
    owners = sessions.Owners()
    owners.create("s", "saro")
    owners.messages["m"] = "s"
    state, client = case.get("state", "another's"), "saro"
    target = "m" if sessions.OPERATIONS[case["operation"]][1].startswith("/messages/*") else "s"
    if state == "another's":
        client = "raya"
    elif state == "deleted":
        owners.delete("s")
    elif state == "unknown":
        target = "?"
    elif state != "unknown session type":
        raise NotApplicable(f"state {state}")
    code = owners.ask(case["operation"], target, client, "?" if state == "unknown session type" else "known")
    expect("the status", str(values.STATUSES.get(code, 200)), case["expect"])
    expect("the code", code, case.get("error_code", code))


def no_such_operation(case: dict) -> None:
    expect("the route", sessions.route(case["method"], case["path"]) in (404, 405), True)


def status(case: dict) -> None:
    expect("the status", values.STATUSES[case["error_code"]], case["status"])


def client_status(case: dict) -> None:
    expect("the outcome", "ok" if 200 <= case["status"] < 300 else "failed", case["expect"])


def find(case: dict) -> None:
    hits = [name for name, text in case["corpus"].items() if search.matches(case["query"], text)]
    expect("the hits", sorted(hits), sorted(case["hits"]))


def paging(case: dict) -> None:
    hits = [text for text in ["wombat"] * case["matching"] if search.matches("wombats", text)]
    expect("the page", len(hits[case["offset"] :][: case["limit"]]), case["returned"])
    expect("the total", len(hits), case["total"])


KINDS: dict[str, Callable[[dict], None]] = {
    "value": value, "body": lambda case: read_value(values.BODIES[case["operation"]])(case), "raw-body": raw_body,
    "event": read_value(values.event), "webhook": read_value(values.WEBHOOK),
    "error-body": read_value(values.error_body), "id": identifier,
    "query": lambda case: verdict(case, lambda: values.query(case["query"])) and None,
    "ndjson": stream, "backend-ndjson": backend_stream, "line-limit": line_limit, "webhook-reply": webhook_reply,
    "breaker": breaker, "retry": retry, "timeout": timeout, "fire-and-forget": fire_and_forget,
    "trace": lambda case: verdict(case, lambda: calls.follow(case["trace"])), "tree": tree, "export": export,
    "capabilities": capabilities, "reaction": reaction, "share": share, "summarize": summarize,
    "auth": authentication, "no-such-operation": no_such_operation, "status": status, "client-status": client_status,
    "owner": owner, "missing": owner, "search": find, "paging": paging,
}
