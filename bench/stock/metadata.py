"""Writes into a TFLite model what MediaPipe must know about its input.

A bundle whose models lack it is refused ("requires NormalizationOptions metadata"). mediapipe's own writer does not
import in 1.2 (its native module is gone), but the generated schemas it builds on are there.
"""

import flatbuffers
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata_schema
from mediapipe.tasks.metadata import schema_py_generated as model_schema

_METADATA_ENTRY = "TFLITE_METADATA"
_METADATA_IDENTIFIER = b"M001"
_MODEL_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16


def with_image_input(model: bytes, mean: float, std: float) -> bytes:
    """The model with one RGB image input, each pixel entering as (value - mean) / std.

    Weights come out aligned to 16 bytes, so that TensorFlow Lite uses them in place: those of the detector, as
    published, are not, and each loaded copy would be moved to the heap with a warning.
    """
    root = model_schema.ModelT.InitFromObj(model_schema.Model.GetRootAsModel(model, 0))
    kept = [entry for entry in root.metadata or [] if entry.name != _METADATA_ENTRY.encode()]
    entry = model_schema.MetadataT()
    entry.name = _METADATA_ENTRY
    entry.buffer = len(root.buffers)
    root.metadata = [*kept, entry]
    root.buffers = [
        _AlignedBuffer(b"" if buffer.data is None else bytes(buffer.data)) for buffer in root.buffers
    ]
    root.buffers.append(_AlignedBuffer(_image_metadata(mean, std)))
    builder = flatbuffers.Builder(len(model) + 65536)
    builder.Finish(root.Pack(builder), _MODEL_IDENTIFIER)
    return bytes(builder.Output())


class _AlignedBuffer:
    """Stands in for BufferT, whose own `Pack` forgets the schema's `force_align: 16`."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 - ModelT.Pack calls it so
        offset = None
        if self._data:
            builder.StartVector(1, len(self._data), _ALIGNMENT)
            builder.head -= len(self._data)
            builder.Bytes[builder.head : builder.head + len(self._data)] = self._data
            offset = builder.EndVector()
        model_schema.BufferStart(builder)
        if offset is not None:
            model_schema.BufferAddData(builder, offset)
        return int(model_schema.BufferEnd(builder))


def _image_metadata(mean: float, std: float) -> bytes:
    options = metadata_schema.NormalizationOptionsT()
    options.mean, options.std = [mean], [std]
    unit = metadata_schema.ProcessUnitT()
    unit.optionsType = metadata_schema.ProcessUnitOptions.NormalizationOptions
    unit.options = options
    image = metadata_schema.ImagePropertiesT()
    image.colorSpace = metadata_schema.ColorSpaceType.RGB
    content = metadata_schema.ContentT()
    content.contentPropertiesType = metadata_schema.ContentProperties.ImageProperties
    content.contentProperties = image
    tensor = metadata_schema.TensorMetadataT()
    tensor.name, tensor.content, tensor.processUnits = "image", content, [unit]
    graph = metadata_schema.SubGraphMetadataT()
    graph.inputTensorMetadata = [tensor]
    root = metadata_schema.ModelMetadataT()
    root.subgraphMetadata = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(root.Pack(builder), _METADATA_IDENTIFIER)
    return bytes(builder.Output())
