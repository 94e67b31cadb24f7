"""Calling verbs: their common options, progress, Ctrl-C, and results."""

from __future__ import annotations

import ctypes
import html
import json
import signal
import threading
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar, Union

from . import _library as c
from .errors import UsageError, error_of

Progress = Callable[[float, str], Any]
Shape = Sequence[int]
Shapes = Union[None, Shape, Mapping[str, Shape]]

#: Options that every call takes which opens a package, with their defaults.
COMMON: Dict[str, Any] = {
    "threads": 0,  # 0: STENT_THREADS, else the physical cores that the process may use
    "precision": None,  # None: the package's; "strict", "fp32", "bf16": no less exact than the package's
    "untuned": False,  # ignore stored plans
    "max_memory": 0,  # bytes; 0: the machine's
    "log": None,  # a file to which lines of the run are added; no picture's name, only hashes
    "log_paths": False,  # in these lines also paths and messages, which may name a patient
}


class Result:
    """What a verb found: `text` for people, `json` for programs (keys: docs/INTERFACE.md).

    ``result["median_ms"]`` is short for ``result.json["median_ms"]``.
    """

    def __init__(self, status: int, text: str, json_text: str) -> None:
        #: 0, or 1: done, and the answer is no (`verify` differs, `bench(gate=True)` was slower).
        self.status = status
        self.text = text
        self.json: Dict[str, Any] = json.loads(json_text)
        #: As the library wrote it.
        self.json_text = json_text

    @property
    def ok(self) -> bool:
        """Whether the answer is yes."""
        return self.status == c.OK

    def __bool__(self) -> bool:
        return self.ok

    def __getitem__(self, key: str) -> Any:
        return self.json[key]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<stent.{type(self).__name__} of {self.json.get('verb')}{'' if self.ok else ': no'}>"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"


class Profile(Result):
    """Layer by layer: `layers` has a dict for each step of the plan; a notebook shows a table."""

    @property
    def layers(self) -> List[Dict[str, Any]]:
        """Keys: name, op, shape, parts, solver, configuration, ms, gflops, limit_gflops, part_of_limit, waiting, why,
        fallback (docs/INTERFACE.md)."""
        layers: List[Dict[str, Any]] = self.json["layers"]
        return layers

    def _repr_html_(self) -> str:
        headings = ("name", "op", "shape", "solver", "ms", "part", "GFLOP/s", "limit", "of it", "why")
        whole = self.json.get("sum_ms") or 0
        rows = []
        for layer in self.layers:
            ms = layer["ms"] or 0
            counts = bool(layer["gflops"])  # of floating-point operations: moving data has none
            cells = (
                (layer["name"], ""), (layer["op"], ""), (layer["shape"], ""),
                (f"{layer['solver']} {layer['configuration']}", ""), (f"{ms:.3f}", "r"),
                (f"{100 * ms / whole:.0f} %" if whole else "-", "r"),
                (f"{layer['gflops']:.1f}" if counts else "-", "r"),
                (f"{layer['limit_gflops'] or 0:.1f}" if counts else "-", "r"),
                ("-" if layer["fallback"] else f"{100 * (layer['part_of_limit'] or 0):.0f} %", "r"),
                (("FALLBACK: " if layer["fallback"] else "") + layer["why"], ""),
            )
            rows.append("<tr>" + "".join(
                f"<td style='text-align:{'right' if side else 'left'}'>{html.escape(text)}</td>" for text, side in cells
            ) + "</tr>")
        head = "".join(f"<th style='text-align:left'>{heading}</th>" for heading in headings)
        whole_ms = self.json.get("whole_ms") or 0
        return (f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
                f"<p>steps together {whole:.3f} ms, whole run {whole_ms:.3f} ms</p>")


R = TypeVar("R", bound=Result)


class _Watch:
    """Progress and Ctrl-C during one call of the library.

    Python runs signal handlers between bytecodes, so while the library works that is when it calls back. What a handler
    raises there comes up before the first line of the callback, and is lost in ctypes. Hence in the main thread SIGINT
    only sets a flag during the call, the callback stops the call, and the handler that was there before runs afterwards
    (Python's own raises KeyboardInterrupt). Other threads change nothing: signals go to the main thread.
    """

    def __init__(self, progress: Optional[Progress]) -> None:
        self.progress = progress
        self.error: Optional[BaseException] = None
        self.stopped = False
        self.interrupt: Optional[Tuple[int, Any]] = None
        self.before: Any = None
        self.callback = c.PROGRESS(self._report)

    def _report(self, _context: Any, stage: Optional[bytes], done: float, total: float) -> int:
        try:
            if self.progress is not None and self.error is None:
                fraction = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
                self.stopped = bool(self.progress(fraction, c.text_of(stage))) or self.stopped
        except BaseException as error:
            self.error = error  # raised again when the call has come back
        return int(self.stopped or self.error is not None or self.interrupt is not None)

    def _interrupted(self, number: int, frame: Any) -> None:
        self.interrupt = (number, frame)

    def __enter__(self) -> "_Watch":
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):  # neither SIG_DFL nor SIG_IGN, nor set by other than Python
                try:
                    signal.signal(signal.SIGINT, self._interrupted)
                    self.before = before
                except ValueError:  # another interpreter of this process has the signals
                    pass
        return self

    def __exit__(self, *_raised: Any) -> None:
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def raise_what_stopped(self) -> None:
        """After the call: the exception of the progress callable, or what Ctrl-C means here."""
        if self.error is not None:
            raise self.error
        if self.interrupt is not None:
            self.before(*self.interrupt)


def shape_items(shapes: Shapes) -> List[str]:
    """{"x": (1, 3, 256, 256)}, or the shape alone for the only input, as the library takes it."""
    if shapes is None:
        return []
    if isinstance(shapes, Mapping):
        return [f"{name}={_shape_text(shape)}" for name, shape in shapes.items()]
    return [_shape_text(shapes)]


def _shape_text(shape: Any) -> str:
    dims: Optional[List[int]] = None
    try:
        dims = [int(dim) for dim in shape if dim == int(dim)]
    except (TypeError, ValueError):
        pass
    if dims is None or isinstance(shape, (str, bytes)) or len(dims) != len(shape):
        raise UsageError(f"inputs: expected a shape such as (1, 3, 256, 256), got {shape!r}")
    return "x".join(str(dim) for dim in dims) if dims else "scalar"


def take_common(options: Mapping[str, Any], defaults: Mapping[str, Any] = COMMON) -> Dict[str, Any]:
    """`options` over `defaults`; TypeError for a name that is none of theirs, as Python says it of any call."""
    for name in options:
        if name not in COMMON:
            raise TypeError(f"unexpected option {name!r}; there are {', '.join(COMMON)}")
    return {**defaults, **options}


def fill_common(struct: c.Options, common: Mapping[str, Any], inputs: Sequence[str], watch: Optional[_Watch]) -> None:
    """The struct of the library for `common` (take_common); size is the caller's."""
    struct.threads = c.count_of("threads", common["threads"])
    struct.inputs = c.texts_of(inputs)
    struct.precision = c.optional(common["precision"])
    struct.untuned = bool(common["untuned"])
    memory = int(common["max_memory"] or 0)
    if not 0 <= memory < 1 << 64:
        raise UsageError(f"max_memory: expected bytes, got {memory}")
    struct.max_memory = memory
    struct.log_file = c.optional(common["log"])
    struct.log_paths = bool(common["log_paths"])
    struct.arch = c.optional(common.get("arch"))
    struct.signature = c.optional(common.get("signature"))
    if watch is not None:
        struct.progress = watch.callback


def call(
    kind: Type[R],
    function: Any,
    struct: ctypes.Structure,
    common: Mapping[str, Any],
    inputs: Sequence[str],
    progress: Optional[Progress],
    *arguments: Any,
    no_is_error: bool = False,
) -> R:
    """Calls a verb, ``function(*arguments, &struct, &result)``, and gives its result, a `kind` of Result.

    Raises what its status says; STENT_NO gives the result, whose `ok` is False, unless `no_is_error`.
    """
    watch = _Watch(progress)
    filled: Any = getattr(struct, "common", struct)
    fill_common(filled, common, inputs, watch)
    pointer = c.reference(struct)
    out = ctypes.c_void_p()
    with watch:
        status = function(*arguments, pointer, ctypes.byref(out))
        message = c.text_of(c.lib.stent_message())
    try:
        result = kind(status, c.text_of(c.lib.stent_result_text(out)), c.text_of(c.lib.stent_result_json(out))) \
            if out.value else None
    finally:
        c.lib.stent_result_free(out)
    watch.raise_what_stopped()
    if result is not None and (status == c.OK or status == c.NO and not no_is_error):
        return result
    raise error_of(status, message, result)


def open_executable(package: bytes, common: Mapping[str, Any], inputs: Sequence[str],
                    progress: Optional[Progress]) -> int:
    """stent_open; the handle."""
    watch = _Watch(progress)
    struct = c.Options()
    fill_common(struct, common, inputs, watch)
    out = ctypes.c_void_p()
    with watch:
        status = c.lib.stent_open(package, c.reference(struct), ctypes.byref(out))
        message = c.text_of(c.lib.stent_message())
    try:
        watch.raise_what_stopped()
    except BaseException:
        c.lib.stent_release(out)
        raise
    if status != c.OK or out.value is None:
        raise error_of(status, message)
    return out.value
