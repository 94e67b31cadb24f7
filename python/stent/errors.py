"""What goes wrong, as exceptions. Their numbers are stent_status of include/stent.h and the program's exit status."""

from __future__ import annotations

from typing import Any, Optional


class Error(Exception):
    """A call of the library did not do what it was asked for; str() is the library's one line.

    Its messages name options as the program does: ``--max-memory`` is ``max_memory=`` here, ``--input x=1x3x256x256``
    is ``inputs={"x": (1, 3, 256, 256)}``.
    """

    status: int = 1  # done, and the answer is no: the masks of bf16 lose too much

    def __init__(self, message: str, result: Optional[Any] = None) -> None:
        super().__init__(message)
        #: What was done all the same (`stent.Result`), where there is any: `segment` with pictures that cannot be read,
        #: `evaluate` with faults.
        self.result = result


class UsageError(Error):
    """Wrong arguments."""

    status = 2


class BadInputError(Error):
    """Bad or damaged input: a file, or an array of the wrong shape or dtype."""

    status = 3


class UnsupportedError(Error):
    """Well-formed, but an operator or feature is not had; the message names it."""

    status = 4


class ResourceError(Error):
    """No memory, no disk, no permission."""

    status = 5


class Cancelled(Error):
    """The `progress` callable said so."""

    status = 6


_KINDS = (Error, UsageError, BadInputError, UnsupportedError, ResourceError, Cancelled)
_BY_STATUS = {kind.status: kind for kind in _KINDS}


def error_of(status: int, message: str, result: Optional[Any] = None) -> Error:
    """The exception for a status of the library."""
    return _BY_STATUS.get(status, Error)(message or f"status {status}", result)
