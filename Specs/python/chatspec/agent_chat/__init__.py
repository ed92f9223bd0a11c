"""Agent chat, format `agent-json` and its state machines, written from Specs/agent-chat.md, section by section.

`jsontext` reads JSON without loss, `codec` has the rules of decoding, `tools`, `fold` and `chat` the state machines.
A decoder returns a value or raises `Violation` with the id of a rule, whatever it is given; a step that raises has
changed nothing.
"""


class Violation(Exception):
    """A rule was broken."""

    def __init__(self, rule: str, reason: str):
        super().__init__(f"{rule}: {reason}")
        self.rule = rule
