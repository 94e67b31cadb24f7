"""libstent.so through ctypes: the structs and functions of include/stent.h, field by field.

tests/test_header.py compares this file with the header. Nothing here is meant for users.
"""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
from ctypes import POINTER, byref, c_bool, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any, Optional, Sequence, Union

from .errors import UsageError

ABI = 1
MAX_RANK = 8
OK, NO, USAGE, BAD, UNSUPPORTED, RESOURCE, CANCELLED = range(7)

#: stent_dtype, in its order from 1 on; numpy's names, but for bfloat16, which it does not have.
DTYPES = ("float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64",
          "uint8", "uint16", "uint32", "uint64", "bool")

PROGRESS = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_double, c_double)
LOG_SINK = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p)
EMIT_GRAPH = ctypes.CFUNCTYPE(None, c_void_p, c_char_p, c_char_p)
TEXTS = POINTER(c_char_p)


class Options(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("threads", c_int),
        ("inputs", TEXTS),
        ("precision", c_char_p),
        ("untuned", c_bool),
        ("max_memory", c_uint64),
        ("log_file", c_char_p),
        ("log_paths", c_bool),
        ("progress", PROGRESS),
        ("progress_context", c_void_p),
        ("arch", c_char_p),
        ("signature", c_char_p),
        ("reserved", c_uint64 * 6),
    ]


class CompileOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("common", Options),
        ("bind", TEXTS),
        ("opt_level", c_int),
        ("pipeline", c_char_p),
        ("sample", c_char_p),
        ("emit_graph", EMIT_GRAPH),
        ("emit_context", c_void_p),
        ("calibrate", c_char_p),
        ("max_dice_loss", c_double),
        ("no_gate", c_bool),
        ("race", c_double),
    ]


class BenchOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("common", Options),
        ("repeat", c_int),
        ("seconds", c_double),
        ("list", c_bool),
        ("versus", c_char_p),
        ("gate", c_bool),
        ("input", c_char_p),
        ("expect", c_char_p),
    ]


class TuneOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("common", Options),
        ("seconds", c_double),
        ("trials", c_int),
        ("early_stop", c_int),
        ("tuner", c_char_p),
        ("layer", c_char_p),
        ("list", c_bool),
        ("seed", c_uint64),
        ("wisdom", c_char_p),
        ("resume", c_bool),
        ("output", c_char_p),
    ]


class ProfileOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("common", Options),
        ("repeat", c_int),
        ("trace", c_char_p),
        ("versus", c_char_p),
    ]


class VerifyOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("common", Options),
        ("against", c_char_p),
        ("input", c_char_p),
        ("expect", c_char_p),
        ("atol", c_double),
        ("rtol", c_double),
        ("layers", c_bool),
        ("protocol", c_char_p),
    ]


class SegmentOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("common", Options),
        ("output", c_char_p),
        ("format", c_char_p),
        ("overlay", c_bool),
        ("prob", c_bool),
        ("threshold", c_double),
        ("shard", c_int),
        ("shards", c_int),
        ("resume", c_bool),
    ]


class EvalOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("common", Options),
        ("masks", c_char_p),
        ("csv", c_char_p),
        ("cases", c_char_p),
        ("resume", c_bool),
        ("merge", c_bool),
        ("shard", c_int),
        ("shards", c_int),
        ("threshold", c_double),
        ("compare", c_char_p),
        ("split", c_char_p),
        ("part", c_char_p),
        ("make_split", c_char_p),
        ("fractions", c_double * 3),
        ("seed", c_uint64),
        ("bootstrap", c_int),
        ("slices", c_int),
        ("report", c_char_p),
    ]


class ReportOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("common", Options),
        ("output", c_char_p),
        ("csv", c_char_p),
        ("title", c_char_p),
    ]


class Tensor(ctypes.Structure):
    _fields_ = [
        ("dtype", c_int),
        ("rank", c_int),
        ("dim", c_int64 * MAX_RANK),
        ("data", c_void_p),
    ]


#: Structs of the header by name.
STRUCTS = {
    "stent_options": Options,
    "stent_compile_options": CompileOptions,
    "stent_bench_options": BenchOptions,
    "stent_tune_options": TuneOptions,
    "stent_profile_options": ProfileOptions,
    "stent_verify_options": VerifyOptions,
    "stent_segment_options": SegmentOptions,
    "stent_eval_options": EvalOptions,
    "stent_report_options": ReportOptions,
    "stent_tensor": Tensor,
}

_RESULT = POINTER(c_void_p)
#: Functions by name: result and arguments. Handles are void pointers.
FUNCTIONS = {
    "stent_version": (c_char_p, []),
    "stent_abi": (c_int, []),
    "stent_message": (c_char_p, []),
    "stent_log": (None, [LOG_SINK, c_void_p, c_int]),
    "stent_result_text": (c_char_p, [c_void_p]),
    "stent_result_json": (c_char_p, [c_void_p]),
    "stent_result_free": (None, [c_void_p]),
    "stent_compile": (c_int, [c_char_p, c_char_p, POINTER(CompileOptions), _RESULT]),
    "stent_info": (c_int, [c_char_p, POINTER(Options), _RESULT]),
    "stent_machine": (c_int, [c_bool, POINTER(Options), _RESULT]),
    "stent_open": (c_int, [c_char_p, POINTER(Options), POINTER(c_void_p)]),
    "stent_release": (None, [c_void_p]),
    "stent_input_count": (c_int, [c_void_p]),
    "stent_output_count": (c_int, [c_void_p]),
    "stent_input": (c_char_p, [c_void_p, c_int, POINTER(Tensor)]),
    "stent_output": (c_char_p, [c_void_p, c_int, POINTER(Tensor)]),
    "stent_session_create": (c_int, [c_void_p, POINTER(c_void_p)]),
    "stent_session_destroy": (None, [c_void_p]),
    "stent_run": (c_int, [c_void_p, POINTER(Tensor), c_int, POINTER(Tensor), c_int]),
    "stent_bench": (c_int, [c_char_p, POINTER(BenchOptions), _RESULT]),
    "stent_tune": (c_int, [c_char_p, POINTER(TuneOptions), _RESULT]),
    "stent_profile": (c_int, [c_char_p, POINTER(ProfileOptions), _RESULT]),
    "stent_verify": (c_int, [c_char_p, POINTER(VerifyOptions), _RESULT]),
    "stent_segment": (c_int, [c_char_p, TEXTS, c_int, POINTER(SegmentOptions), _RESULT]),
    "stent_eval": (c_int, [c_char_p, TEXTS, c_int, POINTER(EvalOptions), _RESULT]),
    "stent_report": (c_int, [TEXTS, c_int, POINTER(ReportOptions), _RESULT]),
}


def library_path() -> str:
    """The library that is taken: STENT_LIBRARY, else the one that was installed with this package."""
    named = os.environ.get("STENT_LIBRARY")
    return os.path.abspath(named) if named else os.path.join(os.path.dirname(os.path.abspath(__file__)), "libstent.so")


def _load() -> ctypes.CDLL:
    path = library_path()
    if not os.path.exists(path):
        raise ImportError(f"{path} is not there: `pip install .` builds it, or STENT_LIBRARY names one")
    try:
        library = ctypes.CDLL(path)
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise ImportError(f"{path} cannot be used: {error}") from error
    abi = library.stent_abi()
    if abi != ABI:
        raise ImportError(f"{path} has version {abi} of the interface, this package wants {ABI}")
    return library


lib = _load()

# Lines for the person at the terminal become records of the logger "stent": notes are warnings (shown unless logging is
# set up otherwise), what the program shows with -v is info.
_logger = logging.getLogger("stent")


def _log(_context: Any, level: int, line: bytes) -> None:
    try:
        _logger.log(logging.WARNING if level == 1 else logging.INFO, "%s", text_of(line))
    except BaseException:
        pass  # there is C code below, which no exception may cross


def text_of(text: Optional[bytes]) -> str:
    """A string of the library."""
    return text.decode("utf-8", "replace") if text else ""


_log_sink = LOG_SINK(_log)
lib.stent_log(_log_sink, None, 2)
atexit.register(lib.stent_log, LOG_SINK(0), None, 0)


Text = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


def bytes_of(text: Text) -> bytes:
    """A path, or another text, for the library."""
    encoded = os.fsencode(text)
    if b"\0" in encoded:
        raise UsageError(f"a NUL byte in {text!r}")
    return encoded


def optional(text: Optional[Text]) -> Optional[bytes]:
    return None if text is None else bytes_of(text)


def count_of(name: str, value: int, end: int = 1 << 31) -> int:
    """A number for an int of the library (or what ends at `end`): ctypes would cut one that is too large."""
    if not -end <= value < end:
        raise UsageError(f"{name}: expected a count, got {value}")
    return value


def texts_of(items: Sequence[Text]) -> Any:
    """A NULL-terminated list of strings, as the library wants it; None when there are none."""
    if not items:
        return None
    array = (c_char_p * (len(items) + 1))(*[bytes_of(item) for item in items], None)
    return ctypes.cast(array, TEXTS)  # keeps `array`


def reference(struct: ctypes.Structure) -> Any:
    """A pointer to an option struct, with its size set."""
    struct.size = ctypes.sizeof(struct)
    return byref(struct)
