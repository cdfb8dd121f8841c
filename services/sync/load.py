"""How busy this process is, and so how long senders may gather poses before they send them together.

A message costs sync more than the pose in it, so poses that come together make it faster, and a busy process reads a pose
late anyway. An idle one asks for nothing: waiting would only cost. Pure: clock and CPU time are passed in.
"""

LONGEST_US = 6_000
"""About half the time over which the frames of one instant get ready: waiting longer would add more than it saves."""
IDLE, FULL = 0.35, 0.75
"""Share of a core up to which nobody waits, and that from which on all wait the longest."""
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
        return round(LONGEST_US * min(1.0, max(0.0, (self.share - IDLE) / (FULL - IDLE))))
