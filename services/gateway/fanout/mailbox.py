"""What waits for one slow viewer: of states the newest, of events all, up to a bound. Pure."""

from collections import Counter

from services.gateway.shaping.formats import JSON, Format

MOST_EVENTS = 256
STATES = ("poses", "score", "clock", "status")
"""Topics whose messages are states."""


class Mailbox:
    """Frames in the order of their arrival. A state that is overtaken leaves, and is counted."""

    def __init__(self, format_: Format = JSON, *, tell_skipped: bool = True) -> None:
        self._format = format_
        self._tell_skipped = tell_skipped
        self._waiting: dict[tuple[str, str], bytes] = {}
        self._events = 0
        self._number = 0
        self._skipped: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def put_state(self, topic: str, key: str, frame: bytes) -> bool:
        """The newest `topic` of `key` (a camera, or ""). True: it took the place of one nobody read."""
        overtaken = self._waiting.pop((topic, key), None) is not None
        self._skipped[topic] += overtaken
        self._waiting[topic, key] = frame
        return overtaken

    def put_event(self, frame: bytes) -> bool:
        """An event, which nothing overtakes. False: too many wait, and this viewer has lost one."""
        if self._events >= MOST_EVENTS:
            return False
        self._events += 1
        self._number += 1
        self._waiting["", str(self._number)] = frame
        return True

    def take(self) -> bytes | None:
        """The next frame; before a state, and only then, the count of those it overtook. None: nothing waits."""
        if not self._waiting:
            return None
        oldest = next(iter(self._waiting))
        if self._tell_skipped and oldest[0] and self._skipped[oldest[0]]:
            skipped, self._skipped = self._skipped, Counter()
            return self._format.document({"type": "skipped", **{topic: skipped[topic] for topic in STATES}})
        if not oldest[0]:
            self._events -= 1
        return self._waiting.pop(oldest)
