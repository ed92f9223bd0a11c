"""Words and their stems (section 9.3).

>>> [stem(word) for word in ("races", "running", "relational", "happy")]
['race', 'run', 'relat', 'happi']
>>> matches("wombat RACE", "The races are on, the WOMBAT leads")
True
"""

import re

VOWELS = "aeiou"
SECOND = dict(
    ational="ate", tional="tion", enci="ence", anci="ance", izer="ize", abli="able", alli="al", entli="ent", eli="e",
    ousli="ous", ization="ize", ation="ate", ator="ate", alism="al", iveness="ive", fulness="ful", ousness="ous",
    aliti="al", iviti="ive", biliti="ble",
)
THIRD = dict(icate="ic", ative="", alize="al", iciti="ic", ical="ic", ful="", ness="")
FOURTH = (
    "al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize"
).split()


def kinds(word: str) -> str:
    """`v` for a vowel, `c` for a consonant; y is a vowel after a consonant."""
    result = ""
    for letter in word:
        vowel = letter in VOWELS or letter == "y" and result.endswith("c")
        result += "v" if vowel else "c"
    return result


def measure(word: str) -> int:
    return len(re.findall("v+c+", kinds(word)))


def is_short(word: str) -> bool:
    """Consonant, vowel, consonant, the last none of w, x, y."""
    return kinds(word).endswith("cvc") and word[-1] not in "wxy"


def longest(word: str, suffixes: list[str]) -> str:
    """The longest suffix that a word has."""
    return max((suffix for suffix in suffixes if word.endswith(suffix)), key=len, default="")


def stem(word: str) -> str:
    """Porter's algorithm of 1980."""
    if len(word) < 3 or len(word) > 64 or not re.fullmatch("[a-z]+", word):
        return word
    if word.endswith("sses") or word.endswith("ies"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    word = past(word)
    if word.endswith("y") and "v" in kinds(word[:-1]):
        word = word[:-1] + "i"
    for table in (SECOND, THIRD):
        suffix = longest(word, list(table))
        if suffix and measure(word[: -len(suffix)]) > 0:
            word = word[: -len(suffix)] + table[suffix]
    suffix = longest(word, FOURTH)
    rest = word[: -len(suffix)] if suffix else ""
    if suffix and measure(rest) > 1 and (suffix != "ion" or rest[-1] in "st"):
        word = rest
    if word.endswith("e") and (measure(word[:-1]) > 1 or measure(word[:-1]) == 1 and not is_short(word[:-1])):
        word = word[:-1]
    return word[:-1] if word.endswith("ll") and measure(word[:-1]) > 1 else word


def past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if measure(word[:-3]) > 0 else word
    suffix = longest(word, ["ed", "ing"])
    if not suffix or "v" not in kinds(word[: -len(suffix)]):
        return word
    word = word[: -len(suffix)]
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if kinds(word).endswith("cc") and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word + "e" if measure(word) == 1 and is_short(word) else word


def stems(text: str) -> list[str]:
    """The stems of the words of a text; letters and digits are words, case does not count."""
    return [stem(word.lower()) for word in re.findall(r"[^\W_]+", text)]


def matches(query: str, text: str) -> bool:
    """Whether all words of a query are in a text; a query without a word matches nothing."""
    wanted = stems(query)
    return bool(wanted) and set(wanted) <= set(stems(text))
