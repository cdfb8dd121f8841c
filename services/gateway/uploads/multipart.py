"""multipart/form-data as it arrives: fields whole, the file piece by piece. Pure."""

from dataclasses import dataclass

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.gateway.errors import BadUpload, WrongMediaType

MOST_FIELD_BYTES = 4096
MOST_PARTS = 16
MOST_HEADER_BYTES = 4096


@dataclass(frozen=True)
class Field:
    """A form field."""

    name: str
    value: str


@dataclass(frozen=True)
class FileStart:
    """A file begins."""

    name: str
    file_name: str


@dataclass(frozen=True)
class FileChunk:
    """The next bytes of the file."""

    data: bytes


@dataclass(frozen=True)
class FileEnd:
    """The file is whole."""


Event = Field | FileStart | FileChunk | FileEnd


class UploadParser:
    """Feed it the body; it gives events. Nothing but the present field is held."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise WrongMediaType(
                "send the video as multipart/form-data, with its fields before the part 'file'"
            )
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_end": self._on_end,
            },
        )
        self.ended = False
        """The closing boundary was seen."""
        self._events: list[Event] = []
        self._parts = 0
        self._name = ""
        self._is_file = False
        self._value = bytearray()
        self._header_name, self._header_value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}

    def feed(self, data: bytes) -> list[Event]:
        """The events `data` brings. Raises BadUpload."""
        try:
            self._parser.write(data)
        except MultipartParseError as error:
            raise BadUpload(f"the body is no multipart/form-data: {error}") from error
        events, self._events = self._events, []
        return events

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise BadUpload(f"the body has more than {MOST_PARTS} parts")
        self._headers = {}
        self._value = bytearray()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]
        self._bound_header()

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        self._bound_header()

    def _bound_header(self) -> None:
        if len(self._header_name) + len(self._header_value) > MOST_HEADER_BYTES:
            raise BadUpload(f"a part's header is longer than {MOST_HEADER_BYTES} bytes")

    def _on_header_end(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name, self._header_value = bytearray(), bytearray()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        file_name = options.get(b"filename")
        self._is_file = file_name is not None
        if file_name is not None:
            self._events.append(FileStart(self._name, file_name.decode("utf-8", "replace")[:255]))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._events.append(FileChunk(data[start:end]))
            return
        self._value += data[start:end]
        if len(self._value) > MOST_FIELD_BYTES:
            raise BadUpload(f"field {self._name[:64]!r} is longer than {MOST_FIELD_BYTES} bytes")

    def _on_part_end(self) -> None:
        if self._is_file:
            self._events.append(FileEnd())
            return
        try:
            self._events.append(Field(self._name, self._value.decode()))
        except UnicodeDecodeError as error:
            raise BadUpload(f"field {self._name[:64]!r} is no UTF-8") from error

    def _on_end(self) -> None:
        self.ended = True
