"""How busy this process is, and so how long senders may gather poses before they send them together.

A message costs sync more than the pose in it, so poses that come together make it faster, and a busy process reads a pose
late anyway. An idle one asks for nothing: waiting would only cost. Pure: clock and CPU time are passed in.
"""

from itertools import pairwise

CURVE = ((0.35, 0), (0.75, 6_000), (0.95, 20_000))
"""Share of a core, and microseconds a pose may wait. Six milliseconds are about half the time over which the frames of one
instant get ready: waiting longer saves little. But where next to nothing is left of the core, little is what it takes to
keep up, and who falls behind is later than that."""
PERIOD_S = 0.5
SMOOTHING = 0.4
"""Weight of the newest period."""


class Load:
    """Share of one core that the process uses. Ask `gather_us` as often as is handy."""

    def __init__(self, now_s: float, cpu_s: float) -> None:
        self._since = now_s, cpu_s
        self.share = 0.0
        """Of one core, smoothed; above 1 where several cores help."""

    def gather_us(self, now_s: float, cpu_s: float) -> int:
        """How long a pose may wait for others at the sender. `cpu_s`: CPU time of the process up to `now_s`."""
        began_s, used_s = self._since
        took_s = now_s - began_s
        if took_s >= PERIOD_S:
            self._since = now_s, cpu_s
            # Asked rarely, the last period says all.
            weight = min(1.0, SMOOTHING * took_s / PERIOD_S)
            self.share += weight * ((cpu_s - used_s) / took_s - self.share)
        return _on_curve(self.share)


def _on_curve(share: float) -> int:
    for (low, least_us), (high, most_us) in pairwise(CURVE):
        if share <= high:
            return round(least_us + max(0.0, share - low) / (high - low) * (most_us - least_us))
    return CURVE[-1][1]
