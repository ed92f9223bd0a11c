#!/usr/bin/env python3
"""Runs cases of Specs/chat-engine.md, section 12, against an engine: those of this repository, and the published ones
where they lie beside it. Usage: cases.py PROGRAM [FILE…]
"""

import base64
import collections
import json
import sys
import time
import traceback
import urllib.parse

from engine import SPECS, TYPE, Backend, Engine, sign, token
from trees import Tree

SAMPLE_SESSION = "gts.hyperspot.chat_engine.entities.session.v1~11111111-1111-4111-8111-111111111111"
SAMPLE_TYPE = "gts.hyperspot.chat_engine.session_types.ai_assistant.v1~"
GHOST = "gts.hyperspot.chat_engine.entities.message.v1~99999999-9999-4999-8999-999999999999"
NDJSON = "application/x-ndjson"
SUMMARIES = [
    None, {"enabled": False, "max_length": 100}, {"enabled": True, "max_length": 50, "focus": "decisions"},
    {"enabled": True, "service_url": "http://127.0.0.1:1/x"},
]


def summary_type(number):
    return f"gts.hyperspot.chat_engine.session_types.summary_{number}.v1~"


def events(body):
    return [json.loads(line) for line in body.splitlines()]


class Runner:
    """One engine, and a method for each kind of case."""

    def __init__(self, program):
        self.backend = Backend()
        types = [{"session_type_id": SAMPLE_TYPE, "name": "Sample", "webhook_url": self.backend.url, "capabilities": []}]
        for number, settings in enumerate(SUMMARIES):
            kind = {"session_type_id": summary_type(number), "name": "Summary", "webhook_url": self.backend.url,
                    "capabilities": []}
            types.append(kind | ({"summarization_settings": settings} if settings else {}))
        self.engine = Engine(program, self.backend, types, ["--log-level", "error"]).start()

    def run(self, case):
        method = getattr(self, "case_" + case["kind"].replace("-", "_"), None)
        if method is None:
            return False
        self.backend.script = lambda webhook: None
        self.backend.webhooks.clear()
        return method(case) is not False

    def session(self, kind=TYPE):
        return self.engine.call("POST", "/sessions", {"session_type_id": kind, "client_id": "saro"})["session_id"]

    def send(self, session, text, **more):
        return self.engine.ask("POST", "/messages/send", {"session_id": session, "content": text, **more})

    def answered(self):
        """A session with a question and its answer."""
        session = self.session()
        status, body = self.send(session, "hi")
        assert status == 200, body
        return session, events(body)[0]["message_id"]

    # Requests.

    def live(self, text, session):
        """Samples of ids become ids that exist; of sample messages there is none."""
        return text.replace(SAMPLE_SESSION, session)

    def target(self, operation, session, message):
        paths = {
            "createSession": ("POST", "/sessions"), "sendMessage": ("POST", "/messages/send"),
            "getSession": ("GET", f"/sessions/{session}"), "deleteSession": ("DELETE", f"/sessions/{session}"),
            "switchSessionType": ("PATCH", f"/sessions/{session}/type"),
            "exportSession": ("POST", f"/sessions/{session}/export"),
            "shareSession": ("POST", f"/sessions/{session}/share"),
            "searchSession": ("GET", f"/sessions/{session}/search?query=x"),
            "recreateMessage": ("POST", f"/messages/{message}/recreate"),
            "summarizeSession": ("POST", f"/sessions/{session}/summarize"),
            "listMessages": ("GET", f"/sessions/{session}/messages"), "getMessage": ("GET", f"/messages/{message}"),
            "getMessageVariants": ("GET", f"/messages/{message}/variants"),
            "reactToMessage": ("POST", f"/messages/{message}/reaction"),
            "accessSharedSession": ("GET", "/share/" + "x" * 43),
        }
        return paths[operation]

    BODIES = {
        "switchSessionType": {"new_session_type_id": SAMPLE_TYPE}, "exportSession": {"format": "json", "scope": "all"},
        "reactToMessage": {"reaction_type": "like"}, "shareSession": {}, "recreateMessage": {}, "summarizeSession": {},
    }

    def case_body(self, case):
        session, message = self.answered()
        body = self.live(json.dumps(case["input"]), session)
        status, answer = self.engine.ask(*self.target(case["operation"], session, message), body.encode())
        if case["expect"] == "invalid":
            assert status == 400 and json.loads(answer)["details"]["validation_errors"], (status, answer)
        elif "entities.message" in body:
            assert status in (200, 404), (status, answer)  # a parent that is none of this session
        elif "enabled_capabilities" in body:
            assert status in (200, 400), (status, answer)  # capabilities that this backend has not
        else:
            assert status < 300, (status, answer)

    def case_raw_body(self, case):
        session = self.session()
        body = base64.b64decode(case["base64"])
        for one in (SAMPLE_SESSION, SAMPLE_SESSION.replace("/", "\\/")):
            body = body.replace(one.encode(), session.encode())
        status, answer = self.engine.ask("POST", "/messages/send", body)
        assert status == (200 if case["expect"] == "valid" else 400), (status, answer)

    def case_query(self, case):
        session = self.session()
        query = urllib.parse.urlencode(case["query"])
        for path in ("/search", f"/sessions/{session}/search"):
            status, answer = self.engine.ask("GET", f"{path}?{query}")
            assert status == (200 if case["expect"] == "valid" else 400), (status, answer)

    def case_auth(self, case):
        wanted = case["token"]
        bearer = ""
        if wanted is not None:
            claims = {key: value for key, value in wanted.items()
                      if key not in ("alg", "scheme", "secret", "exp_in", "nbf_in")}
            for key, name in (("exp_in", "exp"), ("nbf_in", "nbf")):
                if wanted.get(key) is not None:
                    claims[name] = time.time() + wanted[key]
            secret = b"another secret of thirty-two bytes" if wanted.get("secret") else None
            made = sign(claims, {"alg": wanted.get("alg", "HS256")}, *([secret] if secret else []))
            bearer = f"{wanted.get('scheme', 'Bearer')} {made}"
        status, answer = self.engine.ask("GET", "/session-types", bearer=bearer)
        assert status == (200 if case["expect"] == "valid" else 401), (status, answer)

    def case_owner(self, case):
        session, message = self.answered()
        self.refused(case, session, message, "Bearer " + token("raya"))

    def case_missing(self, case):
        session, message = SAMPLE_SESSION, GHOST
        if case["state"] == "deleted":
            session, message = self.answered()
            self.engine.call("DELETE", f"/sessions/{session}")
        elif case["state"] != "unknown":
            return False
        self.refused(case, session, message)

    def refused(self, case, session, message, bearer=None):
        operation = case["operation"]
        body = self.BODIES.get(operation)
        if operation == "sendMessage":
            body = {"session_id": session, "content": "x"}
        if operation == "createSession":
            body = {"session_type_id": "gts.hyperspot.chat_engine.session_types.nothing.v1~", "client_id": "saro"}
        status, answer = self.engine.ask(*self.target(operation, session, message), body, bearer)
        assert str(status) == case["expect"], (status, answer)
        assert json.loads(answer)["error_code"] == case.get("error_code", json.loads(answer)["error_code"]), answer

    def case_no_such_operation(self, case):
        session, message = self.answered()
        path = case["path"].replace("{id}", session if "session" in case["path"] else message)
        status, answer = self.engine.ask(case["method"], path, {})
        assert str(status) in case["expect"].split(" or "), (status, answer)
        assert json.loads(answer)["error_code"] == "INVALID_REQUEST"

    # Backends.

    def reply(self, status, kind, *pieces):
        self.backend.script = lambda webhook: (
            (status, kind, pieces) if webhook["event"] in ("message.new", "message.recreate") else None)

    def heard(self, case, status, answer, is_valid):
        if status != 200:
            assert not is_valid and status == 502 and json.loads(answer)["error_code"] == "BACKEND_ERROR", (status, answer)
            return
        got = events(answer)
        said = "".join(e["chunk"]["content"] for e in got if e["type"] == "chunk")
        assert got[-1]["type"] == ("complete" if is_valid else "error"), got
        if "text" in case and (is_valid or case["kind"] == "backend-ndjson"):
            assert said == case["text"], got

    def case_backend_ndjson(self, case):
        session = self.session()
        text = "\n".join(case["lines"]) + ("\n" if case.get("last_newline", True) and case["lines"] else "")
        data = text.encode() + base64.b64decode(case.get("tail_base64", ""))
        sample = "gts.hyperspot.chat_engine.entities.message.v1~33333333-3333-4333-8333-333333333333"

        def script(webhook):
            if webhook["event"] != "message.new":
                return None
            return 200, NDJSON, [data.replace(sample.encode(), webhook["message_id"].encode())]
        self.backend.script = script
        status, answer = self.send(session, "hi")
        assert status == 200, (status, answer)
        self.heard(case, status, answer, case["expect"] in ("valid", "late"))
        self.well(case["expect"])

    def well(self, expect):
        """A call that succeeds, so that failures of backends do not open the breaker."""
        if expect != "valid":
            self.backend.script = lambda webhook: None
            self.session()

    def case_line_limit(self, case):
        head, tail = b'{"type":"chunk","chunk":{"type":"text","content":"', b'"}}'
        line = head + b"x" * (case["line_bytes"] - len(head) - len(tail)) + tail
        self.reply(200, NDJSON, line + b"\n", b'{"type":"complete"}\n')
        status, answer = self.send(self.session(), "hi")
        self.heard(case, status, answer, case["expect"] == "valid")
        self.well(case["expect"])

    def case_webhook_reply(self, case):
        data = case["data"]

        def script(webhook):
            if webhook["event"] != case["event"]:
                return None
            whole = {"message_id": webhook.get("message_id"), "role": "assistant",
                     "content": [{"type": "text", "text": case.get("text", "a")}]}
            text = json.dumps(whole) if data == "REPLY" else data if isinstance(data, str) else json.dumps(data)
            return case["status"], case["content_type"], [text.encode()]
        is_valid = case["expect"] == "valid"
        session = self.session()
        self.backend.script = script
        if case["event"] == "session.created":
            status, answer = self.engine.ask("POST", "/sessions", {"session_type_id": TYPE, "client_id": "saro"})
            assert status == (201 if is_valid else 502), (status, answer)
        elif case["event"] in ("message.new", "session.summary"):
            path = {"message.new": "/messages/send", "session.summary": f"/sessions/{session}/summarize"}[case["event"]]
            body = {"session_id": session, "content": "hi"} if case["event"] == "message.new" else {}
            self.heard(case, *self.engine.ask("POST", path, body), is_valid)
        else:
            return False
        self.well(case["expect"])

    def case_capabilities(self, case):
        self.backend.script = lambda webhook: (
            (200, "application/json", [json.dumps({"available_capabilities": case["available"]}).encode()])
            if webhook["event"] == "session.created" else None)
        session, message = self.answered()
        self.backend.webhooks.clear()
        more = {} if case["enabled"] is None else {"enabled_capabilities": case["enabled"]}
        body = {"session_id": session, "content": "x"} | more if case["operation"] == "sendMessage" else more
        status, answer = self.engine.ask(*self.target(case["operation"], session, message), body)
        assert status == (200 if case["expect"] == "valid" else 400), (status, answer)
        if "sent" in case and case["expect"] == "valid":
            assert [one["id"] for one in self.backend.webhooks[-1]["enabled_capabilities"]] == case["sent"]

    def case_summarize(self, case):
        settings = case["summarization_settings"]
        if settings not in SUMMARIES:
            return False
        session = self.session(summary_type(SUMMARIES.index(settings)))
        status, answer = self.engine.ask("POST", f"/sessions/{session}/summarize", {})
        assert str(status) == case["expect"], (status, answer)

    # What is kept.

    def case_reaction(self, case):
        _, message = self.answered()
        for step, (applied, previous) in zip(case["steps"], case["results"]):
            self.backend.webhooks.clear()
            answer = self.engine.call("POST", f"/messages/{message}/reaction", {"reaction_type": step})
            assert answer["applied"] == applied, answer
            deadline = time.monotonic() + (0.3 if previous == "no webhook" else 20)
            while not self.backend.webhooks and time.monotonic() < deadline:
                time.sleep(0.01)
            if previous == "no webhook":
                assert not self.backend.webhooks
            else:
                assert self.backend.webhooks[0]["previous_reaction_type"] == previous, self.backend.webhooks

    def case_share(self, case):
        session, first = self.answered()
        status, body = self.send(session, "more")
        last = events(body)[0]["message_id"]
        links = []
        for step, expected in zip(case["steps"], case["statuses"]):
            name, _, argument = step.replace("wait ", "wait:").partition(":")
            if name == "wait":
                time.sleep(float(argument.rstrip("s")))
                continue
            status = self.share_step(name, argument, session, {"first": first, "last": last}, links)
            assert status == expected, (step, status)

    def share_step(self, name, argument, session, messages, links):
        if name == "share":
            body = {}
            if argument:
                time_ahead = argument.removeprefix("expires")
                seconds = float(time_ahead[:-1]) * {"s": 1, "m": 60, "h": 3600}[time_ahead[-1]]
                moment = time.time() + seconds
                body = {"expires_at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
                        + f".{int(moment % 1 * 1000):03d}Z"}
            status, answer = self.engine.ask("POST", f"/sessions/{session}/share", body)
            if status == 201:
                links.append(json.loads(answer))
            return status
        if name == "read":
            return self.engine.ask("GET", links[-1 if not argument else int(argument)]["share_url"], bearer="")[0]
        if name == "revoke":
            return self.engine.ask("DELETE", f"/sessions/{session}/share/{links[0]['share_token']}")[0]
        if name == "guest":
            body = {"session_id": session, "content": "guest"}
            if argument in messages:
                body["parent_message_id"] = messages[argument]
            header = [("X-Share-Token", links[0]["share_token"])] if links else []
            return self.engine.ask("POST", "/messages/send", body, "Bearer " + token("raya"), header)[0]
        raise KeyError(name)

    def case_search(self, case):
        session = self.session()
        labels = {}
        for label, text in case["corpus"].items():
            status, body = self.send(session, text)
            assert status == 200, body
            labels[text] = label
        query = urllib.parse.urlencode({"query": case["query"], "limit": 100})
        found = self.engine.call("GET", f"/sessions/{session}/search?{query}")
        assert sorted(labels[hit["content"]] for hit in found["results"]) == case["hits"], found

    def case_paging(self, case):
        session = self.session()
        for number in range(case["matching"]):
            self.send(session, f"wombat {number}")
        page = self.engine.call(
            "GET", f"/sessions/{session}/search?query=wombat&limit={case['limit']}&offset={case['offset']}")
        assert (len(page["results"]), page["total"]) == (case["returned"], case["total"]), page

    def case_tree(self, case):
        cut = {op[-1] for op in case["ops"] if op[0].startswith("partial")}
        # What is cut has no metadata over HTTP, and so nothing that hides it.
        return False if cut & set(case.get("hidden", {})) else Tree(self).check(case)

    def case_export(self, case):
        tree = Tree(self)
        tree.play(case["ops"])
        made = self.engine.call(
            "POST", f"/sessions/{tree.session}/export", {"format": case["format"], "scope": case["scope"]})
        status, data = self.engine.ask("GET", made["download_url"], bearer="")
        assert status == 200
        if case["format"] == "json":
            order = [tree.label(message["message_id"]) for message in json.loads(data)["messages"]]
        else:
            found = {label: data.decode().find(f"\n{label}\n") for label in tree.ids}
            order = sorted((label for label in found if found[label] >= 0), key=found.get)
        assert order == case["order"], (order, data)


def main(program, *files):
    published = SPECS.parents[1] / "shared/vectors/chat-engine/cases.json"
    files = files or [SPECS / "chat-engine/made.json"] + ([published] if published.exists() else [])
    if not published.exists():
        print("skipped: the published cases do not lie beside the repository")
    runner, counts, failures = Runner(program), collections.Counter(), []
    for file in files:
        with open(file, encoding="utf-8") as text:
            cases = json.load(text)
        for case in cases if isinstance(cases, list) else cases["cases"]:
            try:
                counts[case["kind"]] += runner.run(case)
            except Exception:
                failures.append((case, traceback.format_exc(limit=-2)))
    runner.engine.stop()
    for case, reason in failures[:10]:
        print(json.dumps(case, ensure_ascii=False)[:1500], reason[-1500:], sep="\n", file=sys.stderr)
    print(f"{counts.total()} cases over HTTP:", ", ".join(f"{count} {kind}" for kind, count in counts.items() if count))
    if failures:
        sys.exit(f"{len(failures)} cases failed: {[case['id'] for case, _ in failures]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
