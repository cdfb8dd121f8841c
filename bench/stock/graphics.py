"""Lets MediaPipe load on a machine without graphics libraries.

Its library is linked with libEGL and libGLESv2, though the CPU does all the work; a bare server or container has neither,
and installing them takes root. There, stand-ins are loaded first: shared libraries that have every function MediaPipe
asks for, all of which answer 0 (for EGL: there is no display, so no GPU).
"""

import ctypes
import importlib.util
import os
import platform
import re
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

LIBRARIES = ("libEGL.so.1", "libGLESv2.so.2")
_FUNCTION = re.compile(rb"(?<=\x00)((?:egl|gl)[A-Z][A-Za-z0-9_]{2,60})(?=\x00)")
_RETURN_0 = {
    "x86_64": (62, bytes.fromhex("31c0c3")),  # xor eax, eax; ret
    "aarch64": (183, bytes.fromhex("000080d2c0035fd6")),  # mov x0, 0; ret
}
"""ELF machine number and code by `platform.machine()`."""

_TABLE = 2 << 20
"""Bytes on either side of one name within which the others are."""
_PAGE = 0x10000
_HEADER, _SEGMENT, _SYMBOL = 64, 56, 24


def provide_graphics() -> None:
    """Make sure that MediaPipe finds its graphics libraries. Does nothing where they are, or where ELF is not used."""
    if sys.platform != "linux" or platform.machine() not in _RETURN_0:
        return
    names: list[bytes] | None = None
    for library in LIBRARIES:
        try:
            ctypes.CDLL(library)
        except OSError:
            names = names or _wanted_functions()
            _load(stand_in(library.encode(), names, platform.machine()))


def _wanted_functions() -> list[bytes]:
    """What MediaPipe's library asks of graphics libraries: names out of its table of symbols."""
    found = importlib.util.find_spec("mediapipe")
    folder = Path(found.origin).parent if found and found.origin else Path()
    names: set[bytes] = set()
    for library in folder.glob("tasks/c/*.so"):
        content = library.read_bytes()
        known = content.find(b"\x00eglGetDisplay\x00")
        if known >= 0:
            names.update(_FUNCTION.findall(content[max(0, known - _TABLE) : known + _TABLE]))
    return sorted(names)


def _load(library: bytes) -> None:
    # In memory, as a container's /tmp may hold no code. Once loaded, the linker knows it by its soname: whoever
    # needs that gets this one.
    handle = os.memfd_create("stand-in")
    os.write(handle, library)
    # It stays open: the linker takes a library of the same path, so the same descriptor, for the one it has.
    ctypes.CDLL(f"/proc/self/fd/{handle}", mode=ctypes.RTLD_GLOBAL)


def stand_in(soname: bytes, functions: Sequence[bytes], machine: str) -> bytes:
    """An ELF shared library that calls itself `soname` and whose `functions` return 0."""
    number, code = _RETURN_0[machine]
    strings, offsets = b"\x00", {}
    for name in (soname, *functions):
        offsets[name] = len(strings)
        strings += name + b"\x00"
    at_symbols = _HEADER + 3 * _SEGMENT
    at_strings = at_symbols + _SYMBOL * (1 + len(functions))
    at_hash = -(-(at_strings + len(strings)) // 8) * 8
    # One bucket: whoever looks a function up walks the whole chain, which is done once.
    count = 1 + len(functions)
    chain = [0, *range(2, count), 0][:count] if functions else [0]
    table = struct.pack(f"<{3 + count}I", 1, count, 1 if functions else 0, *chain)
    at_code = -(-(at_hash + len(table)) // 16) * 16
    symbols = bytes(_SYMBOL) + b"".join(
        # name; global function; default visibility; any defined section; address; size
        struct.pack("<IBBHQQ", offsets[name], 0x12, 0, 1, at_code, len(code))
        for name in functions
    )
    text = symbols + strings
    text = text.ljust(at_hash - at_symbols, b"\x00") + table
    text = text.ljust(at_code - at_symbols, b"\x00") + code
    # The linker writes into the dynamic section, which so has a page of its own.
    at_dynamic = -(-(at_symbols + len(text)) // _PAGE) * _PAGE
    entries = [
        (14, offsets[soname]),
        (4, at_hash),
        (5, at_strings),
        (6, at_symbols),
        (10, len(strings)),
        (11, _SYMBOL),
    ]
    dynamic = b"".join(struct.pack("<QQ", tag, value) for tag, value in [*entries, (0, 0)])
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\x00")
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", ident, 3, number, 1, 0, _HEADER, 0, 0, _HEADER, _SEGMENT, 3, 0, 0, 0
    )
    segments = b"".join(
        struct.pack("<IIQQQQQQ", kind, flags, start, start, start, size, size, align)
        for kind, flags, start, size, align in (
            (1, 5, 0, at_symbols + len(text), _PAGE),  # loaded: read, execute
            (1, 6, at_dynamic, len(dynamic), _PAGE),  # loaded: read, write
            (2, 6, at_dynamic, len(dynamic), 8),  # dynamic
        )
    )
    return (header + segments + text).ljust(at_dynamic, b"\x00") + dynamic
