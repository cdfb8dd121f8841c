"""Which cameras are known to be out of time, and what is taken off their times if the session asks for that.

One look at the pictures may be wrong, so an alarm needs two that agree, on frames that came in between. A correction is
an alarm that was believed: it stays until the session no longer wants it, and what is still found then is added to it.
Pure: fed with what `content.py` finds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from services.sync.content import STEP_US, Lag

AGREE_US = 2 * STEP_US
"""Two looks agree when their lags are no further apart."""
LOOKS = 2
PATIENCE = 3
"""So many looks in a row without the lag, and it is no longer known of: the person may just have stood still."""
LARGEST_US = 1_000_000


@dataclass(frozen=True)
class Alarm:
    """One camera out of time. Microseconds, late positive."""

    lag_us: int
    """Against its own stamps as they came."""
    uncertainty_us: int | None
    """None: not measured at present."""
    confidence: float
    """Probability that the lag is not nothing, errors taken as normal; 0: not measured at present."""
    applied_us: int | None
    """What is taken off its times; None: nothing."""


@dataclass
class _Finding:
    lag_us: int
    looks: int = 1
    missed: int = 0


class Alarms:
    """The alarms of one session. `look` after every look at the pictures."""

    def __init__(self) -> None:
        self._findings: dict[str, _Finding] = {}
        self.lags: Mapping[str, Lag] = {}
        """What the last look found beyond the corrections; empty after these changed."""
        self._asked: Mapping[str, int] = {}
        self._follows = False
        self._found: dict[str, int] = {}

    @property
    def corrections_us(self) -> dict[str, int]:
        """What is to be taken off the cameras' times: what the session names wins over what was found."""
        return {**self._found, **self._asked}

    def ask(self, corrections_us: Mapping[str, int], *, follow: bool) -> None:
        """What the session wants: these corrections, and (`follow`) a correction of whatever is found."""
        if corrections_us != self._asked or (self._found and not follow):
            self._start_again()
        self._asked, self._follows = dict(corrections_us), follow
        if not follow:
            self._found = {}

    def follow(self, corrections_us: Mapping[str, int]) -> None:
        """Take over the corrections that the session's holder found."""
        if self._follows:
            self._found = {name: us for name, us in corrections_us.items() if name not in self._asked}

    def look(self, lags: Mapping[str, Lag]) -> set[str]:
        """Take in what one look found. Returns the cameras whose alarm is new."""
        self.lags = {name: lag for name, lag in lags.items() if lag.uncertainty_us is not None}
        raised = set()
        corrections = self.corrections_us
        for name, lag in lags.items():
            if not lag.alarm:
                continue
            total_us = corrections.get(name, 0) + lag.lag_us
            before = self._findings.get(name)
            if before is None or abs(before.lag_us - total_us) > AGREE_US:
                self._findings[name] = _Finding(total_us)
            else:
                before.lag_us, before.looks, before.missed = total_us, before.looks + 1, 0
                if before.looks == LOOKS:
                    raised.add(name)
        for name, finding in list(self._findings.items()):
            if name not in lags or not lags[name].alarm:
                finding.missed += 1
                if finding.missed >= PATIENCE:
                    del self._findings[name]
        self._correct()
        return raised

    def now(self) -> dict[str, Alarm]:
        """The alarms at present, by camera."""
        corrections = self.corrections_us
        known = {name for name, finding in self._findings.items() if finding.looks >= LOOKS}
        return {name: self._alarm(name, corrections.get(name)) for name in sorted(known | corrections.keys())}

    def _correct(self) -> None:
        """Believe the surest alarm, if the session asks: one at a time, since a late camera blames the others."""
        sure = {
            name: self.lags[name].gain
            for name, finding in self._findings.items()
            if finding.looks >= LOOKS and not finding.missed and name not in self._asked
        }
        if not self._follows or not sure:
            return
        worst = max(sure, key=lambda name: sure[name])
        self._found[worst] = max(-LARGEST_US, min(LARGEST_US, self._findings[worst].lag_us))
        self._start_again()

    def _start_again(self) -> None:
        """What was found holds for other times than those of the frames to come."""
        self._findings, self.lags = {}, {}

    def _alarm(self, name: str, applied_us: int | None) -> Alarm:
        lag = self.lags.get(name)
        if lag is None or not lag.uncertainty_us:
            finding = self._findings.get(name)
            return Alarm(finding.lag_us if finding else applied_us or 0, None, 0.0, applied_us)
        total_us = (applied_us or 0) + lag.lag_us
        confidence = math.erf(2 * abs(total_us) / max(1, lag.uncertainty_us) / math.sqrt(2))
        return Alarm(total_us, lag.uncertainty_us, confidence, applied_us)
