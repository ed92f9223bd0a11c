"""Values of the protocol (sections 3 to 6): objects are closed, and lenient readers drop what they do not know.

>>> decode("common/Role", "user")
'user'
>>> decode("common/TextContent", {"type": "text", "text": "hi", "mood": 1}, "lenient")
{'type': 'text', 'text': 'hi'}
>>> decode("common/TextContent", {"type": "text", "text": "hi", "mood": 1})
Traceback (most recent call last):
chatspec.chat_engine.Violation: CE-05: mood is not known here
"""

import json
import re
from calendar import monthrange
from typing import Any, Callable

from . import Violation

Reader = Callable[[Any, str], Any]

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ENTITY = r"gts\.hyperspot\.chat_engine\.entities\.%s\.v[0-9]+~" + UUID
SESSION_TYPE = r"gts\.hyperspot\.chat_engine\.session_types\.[a-z0-9_]+\.v[0-9]+(\.[0-9]+)*~"
PATTERNS = {
    "uuid": UUID, "session": ENTITY % "session", "message": ENTITY % "message", "session_type": SESSION_TYPE,
}
MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
LARGEST = 2**53 - 1
MAXIMUM_LINE = 10 * 2**20
MAXIMUM_DEPTH = 128


# Texts (CE-01).

def read(text: bytes) -> dict:
    """One JSON object in UTF-8, without a key twice."""
    if len(text) > MAXIMUM_LINE:
        raise Violation("CE-02", "is too long")
    try:
        value = json.loads(
            text.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse, parse_int=_integer
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Violation("CE-01", str(error)) from None
    if not isinstance(value, dict):
        raise Violation("CE-01", "is no object")
    if _depth(value) > MAXIMUM_DEPTH:
        raise Violation("CE-01", "is too deep")
    _no_surrogates(value)
    return value


def _object(pairs: list) -> dict:
    if len(dict(pairs)) != len(pairs):
        raise Violation("CE-01", "a key comes twice")
    return dict(pairs)


def _refuse(word: str) -> None:
    raise Violation("CE-01", f"{word} is no JSON")


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) < 400 else float("inf")


def _depth(value: Any) -> int:
    """How many objects and lists stand in one another."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, (dict, list))]:
        depth += 1
        level = [part for one in level for part in _parts(one)]
    return depth


def _parts(value: Any) -> list:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _no_surrogates(value: Any) -> None:
    """An escape of half a pair is no character."""
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise Violation("CE-01", "half a surrogate pair") from None
    for key in value if isinstance(value, dict) else ():
        _no_surrogates(key)
    for part in _parts(value):
        _no_surrogates(part)


# Readers of single values.

def text(least: int = 0, rule: str = "CE-04") -> Reader:
    def reader(value: Any, mode: str) -> str:
        if not isinstance(value, str):
            raise Violation("CE-04", "is no text")
        if len(value) < least:
            raise Violation(rule, "is too short")
        return value

    return reader


def url(value: Any, mode: str) -> str:
    if not re.match("https?://", text()(value, mode)):
        raise Violation("CE-04", "is no URL")
    return value


def truth(value: Any, mode: str) -> bool:
    if not isinstance(value, bool):
        raise Violation("CE-04", "is neither true nor false")
    return value


def always(value: Any, mode: str) -> bool:
    if value is not True:
        raise Violation("CE-14", "is not true")
    return value


def whole(low: int, high: int = LARGEST, rule: str = "CE-04") -> Reader:
    def reader(value: Any, mode: str) -> int:
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not good or value != value or value in (float("inf"), float("-inf")) or value != int(value):
            raise Violation(rule, "is no whole number")
        if not low <= value <= high:
            raise Violation(rule, f"is not from {low} to {high}")
        return int(value)

    return reader


def duration(value: Any, mode: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise Violation("CE-11", "is no number of 0 or more")
    return value


def word(*words: str) -> Reader:
    def reader(value: Any, mode: str) -> str:
        if text()(value, mode) not in words:
            raise Violation("CE-07", f"is none of {words}")
        return value

    return reader


def identifier(kind: str) -> Reader:
    def reader(value: Any, mode: str) -> str:
        bare = mode == "uuidIds" and re.fullmatch(UUID, text()(value, mode))
        if not bare and not re.fullmatch(PATTERNS[kind], text()(value, mode)):
            raise Violation("CE-06", f"is no id of a {kind}")
        return value

    return reader


def moment(value: Any, mode: str) -> str:
    """RFC 3339, with an offset; second 60 only as the last of a day of UTC."""
    match = MOMENT.fullmatch(text()(value, mode))
    if not match:
        raise Violation("CE-08", "is no moment")
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    offset = 0 if match[9] is None else (int(match[10]) * 60 + int(match[11])) * (1 if match[9] == "+" else -1)
    known_year = year if year else 2000  # year 0 is a leap year too
    good = 1 <= month <= 12 and hour < 24 and minute < 60 and second <= 60
    if match[9]:
        good = good and int(match[10]) < 24 and int(match[11]) < 60
    if not good or not 1 <= day <= monthrange(known_year, month)[1]:
        raise Violation("CE-08", "is no moment that exists")
    if second == 60 and (hour * 60 + minute - offset) % 1440 != 1439:
        raise Violation("CE-08", "is no leap second")
    return value


def nullable(reader: Reader) -> Reader:
    return lambda value, mode: None if value is None else reader(value, mode)


def several(reader: Reader, least: int = 0, rule: str = "CE-04") -> Reader:
    def read_all(value: Any, mode: str) -> list:
        if not isinstance(value, list):
            raise Violation("CE-04", "is no list")
        if len(value) < least:
            raise Violation(rule, "is empty")
        return [reader(one, mode) for one in value]

    return read_all


def anything(value: Any, mode: str) -> dict:
    if not isinstance(value, dict):
        raise Violation("CE-04", "is no object")
    return value


def under(rule: str, reader: Reader, but: tuple = ("CE-05",)) -> Reader:
    """What a reader refuses breaks another rule, with exceptions."""
    def renamed(value: Any, mode: str) -> Any:
        try:
            return reader(value, mode)
        except Violation as violation:
            if violation.rule in but:
                raise
            raise Violation(rule, str(violation)) from None

    return renamed


def closed(**fields: Reader) -> Reader:
    """An object of these fields; a name that ends in `_` may be absent."""
    names = {name.rstrip("_"): (reader, name.endswith("_")) for name, reader in fields.items()}

    def reader(value: Any, mode: str) -> dict:
        anything(value, mode)
        if mode != "lenient":
            for name in value:
                if name not in names:
                    raise Violation("CE-05", f"{name} is not known here")
        for name, (_, optional) in names.items():
            if name not in value and not optional:
                raise Violation("CE-14" if names[name][0] is always else "CE-04", f"{name} is missing")
        return {name: names[name][0](value[name], mode) for name in value if name in names}

    return reader


# Section 4.

KINDS = {"text": "text", "code": "code", "image": "image_id", "audio": "audio_id", "video": "video_id",
         "document": "document_id"}
SESSION, MESSAGE, TYPE = identifier("session"), identifier("message"), identifier("session_type")
FILE = identifier("uuid")
ROLE = word("user", "assistant", "system")
KIND = word(*KINDS)
CODES = ("AUTH_REQUIRED", "SESSION_NOT_FOUND", "MESSAGE_NOT_FOUND", "INVALID_REQUEST", "BACKEND_TIMEOUT",
         "BACKEND_ERROR", "RATE_LIMIT_EXCEEDED", "INTERNAL_ERROR")
CODE = word(*CODES)
REACTION = word("like", "dislike", "none")
STATUSES = dict(zip(CODES, (401, 404, 404, 400, 504, 502, 429, 500)))


def mime(kind: str) -> Reader:
    def reader(value: Any, mode: str) -> str:
        if not text()(value, mode).startswith(kind + "/"):
            raise Violation("CE-11", f"is no type of {kind}")
        return value

    return reader


PARTS = {
    "text": closed(type=KIND, text=text(1)),
    "code": closed(type=KIND, code=text(1), language_=text()),
    "image": closed(type=KIND, image_id=FILE, mime_type_=mime("image")),
    "audio": closed(type=KIND, audio_id=FILE, mime_type_=mime("audio"), duration_seconds_=duration),
    "video": closed(type=KIND, video_id=FILE, mime_type_=mime("video"), duration_seconds_=duration),
    "document": closed(type=KIND, document_id=FILE, mime_type_=text(), filename_=text(1)),
}


def part(value: Any, mode: str) -> dict:
    kind = KIND(anything(value, mode).get("type"), mode)
    for other, payload in KINDS.items():
        if other != kind and payload in value:
            raise Violation("CE-11", f"{payload} is not for {kind}")
    return PARTS[kind](value, mode)


PART = under("CE-11", part)


def usage(value: Any, mode: str, may_lack_total: bool = False) -> dict:
    count = whole(0)
    fields = {"input_tokens": count, "output_tokens": count}
    read_counts = closed(**fields, **{"total_tokens_" if may_lack_total else "total_tokens": count})
    counts = under("CE-15", read_counts)(value, mode)
    total = counts["input_tokens"] + counts["output_tokens"]
    if counts.get("total_tokens", total) != total:
        raise Violation("CE-15", "is not the sum")
    return counts


def metadata(value: Any, mode: str, may_lack_total: bool = False) -> dict:
    """Open; `usage` is null or counts, and the counts of a stream may lack their total."""
    if anything(value, mode).get("usage") is not None:
        usage(value["usage"], mode, may_lack_total)
    return value


def stream_metadata(value: Any, mode: str) -> dict:
    return metadata(value, mode, may_lack_total=True)


def files(most: int | None = None) -> Reader:
    def reader(value: Any, mode: str) -> list:
        several(lambda one, mode: one)(value, mode)
        ids = under("CE-10", several(FILE))(value, mode)
        if most is not None and (len(ids) > most or len(set(ids)) != len(ids)):
            raise Violation("CE-10", "has too many files, or one twice")
        return ids

    return reader


def content(least: int) -> Reader:
    def reader(value: Any, mode: str) -> Any:
        if isinstance(value, str):
            return text(1, "CE-09")(value, mode)
        return several(PART, least, "CE-09")(value, mode)

    return reader


CAPABILITY = closed(id=text(1), name=text(1), description_=text(), enabled_by_default=truth)
VARIANT = closed(
    variant_index=whole(0, rule="CE-17"), total_variants=whole(1, rule="CE-17"), parent_message_id_=nullable(FILE)
)
MESSAGE_FIELDS = dict(
    message_id=MESSAGE, session_id=SESSION, role=ROLE, file_ids_=files(), parent_message_id_=nullable(MESSAGE),
    variant_info_=nullable(VARIANT), metadata_=metadata, created_at=moment,
)
PLACED = closed(
    **MESSAGE_FIELDS, content=content(0), variant_index=whole(0, rule="CE-17"), is_active=truth, is_complete=truth
)
PUBLISHED = closed(**MESSAGE_FIELDS, content=content(1))


def message(value: Any, mode: str) -> dict:
    """With its place in the tree, as an engine writes it, or without, as the published schema has it (CE-G20)."""
    placed = isinstance(value, dict) and not {"variant_index", "is_active", "is_complete"}.isdisjoint(value)
    return (PLACED if placed else PUBLISHED)(value, mode)


CAPABILITIES = several(CAPABILITY)
MESSAGES = several(message)
ENABLED = several(text())
SETTINGS_FIELDS = dict(
    max_length=whole(50, 1000), focus=word("general", "technical", "decisions", "action_items"),
    include_timestamps=truth, enabled=truth, service_url=url,
)


def settings(value: Any, mode: str) -> dict:
    for name, reader in SETTINGS_FIELDS.items():
        if name in anything(value, mode):
            reader(value[name], mode)
    return value


def session_type_id(value: Any, mode: str) -> str:
    """The published schema still has a UUID here (CE-G03)."""
    return TYPE(value, "uuidIds")


DETAIL_OWNERS = {
    "validation_errors": {"INVALID_REQUEST"}, "timeout_ms": {"BACKEND_TIMEOUT"},
    "retry_after_seconds": {"RATE_LIMIT_EXCEEDED"}, "limit_type": {"RATE_LIMIT_EXCEEDED"},
    "quota_reset_at": {"RATE_LIMIT_EXCEEDED"}, "resource_id": {"SESSION_NOT_FOUND", "MESSAGE_NOT_FOUND"},
}


def trace(value: Any, mode: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_-]+", text()(value, mode)):
        raise Violation("CE-16", "has other characters")
    return value


DETAILS = under("CE-16", closed(
    trace_id_=trace, validation_errors_=several(closed(field=text(), message=text(), code_=text())),
    retry_after_seconds_=whole(0), limit_type_=word("per_second", "per_minute", "per_hour", "per_day", "concurrent"),
    quota_reset_at_=moment, timeout_ms_=whole(0), resource_id_=FILE,
), but=("CE-07", "CE-08"))


def own_details(code: str, details: dict | None) -> None:
    for name in details or {}:
        if code not in DETAIL_OWNERS.get(name, {code}):
            raise Violation("CE-16", f"{name} is not for {code}")


def error_body(value: Any, mode: str) -> dict:
    body = closed(error_code=CODE, message=text(1), details_=DETAILS)(value, mode)
    own_details(body["error_code"], body.get("details"))
    return body


# Section 6: a stream to a client, and one from a backend.

def chunk(value: Any, mode: str) -> dict:
    if mode == "interop" and isinstance(value, dict) and "content" not in value:
        return PART(value, mode)
    piece = under("CE-12", closed(type=KIND, content=text()), but=("CE-07",))(value, mode)
    if piece["type"] not in ("text", "code") and not re.fullmatch(UUID, piece["content"]):
        raise Violation("CE-12", "a file is named by its UUID")
    return piece


START = closed(type=text(), message_id=MESSAGE)
CHUNK = closed(type=text(), message_id=MESSAGE, chunk=chunk)
COMPLETE = closed(type=text(), message_id=MESSAGE, metadata_=stream_metadata)
ERROR = closed(type=text(), message_id=MESSAGE, error_code=CODE, message=text(1), details_=DETAILS)
EVENTS = {"start": START, "chunk": CHUNK, "complete": COMPLETE, "error": ERROR}
BACKEND_EVENTS = {
    "chunk": closed(type=text(), message_id_=MESSAGE, chunk=chunk),
    "complete": closed(type=text(), message_id_=MESSAGE, metadata_=stream_metadata),
    "error": closed(type=text(), message_id_=MESSAGE, error_code=text(), message=text(1), details_=DETAILS),
}


def named(key: str, readers: dict[str, Reader]) -> Reader:
    """An object whose kind a field tells (CE-03)."""
    def reader(value: Any, mode: str) -> dict:
        if key not in anything(value, mode):
            raise Violation("CE-04", f"{key} is missing")
        if text()(value[key], mode) not in readers:
            raise Violation("CE-03", f"{value[key]!r:.64} is not known")
        return readers[value[key]](value, mode)

    return reader


def event(value: Any, mode: str) -> dict:
    read_event = named("type", EVENTS)(value, mode)
    if read_event["type"] == "error":
        own_details(read_event["error_code"], read_event.get("details"))
    return read_event


def backend_event(value: Any, mode: str) -> dict:
    if isinstance(value, dict) and value.get("type") == "start":
        raise Violation("CE-21", "only an engine says start")
    return named("type", BACKEND_EVENTS)(value, mode)


# Section 7.

def hook(**fields: Reader) -> Reader:
    return closed(event=text(), timestamp=moment, **fields)


DRAFT = closed(role=ROLE, content=content(0), file_ids_=files())
WEBHOOKS = {
    "session.created": hook(session_id=SESSION, session_type_id=TYPE, client_id=text(1)),
    "message.new": hook(
        session_id=SESSION, message_id=MESSAGE, session_metadata_=anything, enabled_capabilities_=CAPABILITIES,
        message=DRAFT, history=MESSAGES),
    "message.recreate": hook(
        session_id=SESSION, message_id=MESSAGE, enabled_capabilities_=CAPABILITIES, history=MESSAGES),
    "message.aborted": hook(session_id=SESSION, message_id=MESSAGE, partial_content=several(PART)),
    "session.deleted": hook(session_id=SESSION),
    "session.summary": hook(
        session_id=SESSION, enabled_capabilities_=CAPABILITIES, history=MESSAGES,
        summarization_settings_=nullable(settings)),
    "session_type.health_check": hook(session_type_id=TYPE),
    "message.reaction": hook(
        session_id=SESSION, message_id=MESSAGE, user_id=text(1), reaction_type=REACTION,
        previous_reaction_type_=nullable(REACTION)),
}
WEBHOOK = named("event", WEBHOOKS)


def whole_reply(value: Any, mode: str) -> dict:
    reply = closed(
        message_id=MESSAGE, role=ROLE, content=several(PART, 1, "CE-18"), metadata_=metadata
    )(value, mode)
    if reply["role"] != "assistant":
        raise Violation("CE-18", "is not assistant")
    return reply


def variants(value: Any, mode: str) -> dict:
    answer = closed(variants=several(message, 1, "CE-17"), current_index=whole(0, rule="CE-17"))(value, mode)
    if answer["current_index"] >= len(answer["variants"]):
        raise Violation("CE-17", "there is no such variant")
    return answer


TOKEN = text(32, "CE-14")
SEND = closed(
    session_id=SESSION, content=lambda value, mode: text(1, "CE-09")(value, mode), file_ids_=files(10),
    parent_message_id_=MESSAGE, enabled_capabilities_=ENABLED)
ENABLE = closed(enabled_capabilities_=ENABLED)
BODIES = {
    "createSession": closed(session_type_id=TYPE, client_id=text(1)),
    "switchSessionType": closed(new_session_type_id=TYPE),
    "exportSession": closed(format=word("json", "markdown", "txt"), scope=word("active", "all")),
    "shareSession": closed(expires_at_=moment), "sendMessage": SEND, "recreateMessage": ENABLE,
    "summarizeSession": ENABLE, "reactToMessage": closed(reaction_type=REACTION),
}
SESSION_FIELDS = dict(
    session_id=SESSION, client_id=text(1), session_type_id=TYPE, available_capabilities=CAPABILITIES,
    metadata_=anything, created_at=moment, updated_at_=moment, share_token_=nullable(TOKEN))
HIT = closed(message_id=MESSAGE, content=text(), context=text(), created_at_=moment)

# By the names of the published schemas.
SCHEMAS: dict[str, Reader] = {
    "common/Capability": CAPABILITY, "common/ContentPart": PART, "common/ErrorCode": CODE,
    **{f"common/{kind.capitalize()}Content": PART for kind in KINDS},
    "common/ErrorDetails": DETAILS, "common/ExportFormat": word("json", "markdown", "txt"),
    "common/ExportScope": word("active", "all"), "common/GtsMessageId": MESSAGE, "common/GtsSessionId": SESSION,
    "common/GtsSessionTypeId": TYPE, "common/Message": message, "common/ReactionType": REACTION, "common/Role": ROLE,
    "common/Session": closed(**SESSION_FIELDS), "common/SummarizationSettings": settings,
    "common/SessionType": closed(
        session_type_id=session_type_id, name=text(1), description_=text(), webhook_url=url,
        capabilities=CAPABILITIES, timeout_seconds_=whole(1, 300, "CE-34"), summarization_settings_=settings),
    "common/Usage": usage, "common/VariantInfo": VARIANT,
    "http/MessageSendRequest": SEND, "http/MessageRecreateRequest": ENABLE, "http/SessionSummarizeRequest": ENABLE,
    "message/MessageReactionRequest": BODIES["reactToMessage"],
    "message/MessageReactionResponse": closed(message_id=MESSAGE, reaction_type=REACTION, applied=truth),
    "message/MessageListResponse": closed(messages=MESSAGES),
    "message/MessageGetVariantsResponse": variants,
    "session/SessionCreateRequest": BODIES["createSession"],
    "session/SessionCreateResponse": closed(session_id=SESSION, available_capabilities=CAPABILITIES),
    "session/SessionDeleteResponse": closed(deleted=always),
    "session/SessionShareResponse": closed(share_token=TOKEN, share_url=url),
    "session/SessionAccessSharedResponse": closed(
        session_id=SESSION, messages=MESSAGES, read_only=always, metadata_=anything),
    "session/SessionExportResponse": closed(download_url=url, expires_at=moment),
    "session/SessionSwitchTypeResponse": closed(session_id=SESSION, session_type_id=TYPE),
    "session/SessionGetResponse": closed(**SESSION_FIELDS),
    "streaming/StreamingStartEvent": event, "streaming/StreamingChunkEvent": event,
    "streaming/StreamingCompleteEvent": event, "streaming/StreamingErrorEvent": event,
    "webhook/SessionCreatedEvent": WEBHOOK, "webhook/MessageNewEvent": WEBHOOK,
    "webhook/MessageRecreateEvent": WEBHOOK, "webhook/MessageAbortedEvent": WEBHOOK,
    "webhook/SessionDeletedEvent": WEBHOOK, "webhook/SessionSummaryEvent": WEBHOOK,
    "webhook/SessionTypeHealthCheckEvent": WEBHOOK, "webhook/MessageReactionEvent": WEBHOOK,
    "webhook/SessionCreatedResponse": closed(available_capabilities=CAPABILITIES),
    "webhook/MessageNewResponse": whole_reply, "webhook/MessageRecreateResponse": whole_reply,
    "webhook/SessionSummaryResponse": closed(summary=text(1), metadata_=anything),
    "webhook/SessionTypeHealthCheckResponse": closed(
        status=word("healthy", "degraded", "unhealthy"), version=text(1), capabilities=CAPABILITIES),
}


def decode(schema: str, value: Any, mode: str = "strict") -> Any:
    """A value, as a published schema names it."""
    return SCHEMAS[schema](value, mode)


def query(parameters: dict[str, str]) -> tuple[str, int, int]:
    """The parameters of a search (CE-13)."""
    def number(name: str, default: int, low: int, high: int) -> int:
        digits = parameters.get(name, str(default))
        if not re.fullmatch("-?[0-9]+", digits) or len(digits) > 20 or not low <= int(digits) <= high:
            raise Violation("CE-13", f"{name} is not from {low} to {high}")
        return int(digits)

    if not parameters.get("query"):
        raise Violation("CE-13", "there is no query")
    return parameters["query"], number("limit", 20, 1, 100), number("offset", 0, 0, LARGEST)
