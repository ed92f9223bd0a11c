"""Makes the vector files of this repository for agent chat: what others' files leave out.

    python3 -m chatspec.agent_chat.make ../agent-chat

Each scenario says what must be refused and by which rule; the rest is what this implementation does. The same files
come out every time.
"""

import json
import sys
from pathlib import Path

from . import Violation, codec
from .chat import Chat
from .jsontext import read

CHAT = "chat_1"
OPEN, DROP = ("X", "open"), ("X", "drop")


def s(kind: str, rule: str | None = None, **fields) -> tuple:
    return ("S", {"type": kind, **fields}, rule)


def c(kind: str, rule: str | None = None, **data) -> tuple:
    return ("C", {"type": kind, "data": data}, rule)


def ready(**fields) -> tuple:
    return s("ready", chat_id=CHAT, protocol="0.1", **fields)


def run(message: str, rule: str | None = None, parts: list | None = None, behind: str | None = None) -> tuple:
    role = "assistant" if parts else "user"
    sent = {"id": message, "role": role, "parts": parts or [{"type": "text", "text": "hello"}]}
    branch = {"parent_id": behind} if behind else {}
    return c("run", rule, id=CHAT, message=sent, vaultItems=[], timezone="UTC", **branch)


def talk(number: int, behind: str | None = None) -> list[tuple]:
    """A message, and its answer."""
    done = s("done", job_id=f"j{number}")
    return [run(f"m{number}", behind=behind), started(f"j{number}", f"a{number}"), text(f"a{number}", "yes"), done]


def started(job: str, message: str, rule: str | None = None) -> tuple:
    return s("run", rule, job_id=job, message_id=message)


def text(message: str, piece: str, rule: str | None = None, **fields) -> tuple:
    return s("stream", rule, message_id=message, delta={"type": "text", "text": piece, "state": "streaming"}, **fields)


def call(message: str, name: str, state: str, rule: str | None = None, **fields) -> tuple:
    return s("stream", rule, message_id=message, delta=tool(name, state, **fields))


def tool(name: str, state: str, **fields) -> dict:
    return {"type": "tool-pay", "toolCallId": name, "state": state, "input": {"n": 1}, **fields}


def asked(name: str, approval: str) -> list[tuple]:
    return [
        call("a1", name, "input-available"),
        call("a1", name, "approval-requested", approval={"id": approval}),
    ]


def answer(name: str, approval: str, approved: bool) -> dict:
    return tool(name, "approval-responded", approval={"id": approval, "approved": approved})


def history(*messages: str, **fields) -> tuple:
    path = [
        {"id": one, "role": "user" if one[0] == "m" else "assistant", "parts": [{"type": "text", "text": one}]}
        for one in messages
    ]
    return s("chat_history", initialPath=path, chat_id=CHAT, **fields)


def question(request: str, rule: str | None = None, job: str = "j1") -> tuple:
    return s("clarify_request", rule, job_id=job, request_id=request, questions=[{"id": "q1", "text": "Which?"}])


def reply(request: str, rule: str | None = None) -> tuple:
    answers = [{"question_id": "q1", "text": "both"}]
    return c("clarify_response", rule, job_id="j1", request_id=request, answers=answers)


def split(inject: str, user: str, new: str, rule: str | None = None) -> tuple:
    ids = {"job_id": "j1", "inject_id": inject, "message_id": "a1"}
    return s("inject_split", rule, user_message_id=user, new_message_id=new, **ids)


GET = c("get_chat", id=CHAT)
BEGIN = [OPEN, ready(active_job=None), run("m1"), started("j1", "a1")]
AGAIN = [DROP, OPEN]
RESUME = {"message_id": "a1", "parts": [{"type": "text", "text": "Look", "state": "streaming"}]}
ACTIVE = {"active_job": {"job_id": "j1", "message_id": "a1"}}

SCENARIOS = {
    "the handshake of a new chat": [OPEN, ready(active_job=None), GET, history()],
    "a client that begins anew learns the job's id from ready": [
        OPEN, ready(**ACTIVE), GET, history("m1"), s("stream_resume", **RESUME), text("a1", "ing"),
        c("cancel", job_id="j1"), s("cancel", job_id="j1"),
    ],
    "ready says that no job lives: it was completed": [
        *BEGIN, text("a1", "Look"), *AGAIN, ready(active_job=None), GET, history("m1", "a1")
    ],
    "ready says that no job lives, and the history lacks the message: it failed": [
        *BEGIN, text("a1", "Look"), *AGAIN, ready(active_job=None), GET, history("m1")
    ],
    "what was submitted did not come": [
        OPEN, ready(), run("m1"), *AGAIN, ready(active_job=None), GET, history(), run("m1"), started("j1", "a1")
    ],
    "what was submitted came, and is over": [
        OPEN, ready(), run("m1"), *AGAIN, ready(active_job=None), GET, history("m1", "a1"), run("m2")
    ],
    "what was submitted came, and is under way": [
        OPEN, ready(), run("m1"), *AGAIN, ready(**ACTIVE), GET, history("m1"), s("stream_resume", **RESUME),
        text("a1", "ing"), s("done", job_id="j1"),
    ],
    "a history says nothing of a job where ready said nothing": [
        *BEGIN, text("a1", "Look"), *AGAIN, ready(), GET, history("m1")
    ],
    "a history does not replace what is written": [
        *BEGIN, text("a1", "Look"), GET, history("m1", "a1"), text("a1", "ing")
    ],
    "the history of another chat": [OPEN, ready(), s("chat_history", "AC-23", initialPath=[], chat_id="chat_2")],
    "two approvals, answered one after the other": [
        *BEGIN, *asked("c1", "p1"), *asked("c2", "p2"), s("done", job_id="j1"),
        run("a1", parts=[answer("c1", "p1", True), tool("c2", "approval-requested", approval={"id": "p2"})]),
        started("j2", "a1"), s("done", job_id="j2"), run("a1", parts=[answer("c2", "p2", False)]),
        started("j3", "a1"), call("a1", "c2", "output-denied", approval={"id": "p2", "approved": False}),
        call("a1", "c1", "output-available", output=7, approval={"id": "p1", "approved": True}),
        s("done", job_id="j3"),
    ],
    "an approval that is answered already rides along": [
        *BEGIN, *asked("c1", "p1"), *asked("c2", "p2"), s("done", job_id="j1"),
        run("a1", parts=[answer("c1", "p1", True)]), started("j2", "a1"), s("done", job_id="j2"),
        run("a1", "AC-31", parts=[answer("c1", "p1", False)]),
        run("a1", parts=[answer("c1", "p1", False), answer("c2", "p2", True)]),
    ],
    "the service refuses by itself": [
        *BEGIN, *asked("c1", "p1"), call("a1", "c1", "output-denied", approval={"id": "p1", "approved": False}),
        call("a1", "c1", "output-available", "AC-20", output=7), s("done", job_id="j1"),
        run("a1", "AC-31", parts=[answer("c1", "p2", True)]),
    ],
    "an approval id changes": [
        *BEGIN, *asked("c1", "p1"),
        call("a1", "c1", "approval-responded", "AC-21", approval={"id": "p2", "approved": True}),
    ],
    "numbers: what was applied is dropped, a snapshot sets the mark": [
        *BEGIN, text("a1", "L", seq=1), text("a1", "L", seq=1), text("a1", "o", seq=2), text("a1", "x", seq=1),
        *AGAIN, ready(**ACTIVE), GET, history("m1"), s("stream_resume", seq=4, **RESUME), text("a1", "x", seq=4),
        text("a1", "ing", seq=5),
    ],
    "numbers: a snapshot without one clears the mark": [
        *BEGIN, text("a1", "Look", seq=9), *AGAIN, ready(**ACTIVE), GET, history("m1"),
        s("stream_resume", **RESUME), text("a1", "ing", seq=1), text("a1", "!", seq=2),
    ],
    "another client starts a job, and puts a text in": [
        OPEN, ready(active_job=None), started("j1", "a1"), text("a1", "Look"),
        s("inject_ack", job_id="j1", inject_id="i9"),
        split("i9", user="m9", new="a2"),
        text("a1", "x", "AC-27"), text("a2", "ing"), s("done", job_id="j1"),
    ],
    "a second job while one lives": [*BEGIN, started("j2", "a2", "AC-23"), s("done")],
    "a job that ended starts again": [
        *BEGIN, s("done"), started("j1", "a2", "AC-30"), run("m2"), started("j1", "a2", "AC-30")
    ],
    "a job that ended goes on": [*BEGIN, s("done"), s("stream_resume", "AC-30", job_id="j1", **RESUME)],
    "a late error of the job before": [
        *BEGIN, s("done"), run("m2"), s("error", "AC-30", message="late", job_id="j1"), started("j2", "a2")
    ],
    "the answer to a command for a job that ended does not refuse what was submitted": [
        *BEGIN, s("done"), run("m2"), s("error", "AC-30", message="no such job", code="no_such_job", job_id="j1"),
        started("j2", "a2"), s("done", job_id="j2"),
    ],
    "the same question again after a reconnect": [
        *BEGIN, question("r1"), *AGAIN, ready(**ACTIVE), GET, history("m1"), s("stream_resume", **RESUME),
        question("r1"), question("r2", "AC-25"), reply("r1"), reply("r1", "AC-25"),
    ],
    "a question crosses a cancel": [
        *BEGIN, c("cancel", job_id="j1"), question("r1"), reply("r1", "AC-25"), s("cancel", job_id="j1")
    ],
    "a question of another job": [*BEGIN, question("r1", "AC-30", job="j2")],
    "the job ends while a question is open": [*BEGIN, question("r1"), s("done"), reply("r1", "AC-24")],
    "another client cancels": [
        *BEGIN, text("a1", "Look"), s("cancel", job_id="j1"), c("cancel", "AC-24", job_id="j1")
    ],
    "a text while a question is open, and one too late": [
        *BEGIN, question("r1"), c("inject_message", job_id="j1", inject_id="i1", text="more"),
        s("inject_ack", job_id="j1", inject_id="i1"), reply("r1"), c("cancel", job_id="j1"),
        c("inject_message", "AC-26", job_id="j1", inject_id="i2", text="late"), s("cancel"),
    ],
    "a split to messages that are there": [
        *BEGIN, c("inject_message", job_id="j1", inject_id="i1", text="more"),
        s("inject_ack", job_id="j1", inject_id="i1"),
        split("i1", user="m1", new="a2", rule="AC-30"), split("i1", user="m2", new="m2", rule="AC-30"),
    ],
    "cancel names another chat": [*BEGIN, c("cancel", "AC-23", job_id="j1", id="chat_2")],
    "ready says that no job lives, and a text of its message still streams: it failed": [
        *BEGIN, text("a1", "Look"), *AGAIN, ready(active_job=None), GET,
        s("chat_history", chat_id=CHAT, initialPath=[{"id": "a1", "role": "assistant", "parts": RESUME["parts"]}]),
    ],
    "a run branches off an answer: what stood behind it leaves the path": [
        OPEN, ready(), *talk(1), *talk(2), *talk(3, behind="a1")
    ],
    "a run branches off a message of the user": [OPEN, ready(), *talk(1), *talk(2), *talk(3, behind="m2")],
    "a run behind the last message branches off nothing": [OPEN, ready(), *talk(1), *talk(2, behind="a1")],
    "a run branches off a message that left the path, is not there, or is its own": [
        OPEN, ready(), *talk(1), *talk(2), *talk(3, behind="a1"), run("m4", "AC-34", behind="a2"),
        run("m4", "AC-34", behind="m2"), run("m4", "AC-34", behind="m9"), run("m4", "AC-34", behind="m4"),
        *talk(4, behind="a3"),
    ],
    "a run that branches while a job lives": [
        OPEN, ready(), *talk(1), run("m2"), started("j2", "a2"), run("m3", "AC-23", behind="a1"), s("done", job_id="j2")
    ],
    "a continuation branches nowhere": [
        *BEGIN, *asked("c1", "p1"), s("done", job_id="j1"), *talk(2),
        c("run", id=CHAT, message={"id": "a1", "role": "assistant", "parts": [answer("c1", "p1", True)]},
          vaultItems=[], timezone="UTC", parent_id="m1"),
        started("j3", "a1"), s("done", job_id="j3"),
    ],
    "a history shows another branch": [
        OPEN, ready(), *talk(1), *talk(2), *talk(3, behind="a1"), GET, history("m1", "a1", "m2", "a2")
    ],
    "the branch that failed is submitted again": [
        OPEN, ready(), *talk(1), *talk(2), run("m3", behind="a1"), s("error", message="no", code="internal"),
        *talk(3, behind="a1"),
    ],
}

STEP = '{"type":"stream","message_id":"a","delta":{"type":"step-start"},"seq":%s}'
DATED = '{"id":"m","role":"assistant","parts":[],"created_at":"%s"}'
ANSWER = '{"question_id":"q","option_ids":[""]}'
FRAMES = [
    ("s2c", STEP % (2**64 - 1), None, "the largest number"),
    ("s2c", STEP % 2**64, "AC-04", "a number too large"),
    ("s2c", STEP % "1.0", None, "1.0 is whole"),
    ("s2c", STEP % "1.5", "AC-04", "1.5 is not"),
    ("part", '{"type":"data-x","id":"","data":null}', None, "the id of data is any text"),
    (
        "c2s", '{"type":"clarify_response","data":{"job_id":"j","request_id":"r","answers":[%s]}}' % ANSWER, "AC-06",
        "an empty option id",
    ),
    ("message", DATED % "2026-02-29T00:00:00Z", "AC-04", "no leap year"),
    ("message", DATED % "2024-02-29t23:59:60.5z", None, "a leap day, a leap second, small letters"),
    ("part", '{"type":"data-x","data":{"\\u00e9":1,"e\\u0301":2}}', None, "keys that only look alike"),
    ("part", '{"type":"data-x","data":' + "[" * 127 + "]" * 127 + "}", None, "128 levels"),
    ("part", '{"type":"data-x","data":' + "[" * 128 + "]" * 128 + "}", "AC-01", "129 levels"),
    ("c2s", "{}", "AC-02", "the word of a client that is there is no command"),
]


def trace(number: int, comment: str, events: list[tuple]) -> dict:
    chat, own = Chat(CHAT), set()
    states, violations, written = [], [], []
    for at, (source, frame, *rule) in enumerate(events):
        broken = None
        try:
            if source == "X":
                getattr(chat, frame)()
            elif source == "C":
                codec.command(frame, "strict")
                if frame["type"] == "run" and frame["data"]["message"]["role"] == "user":
                    own.add(frame["data"]["message"]["id"])
                chat.command(numbered(frame))
            else:
                chat.message(codec.server_message(numbered(frame), "strict"))
        except Violation as violation:
            broken = violation.rule
        expected = rule[0] if rule else None
        if broken != expected:
            raise AssertionError(f"{comment}, event {at}: {broken}, not {expected}")
        if broken:
            violations.append({"at": at, "rule": [broken]})
        states.append(chat.job)
        written.append({"from": source, "event": frame} if source == "X" else {"from": source, "msg": frame})
    held = {one: message["parts"] for one, message in chat.messages.items() if one not in own}
    end = {"connection": chat.connection, "job": chat.job, "messages": held, "path": chat.path}
    if chat.current:
        end["current"] = chat.current
    return {
        "id": f"o{number:03}", "comment": comment, "chat": CHAT, "events": written, "job_states": states,
        "violations": violations, "end": end,
    }


def numbered(frame: dict) -> dict:
    """The frame as it is read: numbers keep their spelling."""
    return read(json.dumps(frame).encode())


def decoded(number: int, direction: str, raw: str, rule: str | None, comment: str) -> dict:
    for mode in ("strict", "conformant"):
        try:
            codec.decode(direction, raw.encode(), mode)
            broken = None
        except Violation as violation:
            broken = violation.rule
        if broken != rule:
            raise AssertionError(f"{comment}: {broken}, not {rule}")
    verdict = [rule] if rule else "valid"
    return {
        "id": f"p{number:03}", "comment": comment, "dir": direction, "raw": raw, "strict": verdict,
        "conformant": verdict,
    }


def files() -> dict[str, str]:
    """The texts of all files by name."""
    traces = [trace(number, comment, events) for number, (comment, events) in enumerate(SCENARIOS.items(), 1)]
    frames = [decoded(number, *frame) for number, frame in enumerate(FRAMES, 1)]
    return {"trace.json": document("trace", traces), "decode.json": document("decode", frames)}


def document(kind: str, cases: list[dict]) -> str:
    lines = ",\n".join(json.dumps(one, separators=(",", ":"), default=lambda number: int(number.text)) for one in cases)
    return f'{{"schema": "agent-chat-vectors/1", "kind": "{kind}", "cases": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    for name, content in files().items():
        (Path(sys.argv[1]) / name).write_text(content)
