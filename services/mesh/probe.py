"""`python -m services.mesh.probe HOST:PORT [SERVICE]`: exit status 0 when it is ready.

Asks grpc.health.v1, or, where the address is an http:// one, whether a GET answers 200. Containers' health checks use
the latter: to import gRPC for one question takes longer than all that an idle service does until the next.
"""

import socket
import sys

TIMEOUT_S = 2.0


def grpc_status(address: str, service: str = "", *, timeout_s: float = TIMEOUT_S) -> str:
    """SERVING, NOT_SERVING, or what kept the answer from coming (UNAVAILABLE, NOT_FOUND: no such service, …)."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout_s)
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def http_status(url: str, *, timeout_s: float = TIMEOUT_S) -> str:
    """SERVING, or the HTTP status, or why there is none. `url`: http://HOST:PORT/PATH."""
    # By hand: the standard library's clients take five times as long to import as this takes.
    address, _, path = url.removeprefix("http://").partition("/")
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s) as connection:
            connection.sendall(f"GET /{path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
            with connection.makefile("rb") as answer:
                status = answer.readline().split()[1].decode()
    except (OSError, ValueError, IndexError) as error:
        return f"UNREACHABLE ({error})"
    return "SERVING" if status == "200" else status


def main(arguments: list[str]) -> int:
    """Prints the status; 0 ready, 1 not, 2 wrong usage."""
    if not 1 <= len(arguments) <= 2:
        print("usage: python -m services.mesh.probe HOST:PORT [SERVICE] | http://…", file=sys.stderr)
        return 2
    address = arguments[0]
    status = http_status(address) if address.startswith("http://") else grpc_status(*arguments)
    print(status)
    return 0 if status == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
