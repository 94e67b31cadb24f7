"""A network: compiled, or opened from a package; run on numpy arrays, and the verbs of the program as methods."""

from __future__ import annotations

import collections
import contextlib
import ctypes
import errno
import io
import json
import os
import shutil
import tempfile
import threading
import weakref
from typing import Any, Deque, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type, Union

import numpy

from . import _library as c
from ._calls import Profile, Progress, R, Result, Shapes, call, open_executable, shape_items, take_common
from ._sources import array_file, model_file
from .errors import BadInputError, Error, UsageError, error_of

Path = Union[str, "os.PathLike[str]"]
Dims = Tuple[Union[int, str, None], ...]

# As the library tells what the user named wrongly from what the machine lacks (src/base/status.c).
_NAMED_WRONG = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EEXIST, errno.EINVAL)

#: Executables of different shapes that a network keeps; each has prepared weights of its own.
KEPT_SHAPES = 4


class Value(NamedTuple):
    """An input or output of a network."""

    name: str
    #: numpy's name of it, "float32"; "bfloat16", which numpy lacks, is uint16 with its bits (or ml_dtypes' bfloat16).
    dtype: str
    #: Free dims have a name, or None; None instead of all: not even their number is known before inputs are.
    shape: Optional[Dims]


def _dims_text(dims: Optional[Sequence[Any]]) -> str:
    if dims is None:
        return "of unknown shape"
    return "x".join("?" if dim is None else str(dim) for dim in dims) or "scalar"


def _numpy_dtype(name: str) -> "numpy.dtype[Any]":
    return numpy.dtype("uint16" if name == "bfloat16" else name)


# ---- handles


def _destroy_session(handle: int, process: int) -> None:
    if os.getpid() == process:  # after fork() its threads are not there to be ended
        c.lib.stent_session_destroy(handle)


class _Session:
    """stent_session: memory and threads for one run at a time, with the tensors that describe inputs and outputs."""

    def __init__(self, executable: "_Executable") -> None:
        out = ctypes.c_void_p()
        status = c.lib.stent_session_create(executable.handle, ctypes.byref(out))
        if status != c.OK or out.value is None:
            raise error_of(status, c.text_of(c.lib.stent_message()))
        self.handle = out.value
        self.process = os.getpid()
        self.inputs = (c.Tensor * max(len(executable.inputs), 1))(*executable.input_tensors)
        self.outputs = (c.Tensor * max(len(executable.outputs), 1))(*executable.output_tensors)
        # At exit the system takes memory and threads back; a daemon thread may still be running then.
        weakref.finalize(self, _destroy_session, self.handle, self.process).atexit = False


class _Executable:
    """stent_executable: one set of shapes on this machine; threads share it, each run has a session for itself.

    It goes when nobody holds it: a run that is under way keeps it.
    """

    def __init__(self, package: bytes, common: Mapping[str, Any], inputs: Sequence[str],
                 progress: Optional[Progress]) -> None:
        self.handle = open_executable(package, common, inputs, progress)
        weakref.finalize(self, c.lib.stent_release, self.handle).atexit = False
        count_inputs, count_outputs = c.lib.stent_input_count(self.handle), c.lib.stent_output_count(self.handle)
        self.inputs, self.input_tensors = self._values(c.lib.stent_input, count_inputs)
        self.outputs, self.output_tensors = self._values(c.lib.stent_output, count_outputs)
        self.free: Deque[_Session] = collections.deque()

    def _values(self, describe: Any, count: int) -> Tuple[List[Value], List[c.Tensor]]:
        values, tensors = [], []
        for i in range(count):
            tensor = c.Tensor()
            name = c.text_of(describe(self.handle, i, ctypes.byref(tensor)))
            values.append(Value(name, c.DTYPES[tensor.dtype - 1], tuple(tensor.dim[: tensor.rank])))
            tensors.append(tensor)
        return values, tensors

    def shapes(self) -> Tuple[Any, ...]:
        return tuple(value.shape for value in self.inputs)

    def _take_session(self) -> _Session:
        while True:
            try:
                session = self.free.pop()
            except IndexError:
                return _Session(self)
            if session.process == os.getpid():
                return session

    def run(self, arrays: Sequence["numpy.ndarray[Any, Any]"]) -> List["numpy.ndarray[Any, Any]"]:
        """`arrays` have the shapes and dtypes of `inputs`, are dense, row-major and aligned."""
        session = self._take_session()
        shapes: List[Any] = [value.shape for value in self.outputs]
        results = [numpy.empty(shape, _numpy_dtype(value.dtype)) for shape, value in zip(shapes, self.outputs)]
        for tensor, array in zip(session.inputs, arrays):
            tensor.data = array.ctypes.data
        for tensor, array in zip(session.outputs, results):
            tensor.data = array.ctypes.data
        status = c.lib.stent_run(session.handle, session.inputs, len(arrays), session.outputs, len(results))
        message = c.text_of(c.lib.stent_message()) if status != c.OK else ""
        self.free.append(session)
        if status != c.OK:
            raise error_of(status, message)
        return results


# ---- networks


class Network:
    """A package that is open on this machine. Threads may share it: runs at the same time have a session each.

    ``net(x)`` is ``net.run(x)``. Free dims take the shapes of the arrays; up to four sets of shapes stay prepared.
    ``with`` closes it at the end, and so does the garbage collector. Made by `stent.compile` and `stent.open`.

    Every method that calls a verb takes the options of `stent.open` too (``threads=1``, ``inputs=...``), for that call.
    """

    #: What goes in and what comes out: tuples of (name, dtype, shape).
    inputs: Tuple[Value, ...]
    outputs: Tuple[Value, ...]

    def __init__(self, path: Path, *, inputs: Shapes = None, progress: Optional[Progress] = None,
                 **options: Any) -> None:
        self._common = take_common(options)
        self._path = os.path.abspath(os.fsdecode(path))
        self._given = shape_items(inputs)
        self._inputs_given = inputs
        self._lock = threading.Lock()  # of what follows; short
        self._opening = threading.Lock()
        self._executables: "collections.OrderedDict[Tuple[Any, ...], _Executable]" = collections.OrderedDict()
        self._last: Optional[Tuple[Any, ...]] = None  # the shapes that ran last
        self._closed = False
        self._temporary: Optional["weakref.finalize[..., Any]"] = None  # the folder of a package that nobody named
        #: What `stent.compile` found (`stent.Result`); None for a package that was opened.
        self.compiled: Optional[Result] = None
        try:
            executable = self._open(self._given, progress)
        except UsageError as reason:
            self.inputs, self.outputs = self._free_values(reason)
        else:
            self.inputs, self.outputs = tuple(executable.inputs), tuple(executable.outputs)

    # -- opening

    def _open(self, items: Sequence[str], progress: Optional[Progress] = None) -> _Executable:
        executable = _Executable(c.bytes_of(self._path), self._common, items, progress)
        with self._lock:
            if self._closed:
                raise UsageError("the network is closed")
            self._executables[executable.shapes()] = executable
            while len(self._executables) > KEPT_SHAPES:
                self._executables.popitem(last=False)
        return executable

    def _free_values(self, reason: Error) -> Tuple[Tuple[Value, ...], Tuple[Value, ...]]:
        """Of a package with free dims that only inputs will fix. Raises `reason` where that is not what is wrong."""
        try:
            found = self.info().json
        except Error:
            raise reason from None

        def values(key: str) -> Tuple[Value, ...]:
            return tuple(
                Value(value["name"], value["dtype"],
                      None if value["shape"] is None else tuple(None if dim == "?" else dim for dim in value["shape"]))
                for value in found[key]
            )

        inputs = values("inputs")
        if all(value.shape is not None and all(isinstance(dim, int) for dim in value.shape) for value in inputs):
            raise reason
        return inputs, values("outputs")

    def _executable_for(self, shapes: Tuple[Any, ...]) -> _Executable:
        found = self._find(shapes)
        if found is not None:
            return found
        self._refuse_fixed(shapes)
        with self._opening:  # one at a time: a plan is made by all threads
            found = self._find(shapes)
            if found is None:
                found = self._open(shape_items({value.name: shape for value, shape in zip(self.inputs, shapes)}))
                self._last = shapes
        return found

    def _find(self, shapes: Tuple[Any, ...]) -> Optional[_Executable]:
        with self._lock:
            if self._closed:
                raise UsageError("the network is closed")
            found = self._executables.get(shapes)
            if found is not None:
                self._executables.move_to_end(shapes)
                self._last = shapes
            return found

    def _refuse_fixed(self, shapes: Tuple[Any, ...]) -> None:
        """What `inputs=` fixed stays fixed."""
        for value, shape in zip(self.inputs, shapes):
            fixed = self._inputs_given
            if isinstance(fixed, Mapping):
                fixed = fixed.get(value.name)
            if fixed is not None and tuple(fixed) != shape:
                raise BadInputError(f"input '{value.name}': expected {value.dtype} {_dims_text(tuple(fixed))}, "
                                    f"got {_dims_text(shape)}; it was opened with inputs=")

    # -- running

    def run(self, *arrays: Any, **named: Any) -> Any:
        """The outputs for these inputs, given in the order of `inputs` or by name, ``run({"in.1": x})`` too.

        One output: an array; several: a dict by name. Arrays must have the dtype that the network wants: none is cast.
        Those that are not dense and row-major are copied first. Other threads run meanwhile.
        """
        values = self._in_order(arrays, named)
        inputs = [self._checked(value, array) for value, array in zip(self.inputs, values)]
        results = self._executable_for(tuple(array.shape for array in inputs)).run(inputs)
        if len(results) == 1:
            return results[0]
        return {value.name: array for value, array in zip(self.outputs, results)}

    __call__ = run

    def _in_order(self, arrays: Sequence[Any], named: Mapping[str, Any]) -> List[Any]:
        if len(arrays) == 1 and not named and isinstance(arrays[0], Mapping):
            named, arrays = arrays[0], ()
        names = [value.name for value in self.inputs]
        wanted = f"expected {len(names)} input{'s' if len(names) != 1 else ''} ({', '.join(names)})"
        if arrays and named:
            raise UsageError(f"{wanted}, either in that order or by name, got both")
        if not named and len(arrays) != len(names):
            raise UsageError(f"{wanted}, got {len(arrays)}")
        unknown = [name for name in named if name not in names]
        missing = [name for name in names if name not in named]
        if named and (unknown or missing):
            raise UsageError(f"{wanted}, " + (f"got '{unknown[0]}'" if unknown else f"'{missing[0]}' is missing"))
        return [named[name] for name in names] if named else list(arrays)

    @staticmethod
    def _checked(value: Value, given: Any) -> "numpy.ndarray[Any, Any]":
        array = numpy.asarray(given)
        wanted = _numpy_dtype(value.dtype)
        if array.dtype != wanted and not (value.dtype == "bfloat16" and array.dtype.name == "bfloat16"):
            is_number = array.dtype.kind in "biuf"
            hint = f'convert it: x.astype("{wanted.name}")' if is_number else "give an array of numbers"
            raise BadInputError(f"input '{value.name}': expected {value.dtype} {_dims_text(value.shape)}, "
                                f"got {array.dtype} {_dims_text(array.shape)}; {hint}")
        return numpy.require(array, requirements=["C_CONTIGUOUS", "ALIGNED"])

    # -- verbs

    def _call(self, kind: Type[R], function: Any, struct: ctypes.Structure, options: Mapping[str, Any],
              progress: Optional[Progress], *more: Any, bound: bool = False,
              of_model: Optional[Mapping[str, Any]] = None) -> R:
        """A verb on this package; bound: free dims that nothing else fixes are those that ran last; of_model: what is
        said of a model file beside it."""
        with self._lock:
            if self._closed:
                raise UsageError("the network is closed")
            last = self._last
        options = dict(options)
        items = shape_items(options.pop("inputs")) if "inputs" in options else self._given
        if bound and not items and last is not None:
            items = shape_items({value.name: shape for value, shape in zip(self.inputs, last)})
        common = {**take_common(options, self._common), **(of_model or {})}
        return call(kind, function, struct, common, items, progress, c.bytes_of(self._path), *more)

    def info(self, *, progress: Optional[Progress] = None, **options: Any) -> Result:
        """What the package holds, and what running it on this machine will need."""
        return self._call(Result, c.lib.stent_info, c.Options(), options, progress)

    def segment(self, paths: Union[Path, Iterable[Path]], output: Path, *, format: str = "png",
                overlay: bool = False, prob: bool = False, threshold: Optional[float] = None,
                shard: Optional[Tuple[int, int]] = None, resume: bool = False,
                progress: Optional[Progress] = None, **options: Any) -> Result:
        """Pictures in, masks out: `paths` are TIFF and PNG files and folders of them, `output` is a folder.

        overlay: also the outline over the picture; prob: also probabilities; threshold: instead of the package's;
        shard: (i, n), part i of n; resume: leave out what an earlier run has done.
        BadInputError when a picture could not be read; the others are done then, and its `result` tells of them.
        """
        listed = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
        struct = c.SegmentOptions(output=c.bytes_of(output), format=c.bytes_of(format), overlay=overlay, prob=prob,
                                  threshold=-1 if threshold is None else threshold, resume=resume)
        if threshold is not None and threshold < 0:
            raise UsageError(f"threshold: expected a number from 0 on, got {threshold}")
        struct.shard, struct.shards = (c.count_of("shard", part) for part in shard or (0, 0))
        return self._call(Result, c.lib.stent_segment, struct, options, progress, c.texts_of(listed), len(listed))

    def evaluate(self, data: Path, *, masks: Optional[Path] = None, csv: Optional[Path] = None,
                 cases: Optional[Path] = None, resume: bool = False, shard: Optional[Tuple[int, int]] = None,
                 threshold: Optional[float] = None, compare: Optional[Path] = None, split: Optional[Path] = None,
                 part: Optional[str] = None, slices: int = 0, report: Optional[Path] = None, bootstrap: int = 2000,
                 seed: int = 0, progress: Optional[Progress] = None, **options: Any) -> Result:
        """Masks against truth over a data set (docs/FORMATS.md); the figures are in the result (`result["dice_pooled"]`).

        masks: folder of the masks of a folder of pictures; csv: a row a case; cases: the case file, from which `resume`
        goes on; shard: (i, n); compare: another package or a model file; split, part: only these patients; slices: so
        many of each patient as pictures; report: a page (HTML) to write, with 3 slices of each patient unless told.
        BadInputError when the data set had faults; the other cases are evaluated then, and its `result` tells of all.
        """
        if threshold is not None and threshold < 0:
            raise UsageError(f"threshold: expected a number from 0 on, got {threshold}")
        files = {"masks": masks, "csv": csv, "cases": cases, "compare": compare, "split": split, "report": report}
        struct = c.EvalOptions(threshold=-1 if threshold is None else threshold, resume=resume,
                               **{name: c.bytes_of(path) for name, path in files.items() if path is not None})
        struct.part = None if part is None else c.bytes_of(part)
        struct.shard, struct.shards = (c.count_of("shard", number) for number in shard or (0, 0))
        struct.slices, struct.seed = c.count_of("slices", slices), c.count_of("seed", seed)
        struct.bootstrap = c.count_of("bootstrap", bootstrap) or -1
        return self._call(Result, c.lib.stent_eval, struct, options, progress, c.texts_of([data]), 1)

    def tune(self, *, seconds: float = 60, trials: int = 0, early_stop: int = 0, tuner: Optional[str] = None,
             layer: Optional[str] = None, list: bool = False,
             seed: int = 0, wisdom: Optional[Path] = None, resume: bool = False, output: Optional[Path] = None,
             progress: Optional[Progress] = None, **options: Any) -> Result:
        """Chooses by measuring, about `seconds`; changes nothing unless that wins a race (docs/TUNING.md).

        The plan that won is found whenever the package is opened on this machine; this network takes it at once.
        output: a copy of the package that carries the plan.
        """
        struct = c.TuneOptions(seconds=seconds, trials=c.count_of("trials", trials),
                               early_stop=c.count_of("early_stop", early_stop), tuner=c.optional(tuner),
                               layer=c.optional(layer), list=list, seed=c.count_of("seed", seed),
                               wisdom=c.optional(wisdom), resume=resume, output=c.optional(output))
        result = self._call(Result, c.lib.stent_tune, struct, options, progress, bound=True)
        with self._lock:  # they are prepared again, with the plan that stands now
            self._executables.clear()
        return result

    def bench(self, *, seconds: float = 3, repeat: int = 0, list: bool = False,
              versus: Union[None, Path, "Network"] = None, gate: bool = False, input: Any = None,
              progress: Optional[Progress] = None, **options: Any) -> Result:
        """Latency, input tensor to output tensor, by time or in `repeat` runs; in ms.

        versus: another network or package, paired and interleaved; gate: the result's `ok` is False when this one is
        slower. input: an array (several: a dict), or a file; else the self-check's sample.
        """
        with tempfile.TemporaryDirectory(prefix="stent-") as folder:
            struct = c.BenchOptions(seconds=seconds, repeat=c.count_of("repeat", repeat), list=list,
                                    versus=c.optional(_path_of(versus)), gate=gate,
                                    input=c.optional(array_file(folder, "input", input)))
            return self._call(Result, c.lib.stent_bench, struct, options, progress, bound=input is None)

    def profile(self, *, repeat: int = 10, trace: Optional[Path] = None,
                versus: Union[None, Path, "Network", Result] = None,
                progress: Optional[Progress] = None, **options: Any) -> Profile:
        """Layer by layer: time, part of this machine's limit, and why.

        trace: writes Chrome's trace format; versus: another network or package, or an earlier profile.
        """
        with tempfile.TemporaryDirectory(prefix="stent-") as folder:
            if isinstance(versus, Result):
                versus = _write_json(folder, versus)
            struct = c.ProfileOptions(repeat=c.count_of("repeat", repeat), trace=c.optional(trace),
                                      versus=c.optional(_path_of(versus)))
            return self._call(Profile, c.lib.stent_profile, struct, options, progress, bound=True)

    def verify(self, against: Any = None, *, example: Any = None, input: Any = None, expect: Any = None,
               atol: float = 0, rtol: float = 0, layers: bool = False,
               protocol: Optional[Path] = None, arch: Optional[Path] = None, signature: Optional[str] = None,
               progress: Optional[Progress] = None, **options: Any) -> Result:
        """Whether it gives the right answer on this machine; the result's `ok`.

        against: a model, as `stent.compile` takes it (`example`, `arch`, `signature` too), run by the reference; else
        the self-check and the reference. input, expect: arrays (several: dicts) or files, with atol, rtol; layers: who deviates first.
        protocol: a file for a page (HTML) of what was found, to be signed.
        """
        with tempfile.TemporaryDirectory(prefix="stent-") as folder:
            struct = c.VerifyOptions(input=c.optional(array_file(folder, "input", input)),
                                     expect=c.optional(array_file(folder, "expect", expect)), atol=atol, rtol=rtol,
                                     layers=layers, protocol=c.optional(protocol))
            of_model = {"arch": arch, "signature": signature}
            with contextlib.ExitStack() as stack:
                if against is not None:
                    struct.against = c.bytes_of(stack.enter_context(model_file(against, example)))
                return self._call(Result, c.lib.stent_verify, struct, options, progress, bound=input is None,
                                  of_model=of_model)

    # -- the package

    @property
    def path(self) -> str:
        """The package's file; one that `stent.compile` made without a name goes when the network is closed."""
        return self._path

    def save(self, path: Path) -> None:
        """Copies the package; `path` is replaced as a whole, or stays as it is."""
        with self._lock:
            if self._closed:
                raise UsageError("the network is closed")
        target = os.path.abspath(os.fsdecode(path))
        try:
            if os.path.exists(target) and os.path.samefile(target, self._path):
                return
            handle, beside = tempfile.mkstemp(prefix=".stent-", suffix=".tmp", dir=os.path.dirname(target))
            os.close(handle)
            try:
                shutil.copyfile(self._path, beside)
                os.chmod(beside, os.stat(self._path).st_mode & 0o777)
                os.replace(beside, target)
            except BaseException:
                os.unlink(beside)
                raise
        except OSError as error:
            status = c.BAD if error.errno in _NAMED_WRONG else c.RESOURCE
            raise error_of(status, f"{target}: cannot write: {error.strerror or error}") from error

    def close(self) -> None:
        """Gives memory and threads back; runs in other threads end first, by themselves. Twice is fine."""
        with self._lock:
            self._closed = True
            self._executables.clear()
        if self._temporary is not None:
            self._temporary()

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *_raised: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._closed:
            return "<stent.Network, closed>"

        def listed(values: Sequence[Value]) -> str:
            return ", ".join(f"{value.name} {value.dtype} {_dims_text(value.shape)}" for value in values)

        return f"<stent.Network {os.path.basename(self._path)}: {listed(self.inputs)} -> {listed(self.outputs)}>"


def _path_of(other: Union[None, Path, Network]) -> Optional[Path]:
    return other.path if isinstance(other, Network) else other


def _write_json(folder: str, result: Result, name: str = "profile.json") -> str:
    path = os.path.join(folder, name)
    with io.open(path, "w", encoding="utf-8") as file:  # `open` is ours here
        file.write(result.json_text)
    return path


def _remove_folder(folder: str, process: int) -> None:
    if os.getpid() == process:  # after fork() it is still the parent's
        shutil.rmtree(folder, ignore_errors=True)


# ---- what makes them


def open(path: Path, *, inputs: Shapes = None, progress: Optional[Progress] = None, **options: Any) -> Network:
    """Opens a package (.stent) on this machine: plans, prepares weights, and runs its self-check once for a new plan.

    inputs: fixes free dims, ``{"x": (1, 3, 256, 256)}``, or the shape alone for a single input; else the arrays of a
    run do. progress: called as ``progress(part, what)``, part from 0 to 1; if it gives true, the call stops with
    `stent.Cancelled`. Other options:

    - threads: 0: STENT_THREADS, else the physical cores that the process may use
    - precision: "strict", "fp32" or "bf16", no less exact than the package's, which is the default
    - untuned: ignore plans that `tune` stored
    - max_memory: bytes that the network may take; slower where it must
    - log, log_paths: a file to which a line is added for each verb; hashes only, or paths and messages too
    """
    return Network(path, inputs=inputs, progress=progress, **options)


def compile(source: Any, output: Optional[Path] = None, *, example: Any = None, dynamic: bool = True,
            inputs: Shapes = None, precision: str = "fp32", pipeline: Union[None, Path, Mapping[str, Any]] = None,
            opt_level: int = 3, bind: Optional[Mapping[str, Any]] = None, sample: Any = None,
            arch: Optional[Path] = None, signature: Optional[str] = None, calibrate: Optional[Path] = None,
            max_dice_loss: Optional[float] = None, no_gate: bool = False, race: float = 0,
            progress: Optional[Progress] = None, **options: Any) -> Network:
    """Makes a package of a model, and opens it. `output` is the package's file; without it the package goes with the
    network, unless `Network.save` keeps it.

    source: a file (ONNX, PyTorch programs and weights, Keras, TensorFlow, TFLite) or the folder of a SavedModel; or an object:

    - a torch.nn.Module, with `example`, an input for it (an array or tensor; several: a tuple; by name: a dict).
      It is exported in evaluation mode; batch and sizes stay free, unless dynamic=False.
    - a keras.Model
    - a tf.Module, tf.function (with `example`, unless it says its inputs) or concrete function
    - an ONNX ModelProto

    Further, each as the program's flag of that name (docs/INTERFACE.md):

    - inputs: fixes free dims, ``{"x": (1, 3, 256, 256)}``
    - pipeline: what happens to pictures before and after the network, a file or a dict (docs/FORMATS.md)
    - bind: inputs that become constants, ``{"name": array or file}``; sample: an array or file for the self-check
    - arch: a file with the network that a file of weights belongs to; signature: of a SavedModel
    - precision: what the package permits; "bf16" has to pass a gate: `calibrate`, a folder of pictures, and
      `max_dice_loss`; or no_gate. race: seconds
    - threads, log, log_paths, max_memory (of the self-check): as for `stent.open`

    What was found is in the network's `compiled`.
    """
    common = take_common({**options, "precision": precision})
    folder = None if output is not None else tempfile.mkdtemp(prefix="stent-")
    if output is None:
        output = os.path.join(str(folder), "net.stent")
    try:
        with tempfile.TemporaryDirectory(prefix="stent-") as scratch, model_file(source, example, dynamic) as model:
            struct = c.CompileOptions(opt_level=c.count_of("opt_level", opt_level),
                                      pipeline=c.optional(_pipeline_file(scratch, pipeline)),
                                      bind=c.texts_of(_bind_items(scratch, bind)),
                                      sample=c.optional(array_file(scratch, "sample", sample)),
                                      calibrate=c.optional(calibrate), max_dice_loss=_loss(max_dice_loss),
                                      no_gate=no_gate, race=race)
            said = {**common, "arch": arch, "signature": signature}
            result = call(Result, c.lib.stent_compile, struct, said, shape_items(inputs), progress, c.bytes_of(model),
                          c.bytes_of(output), no_is_error=True)
        kept = {name: common[name] for name in ("threads", "untuned", "log", "log_paths")}
        network = Network(output, progress=progress, **kept)
    except BaseException:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    network.compiled = result
    if folder is not None:
        network._temporary = weakref.finalize(network, _remove_folder, folder, os.getpid())
    return network


def info(path: Path, *, inputs: Shapes = None, arch: Optional[Path] = None, signature: Optional[str] = None,
         progress: Optional[Progress] = None, **options: Any) -> Result:
    """What a model file or a package holds, and what running it on this machine will need.

    arch, signature: of a model file, as for `stent.compile`.
    """
    common = {**take_common(options), "arch": arch, "signature": signature}
    return call(Result, c.lib.stent_info, c.Options(), common, shape_items(inputs), progress, c.bytes_of(path))


def machine(measure: bool = False, *, progress: Optional[Progress] = None, **options: Any) -> Result:
    """What this machine is: instruction sets, cores, caches; measure: also its peak FLOP/s and bandwidth."""
    return call(Result, c.lib.stent_machine, c.Options(), take_common(options), [], progress, measure)


def report(results: Union[Path, Result, Iterable[Union[Path, Result]]], output: Optional[Path] = None, *,
           csv: Optional[Path] = None, title: Optional[str] = None, progress: Optional[Progress] = None,
           **options: Any) -> Result:
    """One self-contained page (HTML) of what verbs found: of `Result`s, or of files that they were written to.

    output: the page; csv: its tables, a value a line; one of both is needed. title: else the answer in one line.
    """
    listed = [results] if isinstance(results, (str, bytes, os.PathLike, Result)) else list(results)
    with tempfile.TemporaryDirectory(prefix="stent-") as folder:
        files = [_write_json(folder, item, f"{i}.json") if isinstance(item, Result) else item
                 for i, item in enumerate(listed)]
        struct = c.ReportOptions(output=c.optional(output), csv=c.optional(csv), title=c.optional(title))
        return call(Result, c.lib.stent_report, struct, take_common(options), [], progress, c.texts_of(files), len(files))


def _pipeline_file(folder: str, pipeline: Union[None, Path, Mapping[str, Any]]) -> Optional[Path]:
    if not isinstance(pipeline, Mapping):
        return pipeline
    path = os.path.join(folder, "pipeline.json")
    with io.open(path, "w", encoding="utf-8") as file:
        json.dump(pipeline, file)
    return path


def _bind_items(folder: str, bind: Optional[Mapping[str, Any]]) -> List[str]:
    return [f"{name}={array_file(folder, f'bind{i}', value)}" for i, (name, value) in enumerate((bind or {}).items())]


def _loss(most: Optional[float]) -> float:
    """None: the library's 0.001; 0: none at all, which is negative for the library."""
    if most is None:
        return 0.0
    if not 0 <= most <= 1:
        raise UsageError(f"max_dice_loss: expected 0 to 1, got {most}")
    return most if most > 0 else -1.0
