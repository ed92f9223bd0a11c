"""Texts, and readers of single values (sections 3 and 5); an object is read by a table of its fields.

>>> closed(name=text(1), mood_=word("good", "bad"))({"name": "saro"}, "strict")
{'name': 'saro'}
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
