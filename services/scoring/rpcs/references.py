"""Stored references: listed, looked at, switched, deleted, taken out as files and in again."""

import asyncio
from collections.abc import AsyncIterator

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.mesh.errors import InvalidInput, NotFound
from services.scoring import translate
from services.scoring.errors import TooLarge
from services.scoring.library import interchange
from services.scoring.library.store import page_token, read_page_token
from services.scoring.rpcs.parts import Context, Rpcs, page_size

CHUNK = 1 << 20


class ReferenceRpcs(Rpcs):
    """ListReferences, GetReference, DeleteReference, versions, pictures, files."""

    async def ListReferences(
        self, request: pb.ListReferencesRequest, context: Context
    ) -> pb.ListReferencesResponse:
        count = page_size(request.page_size)
        try:
            before = read_page_token(request.page_token)
        except (ValueError, TypeError) as error:
            raise InvalidInput("this is no page token of ListReferences", reason="BAD_PAGE_TOKEN") from error
        found = await self._parts.store.list(count + 1, before)
        more = len(found) > count
        return pb.ListReferencesResponse(
            references=[translate.reference(stored, whole=False) for stored in found[:count]],
            next_page_token=page_token(await self._parts.store.place(found[count - 1].reference_id))
            if more
            else "",
        )

    async def GetReference(
        self, request: pb.GetReferenceRequest, context: Context
    ) -> pb.GetReferenceResponse:
        stored = await self._parts.store.get(request.reference_id, request.version)
        return pb.GetReferenceResponse(reference=translate.reference(stored, whole=True))

    async def DeleteReference(
        self, request: pb.DeleteReferenceRequest, context: Context
    ) -> pb.DeleteReferenceResponse:
        await self._parts.store.delete(request.reference_id)
        return pb.DeleteReferenceResponse()

    async def ListReferenceVersions(
        self, request: pb.ListReferenceVersionsRequest, context: Context
    ) -> pb.ListReferenceVersionsResponse:
        found = await self._parts.store.versions(request.reference_id)
        return pb.ListReferenceVersionsResponse(
            references=[translate.reference(stored, whole=False) for stored in found]
        )

    async def ActivateReference(
        self, request: pb.ActivateReferenceRequest, context: Context
    ) -> pb.ActivateReferenceResponse:
        stored = await self._parts.store.activate(request.reference_id, request.version)
        return pb.ActivateReferenceResponse(reference=translate.reference(stored, whole=False))

    async def GetReferenceStrip(
        self, request: pb.GetReferenceStripRequest, context: Context
    ) -> pb.GetReferenceStripResponse:
        stored = await self._parts.store.get(request.reference_id, request.version)
        strip = await self._parts.store.strip(stored)
        if strip is None:
            raise NotFound(
                f"version {stored.version} of reference {stored.reference_id!r} has no pictures: "
                f"build it again from its video",
                reason="NO_STRIP",
            )
        return pb.GetReferenceStripResponse(jpeg=strip.jpeg, frames=strip.frames)

    async def ExportReference(
        self, request: pb.ExportReferenceRequest, context: Context
    ) -> AsyncIterator[pb.ExportReferenceResponse]:
        stored = await self._parts.store.get(request.reference_id, request.version)
        strip = await self._parts.store.strip(stored)
        carried = interchange.Carried(
            stored.name, stored.videos, stored.template, strip, stored.calibration, stored.labels
        )
        data = await asyncio.to_thread(interchange.to_file, carried)
        for start in range(0, len(data), CHUNK):
            yield pb.ExportReferenceResponse(chunk=data[start : start + CHUNK])

    async def ImportReference(
        self, request_iterator: AsyncIterator[pb.ImportReferenceRequest], context: Context
    ) -> pb.ImportReferenceResponse:
        data = bytearray()
        async for request in request_iterator:
            data += request.chunk
            if len(data) > interchange.LARGEST_BYTES:
                raise TooLarge(
                    f"the file is larger than the {interchange.LARGEST_BYTES >> 20} MB a reference may have"
                )
        stored = await self._parts.builder.take_in(bytes(data))
        return pb.ImportReferenceResponse(reference=translate.reference(stored, whole=True))
