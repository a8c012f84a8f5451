"""Arrays of a release in one file: numpy's npz, not compressed but aligned: they need not be copied to be used."""

from __future__ import annotations

import io
import mmap
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from placewise.errors import DataError, Problem

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_ALIGN = 64
_LOCAL_HEADER = 30
_ZIP64 = 20
_PADDING = 0xD935  # the extra field by which zipalign pads


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """An npz file whose bytes depend on the arrays only: numpy's own would carry the time of day."""
    with path.open("wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy", _LONG_AGO)
            begins = file.tell() + _LOCAL_HEADER + len(info.filename.encode()) + 4 + _ZIP64
            padding = -begins % _ALIGN
            info.extra = struct.pack("<HH", _PADDING, padding) + bytes(padding)
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays by name, mapped from the file: only what is used is read, and writing to them leaves the file as it is.

    Nothing is unpickled and no name becomes a path. The file's integrity is the caller's to check.

    Raises
    ------
    DataError
        This is no such file.
    """
    try:
        with path.open("rb") as file:
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
        return {info.filename.removesuffix(".npy"): _array(whole, info) for info in members}
    except (ValueError, OSError, struct.error, zipfile.BadZipFile) as error:
        raise DataError(Problem(str(path), f"its arrays cannot be read: {error}", kind="data")) from error


def _array(whole: mmap.mmap, info: zipfile.ZipInfo) -> np.ndarray:
    """One array of the mapped file; copied where it is not aligned, which kernels need."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{info.filename} is compressed, expected to be stored as it is")
    name, extra = struct.unpack_from("<HH", whole, info.header_offset + _LOCAL_HEADER - 4)
    begins = info.header_offset + _LOCAL_HEADER + name + extra
    head = io.BytesIO(whole[begins : begins + min(info.file_size, 1 << 16)])
    version = np.lib.format.read_magic(head)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(head)
    if dtype.hasobject or fortran:
        raise ValueError(f"{info.filename} holds no plain numbers")
    count = int(np.prod(shape, dtype=np.int64))
    if head.tell() + count * dtype.itemsize != info.file_size or begins + info.file_size > len(whole):
        raise ValueError(f"{info.filename} is cut short")
    if count == 0:
        return np.empty(shape, dtype)
    array = np.frombuffer(whole, dtype, count, begins + head.tell()).reshape(shape)
    return array if array.flags.aligned else array.copy()
