"""M: what sync keeps of a session in memory does not grow over an hour. Virtual time; Python's own count of bytes."""

import gc
import random
import tracemalloc

from bench.sync_scenarios.clocks import LINKS, Host
from bench.sync_scenarios.report import Row
from services.mesh.clock import probe_delays
from services.mesh.stamps import StampSmoother
from services.sync.figures import Figures
from services.sync.frames import Frame, TieBreaker
from services.sync.groups import MatchRules
from services.sync.matcher import SessionMatcher

CAMERAS, FPS, HOUR_S, SETTLED_S = 2, 30, 3600, 600


async def hour() -> list[Row]:
    """An hour of two cameras, one of which loses frames and drops out now and then."""
    rng, matcher, figures, apart = random.Random(1), SessionMatcher(MatchRules()), Figures(), TieBreaker()
    hosts = [Host(rng, *LINKS["Wi-Fi"], rng.uniform(-5, 5), 50e-6) for _ in range(CAMERAS)]
    smoothers, probes, probe_s = [StampSmoother() for _ in hosts], probe_delays(), 0.0
    settled = 0
    tracemalloc.start()
    for tick in range(HOUR_S * FPS):
        true_s = 1 + tick / FPS
        while probe_s < true_s:
            probe_s += next(probes)
            for host in hosts:
                host.probe(probe_s)
        for n, host in enumerate(hosts):
            stamp_ns = smoothers[n].add(tick, host.local_ns(true_s))
            time_us, _ = host.estimator.map(stamp_ns)
            now_us = time_us + 30_000 + 1000 * n
            if n and (rng.random() < 0.02 or tick % 3000 < 90):
                continue
            matcher.add(apart(Frame(time_us, f"cam{n}", host.estimator.epoch, tick, now_us, bytes(3000))))
            figures.add([group for group in matcher.poll(now_us) if group.there])
        if tick == SETTLED_S * FPS:
            gc.collect()
            settled = tracemalloc.get_traced_memory()[0]
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - settled
    tracemalloc.stop()
    name = "memory over a simulated hour"
    return [
        Row("M", name, "a session's memory after 10 min, kB", settled / 1e3, None),
        Row("M", name, "growth from then to the end of the hour, kB", grown / 1e3, 50, at_least=False),
    ]
