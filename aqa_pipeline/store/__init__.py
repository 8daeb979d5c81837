"""The feature store: the one package that imports h5py. A folder of whole records, or one packed file."""

from aqa_pipeline.disk.files import file_name, write_whole
from aqa_pipeline.store.content import MappedRecord, Stored
from aqa_pipeline.store.feature_store import Store, StreamSummary
from aqa_pipeline.store.origin import NEW_VIDEOS, Origin, read_origin, write_origin
from aqa_pipeline.store.places import Problem
from aqa_pipeline.store.repair import Repaired, repair
from aqa_pipeline.store.sharing import Unpacked, export, pack, unpack

__all__ = [
    "NEW_VIDEOS",
    "MappedRecord",
    "Origin",
    "Problem",
    "Repaired",
    "Store",
    "Stored",
    "StreamSummary",
    "Unpacked",
    "export",
    "file_name",
    "pack",
    "read_origin",
    "repair",
    "unpack",
    "write_origin",
    "write_whole",
]
