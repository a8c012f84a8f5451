import zipfile

import numpy as np
import pytest

from placewise.errors import DataError
from placewise.estimates.arrays import read_arrays, write_arrays

ARRAYS = {
    "a": np.arange(7, dtype=np.float32),
    "effect0.draws": np.arange(12.0).reshape(3, 4),
    "flags": np.array([True, False]),
    "none": np.empty((0, 5)),
    "one": np.array(3, dtype=np.int64),
}


def test_arrays_come_back_aligned_and_as_numpy_reads_them(tmp_path):
    path = tmp_path / "arrays.npz"
    write_arrays(path, ARRAYS)
    found = read_arrays(path)
    assert list(found) == list(ARRAYS)
    with np.load(path, allow_pickle=False) as stored:
        for name, array in ARRAYS.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)
            assert np.array_equal(stored[name], array)
            assert found[name].flags.aligned
            assert found[name].flags.writeable
            assert found[name].size == 0 or found[name].ctypes.data % 64 == 0


def test_the_bytes_depend_on_the_arrays_only_and_writing_leaves_the_file(tmp_path):
    for name in ("one", "two"):
        write_arrays(tmp_path / name, ARRAYS)
    before = (tmp_path / "one").read_bytes()
    assert before == (tmp_path / "two").read_bytes()
    read_arrays(tmp_path / "one")["a"][:] = 9
    assert (tmp_path / "one").read_bytes() == before


def test_a_file_of_numpys_own_is_read_too(tmp_path):
    np.savez(tmp_path / "arrays.npz", **ARRAYS)
    found = read_arrays(tmp_path / "arrays.npz")
    assert all(np.array_equal(found[name], array) and found[name].flags.aligned for name, array in ARRAYS.items())


def test_what_is_no_such_file_is_refused(tmp_path):
    write_arrays(tmp_path / "whole", ARRAYS)
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:300])
    (tmp_path / "empty").write_bytes(b"")
    np.savez(tmp_path / "pickled.npz", a=np.array([{}], dtype=object))
    np.savez_compressed(tmp_path / "packed.npz", **ARRAYS)
    with zipfile.ZipFile(tmp_path / "lies.npz", "w") as archive, archive.open("a.npy", "w") as member:
        np.lib.format.write_array(member, np.arange(4.0))
        member.write(b"more")
    for name in ("cut", "empty", "pickled.npz", "packed.npz", "lies.npz"):
        with pytest.raises(DataError, match="its arrays cannot be read"):
            read_arrays(tmp_path / name)
