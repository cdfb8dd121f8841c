"""`python -m services.mesh.probe HOST:PORT [SERVICE]`: exit status 0 when it is ready, for containers' health checks.

Asks grpc.health.v1, or, where the address is an http:// one, whether a GET answers 200.
"""

import sys
import urllib.error
import urllib.request

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_S = 2.0


def grpc_status(address: str, service: str = "", *, timeout_s: float = TIMEOUT_S) -> str:
    """SERVING, NOT_SERVING, or what kept the answer from coming (UNAVAILABLE, NOT_FOUND: no such service, …)."""
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout_s)
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def http_status(url: str, *, timeout_s: float = TIMEOUT_S) -> str:
    """SERVING, or the HTTP status, or why there is none."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            return "SERVING" if answer.status == 200 else str(answer.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except OSError as error:
        return f"UNREACHABLE ({error})"


def main(arguments: list[str]) -> int:
    """Prints the status; 0 ready, 1 not, 2 wrong usage."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m services.mesh.probe HOST:PORT [SERVICE] | http://…", file=sys.stderr)
        return 2
    address = arguments[0]
    if address.startswith(("http://", "https://")):
        status = http_status(address)
    else:
        status = grpc_status(address, *arguments[1:])
    print(status)
    return 0 if status == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
