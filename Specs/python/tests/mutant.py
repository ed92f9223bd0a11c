"""A shim with one fault planted in it, which the interoperability runner must find.

    python3 -m tests.mutant no-signature-check|no-skip-limit|keeps-used-keys [the shim's options]
"""

import sys

from chatspec import intro, shim
from chatspec.ratchet import Message, Ratchet


def no_signature_check() -> None:
    """Takes every link whose sizes are right (INTRO-07)."""
    intro.xeddsa.verify = lambda *_: None


def no_skip_limit() -> None:
    """Waits for as many payloads as somebody says are missing (DR-7)."""
    skip = Ratchet._skip_until

    def patient(self: Ratchet, number: int, has_ended: bool = False) -> None:
        suite, self.suite = self.suite, self.suite._replace(max_skip=10**6)
        skip(self, number, has_ended)
        self.suite = suite

    Ratchet._skip_until = patient


def keeps_used_keys() -> None:
    """A key that was kept for a late payload opens it again (DR-1)."""
    take = Ratchet._take_message_key

    def generous(self: Ratchet, message: Message) -> bytes:
        key = self.skipped.get((message.dh, message.number))
        return take(self, message) if key is None else key

    Ratchet._take_message_key = generous


FAULTS = {fault.__name__.replace("_", "-"): fault for fault in (no_signature_check, no_skip_limit, keeps_used_keys)}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    shim.main()
