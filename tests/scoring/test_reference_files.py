"""References as files: out, in again, and what is refused."""

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import AsyncIterator

import grpc
import numpy as np
import pytest

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.scoring.errors import BadReferenceFile, BadTemplate
from services.scoring.library import interchange
from services.scoring.library.interchange import Carried, from_file, to_file
from services.scoring.reference.building import build_template
from services.scoring.reference.template import LARGEST_BYTES, from_bytes, to_bytes
from tests.scoring.mesh import Running, running
from tests.scoring.puppet import squats
from tests.scoring.test_service import follow

TEMPLATE = build_template(squats(2), "squat")
FILE = to_file(Carried("스쿼트", 3, TEMPLATE))


async def chunks(data: bytes) -> AsyncIterator[pb.ImportReferenceRequest]:
    for start in range(0, len(data), 1 << 20):
        yield pb.ImportReferenceRequest(chunk=data[start : start + (1 << 20)])


async def refused(scoring: Running, data: bytes) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await scoring.stub.ImportReference(chunks(data))
    return error.value.code()


def enveloped(body: bytes, form: int = 1) -> bytes:
    """A file whose envelope is in order, whatever is in it."""
    return struct.pack(">8sHQ32s", interchange.MAGIC, form, len(body), hashlib.sha256(body).digest()) + body


async def test_an_exported_reference_comes_back_as_a_new_one_with_the_same_curves(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        reference_id = await follow(scoring)
        request = pb.ExportReferenceRequest(reference_id=reference_id)
        data = b"".join([part.chunk async for part in scoring.stub.ExportReference(request)])
        imported = (await scoring.stub.ImportReference(chunks(data))).reference
        whole = (await scoring.stub.GetReference(pb.GetReferenceRequest(reference_id=reference_id))).reference
        assert imported.reference_id != reference_id
        assert (imported.name, imported.version, imported.active) == (whole.name, 1, True)
        assert imported.create_time.ToMicroseconds() > whole.create_time.ToMicroseconds()
        assert imported.curves == whole.curves
        assert imported.ghost == whole.ghost
        with pytest.raises(grpc.aio.AioRpcError, match="no version 9"):
            async for _ in scoring.stub.ExportReference(
                pb.ExportReferenceRequest(reference_id=reference_id, version=9)
            ):
                pass


async def test_files_that_are_not_whole_or_not_ours_are_refused_and_nothing_is_stored(redis_url: str) -> None:
    async with running(redis_url) as scoring:
        for data in (b"", b"junk" * 100, FILE[:-1], FILE[:20], FILE + b"x", b"K" * len(FILE)):
            assert await refused(scoring, data) is grpc.StatusCode.INVALID_ARGUMENT
        large = FILE + bytes(interchange.LARGEST_BYTES)
        assert await refused(scoring, large) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert not (await scoring.stub.ListReferences(pb.ListReferencesRequest())).references


def test_a_file_keeps_what_belongs_to_the_reference() -> None:
    again = from_file(FILE)
    assert (again.name, again.videos) == ("스쿼트", 3)
    assert again.template.features == pytest.approx(TEMPLATE.features, abs=1e-6)


def test_a_refused_file_says_what_is_wrong_with_it() -> None:
    with pytest.raises(BadReferenceFile, match=f"cut off after {len(FILE) - 9} of {len(FILE)} bytes"):
        from_file(FILE[:-9])
    with pytest.raises(BadReferenceFile, match="no reference exported"):
        from_file(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(BadReferenceFile, match="newer KOMI"):
        from_file(enveloped(FILE[50:], form=interchange.FORM + 1))
    for at in (60, len(FILE) // 2, len(FILE) - 1):
        changed = bytearray(FILE)
        changed[at] ^= 1
        with pytest.raises(BadReferenceFile, match="changed"):
            from_file(bytes(changed))


def test_a_made_up_file_with_a_right_checksum_is_refused_too() -> None:
    bodies = (
        b"",
        b"\xff\xff\xff\xff{}",
        struct.pack(">I", 2) + b"[]",
        struct.pack(">I", 2) + b"{}",
        struct.pack(">I", 24) + b'{"name":"a","videos":-1}',
        struct.pack(">I", 23) + b'{"name":"a","videos":1}' + b"junk",
    )
    for body in bodies:
        with pytest.raises((BadReferenceFile, BadTemplate)):
            from_file(enveloped(body))


def test_a_small_file_that_unpacks_to_a_large_one_is_refused_unpacked() -> None:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("features.npy", "w") as entry,
    ):
        for _ in range(LARGEST_BYTES // (1 << 20) + 1):
            entry.write(bytes(1 << 20))
    assert len(out.getvalue()) < 1 << 20
    with pytest.raises(BadTemplate, match="more than a reference can"):
        from_bytes(out.getvalue())


def test_an_array_that_claims_more_than_there_is_gets_no_room() -> None:
    npy = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        npy, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 60)}
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("features.npy", npy.getvalue())
    with pytest.raises(BadTemplate, match="not as long as it says"):
        from_bytes(out.getvalue())


def with_array(name: str, values: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> bytes:
    """The template's bytes with one array exchanged."""
    out = io.BytesIO()
    with np.load(io.BytesIO(to_bytes(TEMPLATE))) as stored:
        np.savez_compressed(out, **{one: stored[one] for one in stored.files} | {name: values})
    return out.getvalue()


def test_a_template_of_the_form_before_refinements_counted_is_still_read() -> None:
    data = to_bytes(TEMPLATE)
    with np.load(io.BytesIO(data)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    header = json.loads(arrays["header"].tobytes())
    assert (header.pop("format"), header.pop("joined")) == (3, 0)
    former = io.BytesIO()
    arrays["header"] = np.frombuffer(json.dumps(header | {"format": 1}).encode(), dtype=np.uint8)
    np.savez_compressed(former, **arrays)
    assert from_bytes(former.getvalue()).frames == pytest.approx(TEMPLATE.frames)
    arrays["header"] = np.frombuffer(json.dumps(header | {"format": 4}).encode(), dtype=np.uint8)
    newer = io.BytesIO()
    np.savez_compressed(newer, **arrays)
    with pytest.raises(BadTemplate, match="another version of KOMI"):
        from_bytes(newer.getvalue())


def test_arrays_of_the_wrong_shape_and_values_that_are_no_numbers_are_refused() -> None:
    rows = len(TEMPLATE.features)
    for name, values in (
        ("ready", np.zeros(59, np.float32)),
        ("features", np.full((rows, 60), np.nan, np.float32)),
        ("frames", np.arange(rows, 0, -1, dtype=np.float32)),
        ("phases", np.zeros(rows, np.float32)),
    ):
        with pytest.raises(BadTemplate, match="incomplete"):
            from_bytes(with_array(name, values))
