"""The operations of a tree, as cases have them, over HTTP: messages are called by labels, and say them."""

import http.client
import json
import threading
import time

from engine import token

GHOST = "gts.hyperspot.chat_engine.entities.message.v1~99999999-9999-4999-8999-999999999999"
NDJSON = "application/x-ndjson"
COMPLETE = b'{"type":"complete"}\n'


def chunk(text):
    return json.dumps({"type": "chunk", "chunk": {"type": "text", "content": text}}).encode() + b"\n"


class Tree:
    """One session, and the ids of its labels."""

    def __init__(self, runner):
        self.engine, self.backend = runner.engine, runner.backend
        self.session = runner.session()
        self.ids, self.hidden, self.next = {"ghost": GHOST}, {}, None
        self.runner = runner

    def label(self, message):
        return next((label for label, known in self.ids.items() if known == message), message)

    def check(self, case):
        self.hidden = case.get("hidden", {})
        self.backend.script = self.script
        self.play(case["ops"])
        messages = self.engine.call("GET", f"/sessions/{self.session}/messages")["messages"]
        if "active_path" in case:
            shared = self.engine.call("POST", f"/sessions/{self.session}/share", {})
            path = json.loads(self.engine.ask("GET", shared["share_url"], bearer="")[1])["messages"]
            assert [self.label(m["message_id"]) for m in path] == case["active_path"], path
        if "list" in case:
            assert [self.label(m["message_id"]) for m in messages] == case["list"], messages
        for label, index in case.get("indexes", {}).items():
            found = self.engine.call("GET", f"/messages/{self.ids[label]}")
            assert found["variant_index"] == index, (label, found)
        if "variants_of" in case:
            found = self.engine.call("GET", f"/messages/{self.ids[case['variants_of']]}/variants")
            assert [self.label(m["message_id"]) for m in found["variants"]] == case["order"], found
            if "current_index" in case:
                assert found["current_index"] == case["current_index"], found
        if "history_sent" in case:
            sent = [w for w in self.backend.webhooks if w["event"] in ("message.new", "message.recreate")][-1]["history"]
            assert [self.label(m["message_id"]) for m in sent] == case["history_sent"], sent
            if "incomplete" in case:
                found = [self.label(m["message_id"]) for m in sent if not m["is_complete"]]
                assert found == case["incomplete"], sent

    def play(self, ops):
        self.backend.script = self.script
        for op in ops:
            status = self.step(op)
            assert status in (200, None), (op, status)

    def script(self, webhook):
        if webhook["event"] not in ("message.new", "message.recreate"):
            return None
        kind, reply, gate = self.next
        if reply is not None:
            self.ids[reply] = webhook["message_id"]
        if kind == "fail":
            return 400, "application/json", []
        if kind == "partial":
            return 200, NDJSON, [chunk(reply), threading.Event()]
        complete = COMPLETE
        flags = self.hidden.get(reply)
        if flags:
            wanted = {"user": ["is_hidden_from_user"], "llm": ["is_hidden_from_llm"],
                      "both": ["is_hidden_from_user", "is_hidden_from_llm"]}[flags]
            complete = json.dumps({"type": "complete", "metadata": dict.fromkeys(wanted, True)}).encode() + b"\n"
        return 200, NDJSON, [chunk(reply), *([gate] if gate else []), complete]

    def step(self, op):
        kind = op[0]
        if kind == "refused":
            status = self.step(op[1])
            assert status == op[2], (op, status)
            return None
        if kind == "streaming":
            return self.streaming(*op[1:])
        self.foreign(op)
        if kind in ("send", "fail", "partial"):
            parent, user, reply = op[1], op[2], op[3] if len(op) > 3 else None
            self.next = (kind, reply, None)
            body = {"session_id": self.session, "content": user}
            if parent is not None:
                body["parent_message_id"] = self.ids[parent]
            status = self.post("/messages/send", body, is_cut=kind == "partial")
            self.find(user)
            return 200 if kind == "fail" and status == 502 else status
        message, reply = op[1], op[2] if len(op) > 2 else None
        self.next = ({"recreate": "send", "partialrecreate": "partial", "failrecreate": "fail"}[kind], reply, None)
        status = self.post(f"/messages/{self.ids[message]}/recreate", {}, is_cut=kind == "partialrecreate")
        return 200 if kind == "failrecreate" and status == 502 else status

    def foreign(self, op):
        if "foreign" in op and "foreign" not in self.ids:
            kept, self.backend.script = self.backend.script, lambda webhook: None
            _, self.ids["foreign"] = self.runner.answered()
            self.backend.script = kept

    def streaming(self, user, reply, op):
        """An operation while an answer is under way, which is completed then."""
        gate = threading.Event()
        self.next = ("send", reply, gate)
        before = len([w for w in self.backend.webhooks if w["event"] == "message.new"])
        statuses = []
        thread = threading.Thread(target=lambda: statuses.append(
            self.post("/messages/send", {"session_id": self.session, "content": user})))
        thread.start()
        while len([w for w in self.backend.webhooks if w["event"] == "message.new"]) == before or reply not in self.ids:
            time.sleep(0.01)
        time.sleep(0.05)
        self.find(user)
        status = self.step(op)
        gate.set()
        thread.join(60)
        assert statuses == [200], statuses
        return status

    def find(self, user):
        """The id of what a person said, by its text."""
        messages = self.engine.call("GET", f"/sessions/{self.session}/messages")["messages"]
        for message in messages:
            if message["role"] == "user" and message["content"] == [{"type": "text", "text": user}]:
                self.ids[user] = message["message_id"]

    def post(self, path, body, is_cut=False):
        """Status of an answer that is read to its end, or closed after its only chunk."""
        connection = http.client.HTTPConnection(self.engine.base.split("/")[2], timeout=60)
        headers = {"authorization": "Bearer " + token(), "content-type": "application/json"}
        connection.request("POST", "/api/v1" + path, json.dumps(body), headers)
        answer = connection.getresponse()
        if not is_cut or answer.status != 200:
            answer.read()
            connection.close()
            return answer.status
        told = len([w for w in self.backend.webhooks if w["event"] == "message.aborted"])
        while b'"chunk"' not in answer.readline():
            pass
        answer.close()
        connection.close()
        deadline = time.monotonic() + 20
        while len([w for w in self.backend.webhooks if w["event"] == "message.aborted"]) == told:
            assert time.monotonic() < deadline, "the backend is not told"
            time.sleep(0.01)
        return 200
