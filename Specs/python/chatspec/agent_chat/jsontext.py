"""JSON without loss (Specs/agent-chat.md, sections 3 and 4.1).

>>> read(b'{"n": 9007199254740993, "m": 1e400}') == read(b'{"m": 1E+400, "n": 9007199254740993.0}')
True
>>> read(b'1') == read(b'true')
False
"""

import json
import re
from typing import Any

from . import Violation

MAX_FRAME = 2**20
MAX_DEPTH = 128
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


class Number:
    """A number by its spelling, equal to every spelling of the same number."""

    def __init__(self, text: str):
        self.text = text
        sign, digits, fraction, exponent = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?", text).groups()
        fraction = fraction or ""
        significant = (digits + fraction).lstrip("0")
        stripped = significant.rstrip("0")
        if not stripped:
            self.key = ("", "", 0)
            return
        shift = len(significant) - len(stripped) - len(fraction)
        power = (exponent or "0").lstrip("+")
        if len(power.lstrip("-").lstrip("0")) > 17:
            # Compared as it is written, zeros in front aside.
            minus = "-" if power.startswith("-") else ""
            self.key = (sign, stripped, (minus + power.lstrip("-").lstrip("0"), shift))
        else:
            self.key = (sign, stripped, int(power) + shift)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return self.text

    @property
    def whole(self) -> int | None:
        """The number, if it is whole, not negative, and fits into 64 bits."""
        sign, digits, power = self.key
        if not digits:
            return 0
        if sign or not isinstance(power, int) or not 0 <= power <= 19 or len(digits) + power > 20:
            return None
        value = int(digits) * 10**power
        return value if value < 2**64 else None


def same(left: Any, right: Any) -> bool:
    """Whether two values mean the same. Python takes True for 1; JSON does not."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def read(frame: bytes) -> Any:
    """The value of a text, or AC-01."""
    if len(frame) > MAX_FRAME:
        raise Violation("AC-01", f"{len(frame)} bytes")
    try:
        text = frame.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Violation("AC-01", "not UTF-8") from error
    if depth(text) > MAX_DEPTH:
        raise Violation("AC-01", "nested too deep")
    try:
        value = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=_refuse, object_pairs_hook=_object
        )
    except ValueError as error:
        raise Violation("AC-01", str(error)) from error
    if has_surrogate(text, value):
        raise Violation("AC-01", "a lone surrogate")
    return value


def depth(text: str) -> int:
    """The deepest nesting; what is no JSON may have any."""
    deepest = level = 0
    for character in STRING.sub('""', text):
        if character in "[{":
            level += 1
            deepest = max(deepest, level)
        elif character in "]}":
            level -= 1
    return deepest


def has_surrogate(text: str, value: Any) -> bool:
    if "\\u" not in text:
        return False
    if isinstance(value, str):
        return any(0xD800 <= ord(character) < 0xE000 for character in value)
    if isinstance(value, dict):
        return any(has_surrogate(text, one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(has_surrogate(text, one) for one in value)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _object(pairs: list) -> dict:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key twice")
    return value
