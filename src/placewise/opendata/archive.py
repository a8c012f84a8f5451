"""One file out of a zip archive, bounded: its path inside the archive never becomes a path on this machine."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from placewise.errors import nearest
from placewise.geography.delimited import UnreadableError

MOST_MEMBERS = 10_000
MOST_BYTES = 1 << 30
_BLOCK = 1 << 20
_AGAIN = "fetch it again"


def extract_member(archive: Path, member: str, target: Path) -> None:
    """Write one member of a zip archive to ``target``; nothing else of the archive is looked at.

    Parameters
    ----------
    archive : Path
        Zip file.
    member : str
        Full name inside the archive.
    target : Path
        File to write; removed again after an error.

    Raises
    ------
    UnreadableError
        No zip archive, cut short or damaged; the member is absent, there twice, encrypted, packed in
        another way, or unpacks to more than ``MOST_BYTES``.
    """
    try:
        with zipfile.ZipFile(archive) as box:
            info = _only(box, member)
            with box.open(info) as stream, target.open("wb") as out:
                written = 0
                while block := stream.read(_BLOCK):
                    written += len(block)
                    # the size that the archive declares may be a lie
                    if written > MOST_BYTES:
                        raise _too_large(member)
                    out.write(block)
    except UnreadableError:
        target.unlink(missing_ok=True)
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        target.unlink(missing_ok=True)
        raise UnreadableError("the file is cut short or is no zip archive, expected a zip archive", _AGAIN) from error
    except RuntimeError as error:
        # what the standard library raises for a method of packing that it has not
        target.unlink(missing_ok=True)
        what = f"{member!r} is packed in a way that cannot be unpacked here, expected deflate or none"
        raise UnreadableError(what, "unpack it with another program and give the folder by --from") from error


def _only(box: zipfile.ZipFile, member: str) -> zipfile.ZipInfo:
    infos = box.infolist()
    if len(infos) > MOST_MEMBERS:
        raise UnreadableError(f"the archive holds {len(infos):,} files, expected at most {MOST_MEMBERS:,}")
    found = [info for info in infos if info.filename == member]
    if len(found) != 1:
        names = [info.filename for info in infos]
        what = f"the archive holds {len(found)} files named {member!r}, expected one"
        raise UnreadableError(what, nearest(member, names))
    if found[0].flag_bits & 1:
        raise UnreadableError(f"{member!r} is encrypted, expected an open file")
    if found[0].file_size > MOST_BYTES:
        raise _too_large(member)
    return found[0]


def _too_large(member: str) -> UnreadableError:
    return UnreadableError(f"{member!r} unpacks to more than {MOST_BYTES >> 20:,} MB, expected a table of small areas")
