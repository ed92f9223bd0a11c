"""SDS and SDS-R as one participant of a channel lives them (Specs/sds.md): what `sds` delivers, and beside it what
is acknowledged, sent again, asked for and answered, and when.

Times are milliseconds. When a sync message is sent is each participant's own choice within bounds (SDS-12): here it
is due when the last moment has come, and `is_sync_certain` says whether another choice could differ.

>>> saro, raya = Member("c", "saro", 0), Member("c", "raya", 0)
>>> lost, second = saro.send(1000, "a1", b"1").messages[0], saro.send(2000, "a2", b"2").messages[0]
>>> raya.receive(2000, second.data).missing
['a1']
>>> [(again.why, again.message_id) for again in saro.wake(7000).messages]
[('again', 'a1'), ('again', 'a2')]
>>> [message["message_id"] for message, _ in raya.receive(7000, lost.data).delivered]
['a1', 'a2']
"""

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

from . import bloom, sds
from .messages import SdsMessage
from .refusal import Refused, require

SECOND, DAY = 1_000, 86_400_000
LONGEST_PAUSE, POSSIBLE_FACTOR = 600 * SECOND, 4  # SDS-11
BURST, GIVE_UP, LOST = 32, 7 * DAY, DAY  # SDSR-06, SDS-11, SDS-10
SYNC_ID, SYNC_PAUSE, LONGEST_SYNC = "sync", 30 * SECOND, 3_600 * SECOND  # SDS-12
PATIENCE, FEW_AFTER, ONE_AFTER, FEW = 64, 512, 1_024, 8  # SDS-R8, SDS-R9
MOST_ASKED = 64  # SDS-R11
MAX_CLOCK, MAX_FOLLOWED = 2**63 - 1, 2**62 - 1  # SDS-R4
MAX_ENTRIES, MAX_TEXT, MAX_HINT = 200, 255, 128  # SDS-R3


def joined_hash(*texts: str) -> int:
    """H of SDS-R."""
    return int.from_bytes(hashlib.sha256("".join(texts).encode()).digest()[:8], "big")


def request_delay(own: str, message_id: str, shortest: int = 30_000, longest: int = 300_000) -> int:
    """SDSR-05: how long a participant waits before it asks.

    >>> request_delay("bob", "4e03657a")
    293449
    """
    return joined_hash(own, message_id) % (longest - shortest) + shortest


def answer_delay(own: str, sender: str, message_id: str, longest: int = 300_000) -> int:
    """SDSR-06: how long a participant waits before it answers.

    >>> answer_delay("bob", "alice", "4e03657a"), answer_delay("alice", "alice", "4e03657a")
    (75290, 0)
    """
    return (joined_hash(own) ^ joined_hash(sender)) * joined_hash(message_id) % longest


def groups(participants: int) -> int:
    """SDSR-06: how many groups there are, of which one answers."""
    return participants // 128 + 1


@dataclass(frozen=True)
class Settings:
    """What a conversation type fixes."""

    history: int = 2
    frontier: int = 8
    filter: bloom.Size | None = bloom.STANDARD
    acknowledges_ancestors: bool = False
    presumed: int | None = 2  # filters
    first_pause: int = 5_000
    doubles_while_heard: bool = True
    window: int = 16
    at_once: int = 16
    acknowledge: int = 1_000
    shortest: int = 30_000
    longest: int = 300_000
    requests: int = 3
    answers_for_others: bool = True
    names_senders: bool = True
    joins_late: bool = False


class Sent(NamedTuple):
    """A message to be sent to all: `new`, `again` or `sync`."""

    why: str
    message_id: str
    data: bytes


@dataclass
class Step:
    """What came of one step."""

    messages: list[Sent] = field(default_factory=list)
    delivered: list[tuple[dict, str | None]] = field(default_factory=list)  # if it came late, behind what, else None
    ephemeral: list[bytes] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    possibly_acknowledged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)


class Member(sds.Channel):
    """One participant. A refusal changes nothing."""

    KEPT = (  # all there is beside messages that wait
        "lamport", "log", "senders", "sent", "missing", "given_up", "ends", "repeats", "turn", "kept", "in_filter",
        "heard", "sync", "quiet", "owes", "first", "seen", "away", "grace", "vain", "gone", "asked",
    )

    def __init__(self, channel_id: str, sender_id: str, now: int, settings: Settings = Settings(),
                 participants: int = 2):
        super().__init__(channel_id, sender_id, now, settings.history)
        self.settings, self.participants = settings, participants
        self.senders: dict[str, str] = {}  # of the messages in the log
        self.sent: dict[str, dict] = {}  # own messages that nobody acknowledged, oldest first
        self.missing: dict[str, dict] = {}
        self.given_up: list[str] = []
        self.ends: list[str] = []  # SDS-R1
        self.repeats: list[str] = []
        self.turn = 0
        self.kept: dict[str, dict] = {}  # SDSR-03
        self.in_filter: list[str] = []
        self.heard: int | None = None
        self.sync: list[int] | None = None  # between when and when a sync message is due
        self.quiet, self.owes = 0, False
        self.first = now  # the clock with which this participant joined
        self.seen, self.away, self.grace = now, 0, 0  # SDS-R10
        self.vain = 0  # SDS-R9: copies since something was last acknowledged
        self.gone: list[str] = []  # SDS-R11: own messages that were given up, and what was asked for in vain
        self.asked: list[str] = []

    # sending

    def send(self, now: int, message_id: str, content: bytes, clock: int = 0) -> Step:
        """SDS-04, SDS-05. The clock of the message is at least `clock`."""
        require(message_id not in self.waiting and not self._is_in_log(message_id), "invalid_state", "an id in use")
        self._pass(now)
        data, lamport, named = self._write(now, message_id, content, clock)
        self.sent[message_id] = {
            "data": data, "named": named, "at": now, "due": now + self.settings.first_pause, "tries": 0, "again": None,
            "hits": 0, "away": self.away, "sends": 0,
        }
        self._enter(lamport, message_id, self.sender_id, named)
        self._add_to_filter(message_id)
        self.quiet = 0
        self._rest(now)
        return Step([Sent("new", message_id, data)])

    def _write(
        self, now: int, message_id: str, content: bytes | None = None, clock: int = 0
    ) -> tuple[bytes, int, list[str]]:
        """An encoded message with history, filter and requests as they are now; its clock, and what it names."""
        lamport, named = max(now, clock, self.lamport + 1), self._history()
        gone = self._gone(named)
        requests = self._due_requests(now)[: max(1, self.settings.requests - len(gone))]
        history = [
            {"message_id": known} | ({"sender_id": self.senders[known]} if self.settings.names_senders else {})
            for known in named
        ]
        message = {
            "sender_id": self.sender_id, "message_id": message_id, "channel_id": self.channel_id,
            "lamport_timestamp": lamport, "causal_history": history,
            "repair_request": [self.missing[known]["entry"] for known in requests],
            "gone": [{"message_id": known} for known in gone],
        }
        if self.settings.filter is not None:
            message["bloom_filter"] = bloom.write(self.in_filter, self.settings.filter)
        data = SdsMessage.encode(message | ({"content": content} if content is not None else {}))
        self.lamport = lamport
        self.asked = [known for known in self.asked if known not in gone]
        for known in requests:
            entry = self.missing[known]
            entry["tries"] += 1
            entry["request"] = now + min(self.settings.longest * 2 ** min(entry["tries"], 16), self._patience(now))
        return data, lamport, named

    def _gone(self, named: list[str]) -> list[str]:
        """SDS-R11: what it names and was given up, and what was asked for in vain."""
        gone = [known for known in named if known in self.gone and known not in self.kept]
        return (gone + [known for known in self.asked if known not in gone])[: max(10, self.settings.requests)]

    def _patience(self, now: int) -> int:
        """SDSR-05: who was heard a moment ago is there, and is asked again soon."""
        pause = self.settings.first_pause
        is_there = self.heard is not None and now < self.heard + 4 * pause
        return pause if not self.settings.doubles_while_heard and is_there else LONGEST_PAUSE

    def _history(self) -> list[str]:
        """SDS-04: the end of the log, ends of the causal order, and what came again, in the order of the log."""
        order = [known for _, known in self.log]
        named = order[-self.settings.history :]
        ends = [known for known in self.ends if known not in named]
        count = self.settings.frontier
        if len(ends) > count:
            more = self._part(ends, count)
        else:
            repeats = [known for known in self.repeats if known not in named]
            more = ends + (self._part(repeats, count - len(ends)))
        return sorted({*named, *more}, key=order.index)

    def _part(self, known: list[str], count: int) -> list[str]:
        if len(known) <= count:
            return known
        part = [known[(self.turn + i) % len(known)] for i in range(count)]
        self.turn += count
        return part

    def _due_requests(self, now: int) -> list[str]:
        """SDSR-05, those due longest first, and of those due at one time the first of the ids."""
        due = [(entry["request"], known.encode()) for known, entry in self.missing.items() if entry["request"] <= now]
        return [known.decode() for _, known in sorted(due)][: self.settings.requests]

    # receiving

    def receive(self, now: int, data: bytes, sender: str | None = None) -> Step:
        """Takes a message, which `sender` has sent if the layer below knows."""
        message = SdsMessage.decode(data)
        self._check(message, sender)
        step, message_id = Step(), message["message_id"]
        if message["sender_id"] == self.sender_id:
            return step  # SDS-06
        if "lamport_timestamp" not in message:
            step.ephemeral += [message["content"]] if message.get("content") else []
            return step  # SDS-14
        content = message.get("content")
        is_known = bool(content) and (message_id in self.waiting or self._is_in_log(message_id))
        self._pass(now)
        self._hear(now)
        self._acknowledge(message, step)
        if message_id in self.kept:
            self.kept[message_id] |= {"at": None, "answered": now}
        self._answer(now, message.get("repair_request", []), step)
        self._take_gone(message, step)
        self._note_missing(now, message, step)
        if not content:
            covers = self.log and self.log[-1][1] in self._named(message)
            if self.participants > 2 and covers:
                self._rest(now)  # SDS-13
            return step
        self._owe(now, is_new=not is_known)
        if is_known:
            if self._is_in_log(message_id) and message_id not in self.ends + self.repeats:
                self.repeats.append(message_id)
            return step
        self._add_to_filter(message_id)
        self.missing.pop(message_id, None)
        self.waiting[message_id] = message
        self._deliver(step)
        return step

    def _check(self, message: dict, sender: str | None) -> None:
        """SDS-R3, SDS-R4, PV1-12."""
        message_id, named = message.get("message_id", ""), message.get("sender_id", "")
        lists = [message.get(name, []) for name in ("causal_history", "repair_request", "gone")]
        entries = [entry for one in lists for entry in one]
        require(max(map(len, lists)) <= MAX_ENTRIES, "too_large", f"more than {MAX_ENTRIES} entries")
        texts = [message.get("channel_id", ""), message_id, named] + [
            entry.get(name, "") for entry in entries for name in ("message_id", "sender_id")]
        require(all(len(text.encode()) <= MAX_TEXT for text in texts), "too_large", f"a text of more than {MAX_TEXT}")
        hints = [entry.get("retrieval_hint", b"") for entry in entries]
        require(all(len(hint) <= MAX_HINT for hint in hints), "too_large", f"a hint of more than {MAX_HINT} bytes")
        require(message.get("channel_id", "") == self.channel_id, "foreign", "another channel")
        require(message_id != "" and named != "", "malformed", "a message without sender or id")
        require(sender in (None, named), "authentication_failed", "another sender than the layer below says")
        require(message.get("lamport_timestamp", 0) <= MAX_CLOCK, "malformed", "a clock beyond the end")
        for entry in message.get("causal_history", []):
            require(entry.get("message_id", "") not in ("", message_id), "malformed", "an entry without id, or itself")
        known = self.senders.get(message_id) or self.waiting.get(message_id, {}).get("sender_id")
        is_other = known not in (None, named) and message.get("content") and "lamport_timestamp" in message
        require(not is_other, "invalid_state", "the id of another sender's message")

    @staticmethod
    def _named(message: dict) -> list[str]:
        return [entry["message_id"] for entry in message.get("causal_history", [])]

    def _open(self, message: dict) -> list[dict]:
        """SDS-07: what of a history is waited for; nothing that precedes a late joining, no own messages."""
        if self.settings.joins_late and message["lamport_timestamp"] <= self.first:
            return []  # SDS-R12
        return [
            entry for entry in message.get("causal_history", [])
            if not self._is_past(entry["message_id"]) and entry["message_id"] not in self.sent
            and entry.get("sender_id") != self.sender_id
        ]

    def _pass(self, now: int) -> None:
        """SDS-R10: more time without a step than any pause has is an absence, which does not count."""
        time, self.seen = now - self.seen, max(now, self.seen)
        if time <= 2 * LONGEST_SYNC:
            return
        self.away += time
        for number, sent in enumerate(self.sent.values()):
            due = now if number < self.settings.at_once else now + self.settings.first_pause
            sent["due"] = min(sent["due"], due)
            sent["tries"] = 0 if sent["sends"] < PATIENCE else sent["tries"]
        self.grace = now + LONGEST_PAUSE
        for entry in self.missing.values():
            entry["lost"] = max(self.grace, entry["noticed"] + LOST)

    def _take_gone(self, message: dict, step: Step) -> None:
        """SDS-R11, of what is missing or what the message itself names."""
        named = {entry["message_id"]: entry for entry in message.get("causal_history", [])}
        for gone in message.get("gone", []):
            message_id = gone.get("message_id", "")
            known = self.missing.get(message_id, {}).get("entry") or named.get(message_id)
            if known is None or self._is_past(message_id) or message_id in self.waiting:
                continue
            sender = known.get("sender_id") or named.get(message_id, {}).get("sender_id")
            if self.settings.answers_for_others and sender != message["sender_id"]:
                continue
            self.missing.pop(message_id, None)
            self.given_up.append(message_id)
            if "retrieval_hint" not in gone:  # else it comes in other messages
                step.lost.append(message_id)
            self._deliver(step)

    def _hear(self, now: int) -> None:
        """SDS-11: after a silence nothing waits longer than at first."""
        if self.heard is None or self.heard + 2 * SYNC_PAUSE <= now:
            for sent in self.sent.values():
                sent["tries"] = 0 if sent["sends"] < PATIENCE else sent["tries"]
                sent["due"] = min(sent["due"], now + self.settings.first_pause)
        self.heard = now

    def _acknowledge(self, message: dict, step: Step) -> None:
        """SDS-09."""
        named = self._named(message)
        while named:
            message_id = named.pop()
            if message_id in self.sent:
                named += self.sent[message_id]["named"] if self.settings.acknowledges_ancestors else []
                step.acknowledged.append(message_id)
                self._retire(message_id)
                self.vain = 0
        try:
            fields = bloom.read(message.get("bloom_filter", b""))
        except Refused:
            return  # SDS-R6
        if not bloom.is_saturated(fields):
            for message_id, sent in self.sent.items():
                if bloom.contains(fields, message_id):
                    sent["hits"] += 1
                    if sent["hits"] == 1:
                        step.possibly_acknowledged.append(message_id)
                        self.vain = 0

    def _retire(self, message_id: str) -> None:
        sent = self.sent.pop(message_id)
        if self.participants > 2 or not self.settings.acknowledges_ancestors:
            self.kept[message_id] = {"data": sent["data"], "at": None, "answered": None}

    def _answer(self, now: int, requests: list[dict], step: Step) -> None:
        """SDSR-06."""
        for request in requests[:BURST]:
            message_id = request.get("message_id", "")
            if self._is_asked_in_vain(message_id, request.get("sender_id")):
                self.asked += [message_id] if message_id not in self.asked and len(self.asked) < MOST_ASKED else []
                self._owe(now, is_new=False, pause=self.settings.acknowledge)
                continue
            if message_id in self.missing:
                entry = self.missing[message_id]
                entry["request"] = max(entry["request"], now + self.settings.longest)
            if message_id in self.sent:
                again = self.sent[message_id]["again"]
                if again is None or now >= again + SECOND:
                    self._send_again(now, message_id, step)
            elif message_id in self.kept:
                sender = self.senders[message_id]
                if sender == self.sender_id or self.settings.answers_for_others:
                    self._plan(now, message_id, sender)

    def _is_asked_in_vain(self, message_id: str, sender: str | None) -> bool:
        """SDS-R11: nobody but this participant could send it, and it cannot."""
        if message_id in self.sent or message_id in self.kept or message_id in self.missing:
            return False
        return not self.settings.answers_for_others or self.senders.get(message_id, sender) == self.sender_id

    def _plan(self, now: int, message_id: str, sender: str) -> None:
        count, entry = groups(self.participants), self.kept[message_id]
        if joined_hash(self.sender_id, message_id) % count != joined_hash(sender, message_id) % count:
            return
        is_recent = entry["answered"] is not None and now < entry["answered"] + self.settings.first_pause
        if entry["at"] is None and not is_recent:
            entry["at"] = now + answer_delay(self.sender_id, sender, message_id, self.settings.longest)

    def _note_missing(self, now: int, message: dict, step: Step) -> None:
        """SDS-10, SDSR-05."""
        for entry in self._open(message):
            known = entry["message_id"]
            if known in self.waiting or known in self.missing:
                continue
            request = self._request_time(now, known)
            self.missing[known] = {"entry": entry, "noticed": now, "lost": now + LOST, "request": request, "tries": 0}
            step.missing.append(known)

    def _request_time(self, now: int, message_id: str) -> int:
        """SDSR-05; where everybody waits equally long, what is noticed together is asked for together."""
        shortest, longest = self.settings.shortest, self.settings.longest
        if shortest == longest:
            return -(-(now + shortest) // shortest) * shortest
        return now + request_delay(self.sender_id, message_id, shortest, longest)

    def _is_past(self, message_id: str) -> bool:
        return self._is_in_log(message_id) or message_id in self.given_up

    def _has_causal_past(self, message: dict) -> bool:
        return not self._open(message)

    def _deliver(self, step: Step) -> None:
        """SDS-07, SDS-08: what waits for nothing any more, earliest first."""
        while ready := [message for message in self.waiting.values() if self._has_causal_past(message)]:
            message = min(ready, key=lambda m: (m["lamport_timestamp"], m["message_id"]))
            lamport, message_id = message["lamport_timestamp"], message["message_id"]
            del self.waiting[message_id]
            self.given_up = [known for known in self.given_up if known != message_id]
            if lamport <= MAX_FOLLOWED:
                self.lamport = max(self.lamport, lamport)
            self._enter(lamport, message_id, message["sender_id"], self._named(message))
            place = self.log.index((lamport, message_id))
            is_last = place == len(self.log) - 1
            behind = None if is_last else self.log[place - 1][1] if place else ""
            step.delivered.append((message, behind))
            if self.settings.answers_for_others:
                self.kept[message_id] = {"data": SdsMessage.encode(message), "at": None, "answered": None}

    # time

    def wake(self, now: int) -> Step:
        """SDS-10 to SDS-12, SDSR-05, SDSR-06."""
        step = Step()
        self._pass(now)
        over = [(entry["lost"], known.encode()) for known, entry in self.missing.items() if entry["lost"] <= now]
        for known in [known.decode() for _, known in sorted(over)]:
            del self.missing[known]
            self.given_up.append(known)
            step.lost.append(known)
            self._deliver(step)
        for message_id in [known for known, sent in self.sent.items() if self._is_over(sent, now)]:
            is_presumed = self._is_presumed(self.sent[message_id])
            (step.acknowledged if is_presumed else step.gave_up).append(message_id)
            self._retire(message_id)
            self.gone += [] if is_presumed else [message_id]
        window = 1 if self.vain >= ONE_AFTER else FEW if self.vain >= FEW_AFTER else self.settings.window
        window = min(window, self.settings.window)
        oldest = [known for known, sent in self.sent.items() if not self._is_presumed(sent)][:window]
        for message_id in [known for known in oldest if self._due(self.sent[known]) <= now][:BURST]:
            self._send_again(now, message_id, step)
        planned = [(entry["at"], known) for known, entry in self.kept.items() if entry["at"] is not None]
        for _, message_id in [plan for plan in sorted(planned) if plan[0] <= now][:BURST]:
            self.kept[message_id] |= {"at": None, "answered": now}
            step.messages.append(Sent("again", message_id, self.kept[message_id]["data"]))
        if self._due_requests(now) or (self.sync is not None and self.sync[1] <= now):
            step.messages.append(Sent("sync", SYNC_ID, self._write(now, SYNC_ID)[0]))
            self.quiet += 1
            self._rest(now)
        return step

    def _is_over(self, sent: dict, now: int) -> bool:
        """SDS-11, SDS-R10."""
        return now >= self.grace and now - sent["at"] - (self.away - sent["away"]) >= GIVE_UP

    def _is_presumed(self, sent: dict) -> bool:
        """SDS-09."""
        return self.settings.presumed is not None and sent["hits"] >= self.settings.presumed

    def _due(self, sent: dict) -> int:
        """SDS-11: when a message is sent again."""
        last = sent["at"] if sent["again"] is None else sent["again"]
        is_heard = self.heard is not None and self.heard > last and sent["sends"] < PATIENCE
        if self.settings.doubles_while_heard or not is_heard:
            return sent["due"]
        return min(sent["due"], last + self.settings.first_pause * (POSSIBLE_FACTOR if sent["hits"] else 1))

    def is_sync_certain(self, now: int) -> bool:
        """Whether every choice of SDS-12 gives the same now."""
        return self.sync is None or not self.sync[0] <= now < self.sync[1] or bool(self._due_requests(now))

    def _send_again(self, now: int, message_id: str, step: Step) -> None:
        sent = self.sent[message_id]
        sent["tries"], sent["sends"], self.vain = sent["tries"] + 1, sent["sends"] + 1, self.vain + 1
        pause = self.settings.first_pause * 2 ** min(sent["tries"], 16) * (POSSIBLE_FACTOR if sent["hits"] else 1)
        sent["again"], sent["due"] = now, now + min(pause, LONGEST_PAUSE)
        step.messages.append(Sent("again", message_id, sent["data"]))

    def _rest(self, now: int) -> None:
        pause = min(SYNC_PAUSE * 2 ** min(self.quiet, 16), LONGEST_SYNC)
        self.owes, self.sync = False, [now + pause // 2, now + pause]

    def _owe(self, now: int, is_new: bool, pause: int | None = None) -> None:
        self.quiet = 0 if is_new else self.quiet
        if not self.owes:
            pause = pause or self.settings.acknowledge * (4 if self.participants > 2 else 1)
            bounds = [now + pause // 2, now + pause]
            self.owes, self.sync = True, bounds if self.sync is None else list(map(min, self.sync, bounds))

    # the log

    def _enter(self, lamport: int, message_id: str, sender: str, named: list[str]) -> None:
        self.log.append((lamport, message_id))
        self.log.sort()
        self.senders[message_id] = sender
        self.ends = [known for known in self.ends if known not in named] + [message_id]
        self.repeats = [known for known in self.repeats if known not in named]

    def _add_to_filter(self, message_id: str) -> None:
        """The filter begins anew when it is full."""
        size = self.settings.filter
        if size is not None and len(self.in_filter) >= size.capacity:
            self.in_filter = [known for _, known in self.log[-(size.capacity // 2) :]]
            self.in_filter += sorted(self.waiting)[: size.capacity // 4]
        self.in_filter.append(message_id)

    def state(self) -> dict:
        """Everything, as JSON has it."""
        waiting = [SdsMessage.encode(message) for message in self.waiting.values()]
        return to_json({name: getattr(self, name) for name in self.KEPT} | {"waiting": waiting})

    def restore(self, state: dict) -> None:
        """Reads what `state` gave; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        state = from_json(state)
        for name in self.KEPT:
            setattr(self, name, state[name])
        self.log = [(int(lamport), str(known)) for lamport, known in self.log]
        self.waiting = {message["message_id"]: message for message in map(SdsMessage.decode, state["waiting"])}


def to_json(value: object) -> object:
    """Bytes become objects with their hex."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {key: to_json(inner) for key, inner in value.items()}
    return [to_json(inner) for inner in value] if isinstance(value, list | tuple) else value


def from_json(value: object) -> object:
    """The reverse."""
    if isinstance(value, dict):
        if set(value) == {"hex"}:
            return bytes.fromhex(value["hex"])
        return {key: from_json(inner) for key, inner in value.items()}
    return [from_json(inner) for inner in value] if isinstance(value, list) else value
