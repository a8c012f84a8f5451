"""One file from a publisher's address: resumed where it stopped, bounded, and checked against its hash."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from placewise.opendata.catalogue import is_allowed

Progress = Callable[[int, int], None]

MOST_BYTES = 2 << 30
ATTEMPTS = 5
MOST_STEPS = 10
TIMEOUT = (20.0, 60.0)
# of a connection that breaks, what came since the last whole block is lost
_BLOCK = 1 << 14
_AGAIN = "run the same command again: it goes on where it stopped"
_BUSY = {408, 425, 429, 500, 502, 503, 504}
# an archive or a table must not be changed on the way by a compression of the transfer
_HEADERS = {"User-Agent": "placewise", "Accept-Encoding": "identity"}


class FetchError(Exception):
    """A download that cannot be used: what was found, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


class UnreachableError(FetchError):
    """Nobody answers at the address; the other files of the same host need not be asked for."""


class ChangedError(FetchError):
    """The file is not the one whose hash is known."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"the file has changed: its SHA-256 is {found}, expected {expected}")
        self.expected, self.found = expected, found


def fetch_file(
    address: str, target: Path, partial: Path, known: str = "", *, progress: Progress, pause: float = 1.0
) -> str:
    """Download one file.

    Parameters
    ----------
    address : str
        https, or http on this machine.
    target : Path
        File to write, in a folder of its own; it appears only when it is whole and its hash fits.
    partial : Path
        File that keeps what has come so far, for the next attempt or run.
    known : str
        SHA-256 that the file must have; empty where none is known yet.
    progress : callable
        Gets the bytes so far and in all (0 where that is not known).
    pause : float
        Seconds before the second attempt; doubled for each further one.

    Returns
    -------
    str
        SHA-256 of the file.

    Raises
    ------
    FetchError
        No answer, an answer that is an error or a web page, a file that stays cut short or grows beyond bounds.
    ChangedError
        The file's hash is not the known one.
    """
    import pooch

    pooch.get_logger().setLevel(logging.ERROR)
    downloader = _Resuming(partial, progress, pause)
    try:
        pooch.retrieve(
            address,
            known_hash=f"sha256:{known}" if known else None,
            fname=target.name,
            path=target.parent,
            downloader=downloader,
        )
    except ValueError as error:
        if known and downloader.digest != known:
            raise ChangedError(known, downloader.digest) from error
        raise
    finally:
        if downloader.digest:
            _forget(partial)
    return downloader.digest


class _Resuming:
    """What pooch calls to bring a file: attempts that each go on where the one before stopped."""

    def __init__(self, partial: Path, progress: Progress, pause: float) -> None:
        self.partial, self.progress, self.pause = partial, progress, pause
        self.digest = ""

    def __call__(self, address: str, output: str, _: Any, check_only: bool = False) -> None:
        self.partial.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(self.pause * 2 ** (attempt - 1))
            try:
                if self._attempt(address, last=attempt == ATTEMPTS - 1):
                    break
            except UnreachableError:
                if attempt:
                    raise
        else:
            raise FetchError("the publisher does not give the rest of the file", _AGAIN)
        with self.partial.open("rb") as file:
            self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.partial.replace(output)

    def _attempt(self, address: str, last: bool) -> bool:
        """Bring what is missing; False where another attempt is worth while."""
        import requests

        start, headers = _what_is_there(self.partial, address)
        try:
            with answer(address, {**_HEADERS, **headers}) as response:
                if response.status_code in _BUSY and not last:
                    return False
                if response.status_code == 416 or not _goes_on(response, start):
                    _forget(self.partial)
                    return False
                _refuse_error(response)
                if response.status_code != 206:
                    start = 0
                return self._take(response, address, start, last)
        except requests.RequestException as error:
            if last:
                size = self.partial.stat().st_size if self.partial.exists() else 0
                found = f"the connection breaks off after {size:,} bytes ({type(error).__name__})"
                raise FetchError(found, _AGAIN) from error
            return False

    def _take(self, response: Any, address: str, start: int, last: bool) -> bool:
        length = int(response.headers.get("Content-Length") or 0)
        total = start + length if length else 0
        if total > MOST_BYTES:
            raise FetchError(f"the file has {total:,} bytes, expected at most {MOST_BYTES:,}", "is the address right?")
        blocks = response.iter_content(_BLOCK)
        first = next(blocks, b"")
        if not start:
            _refuse_page(response, first)
        _remember(self.partial, address, response)
        done = start
        with self.partial.open("ab" if start else "wb") as file:
            for block in itertools.chain([first], blocks):
                file.write(block)
                done += len(block)
                if done > MOST_BYTES:
                    break
                self.progress(done, total)
        if done > MOST_BYTES:
            _forget(self.partial)
            raise FetchError(f"the file goes on after {MOST_BYTES:,} bytes", "is the address right?")
        if total and done < total:
            if last:
                raise FetchError(f"the file was cut short at {done:,} of {total:,} bytes", _AGAIN)
            return False
        return True


@contextmanager
def answer(
    address: str, headers: dict[str, str] | None = None, parameters: dict[str, str] | None = None
) -> Iterator[Any]:
    """The publisher's answer, its content not yet read.

    Raises
    ------
    FetchError
        The address, or one that it leads to, is not allowed.
    UnreachableError
        There is no answer.
    """
    import requests

    for _ in range(MOST_STEPS):
        if not is_allowed(address):
            raise FetchError(f"the address leads to {address[:200]!r}", "only https is followed")
        try:
            response = requests.get(
                address,
                params=parameters,
                headers=headers or _HEADERS,
                stream=True,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            found = f"{urlsplit(address).hostname} cannot be reached ({type(error).__name__})"
            raise UnreachableError(found, "is there a connection?") from error
        with response:
            if not response.is_redirect:
                yield response
                return
            address, parameters = urljoin(address, response.headers["Location"]), None
    raise FetchError(f"the address leads on and on, more than {MOST_STEPS} times", "is the address right?")


def _goes_on(response: Any, start: int) -> bool:
    """Whether a part that is given begins where the bytes that are there end."""
    given = str(response.headers.get("Content-Range", "")).lower().removeprefix("bytes").strip()
    return bool(response.status_code != 206) or given.startswith(f"{start}-")


def _refuse_error(response: Any) -> None:
    if response.status_code >= 400:
        raise FetchError(f"the publisher answers {response.status_code} {response.reason}", "has the file moved?")


def _refuse_page(response: Any, first: bytes) -> None:
    """A web page in the place of a file: an error told in HTML, a form, a login."""
    head = first[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    kind = response.headers.get("Content-Type", "").lower()
    if "text/html" in kind or head.startswith((b"<!doctype html", b"<html")):
        raise FetchError("the publisher answers with a web page, expected a file", "has the file moved?")


def _note(partial: Path) -> Path:
    return partial.with_name(partial.name + ".json")


def _remember(partial: Path, address: str, response: Any) -> None:
    """Keep by which mark the publisher tells editions of the file apart."""
    mark = response.headers.get("ETag") or ""
    if not mark or mark.startswith("W/"):
        mark = response.headers.get("Last-Modified") or ""
    _note(partial).write_text(json.dumps({"address": address, "mark": mark}), encoding="utf-8")


def _what_is_there(partial: Path, address: str) -> tuple[int, dict[str, str]]:
    """Bytes that an earlier attempt brought, and the headers that ask for the rest of the same edition."""
    try:
        note = json.loads(_note(partial).read_text(encoding="utf-8"))
        size = partial.stat().st_size
    except (OSError, ValueError):
        return 0, {}
    if not size or not note.get("mark") or note.get("address") != address:
        return 0, {}
    return size, {"Range": f"bytes={size}-", "If-Range": note["mark"]}


def _forget(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _note(partial).unlink(missing_ok=True)
