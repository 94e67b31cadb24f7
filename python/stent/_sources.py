"""From a framework's object to a file that the library reads.

The frameworks are never imported here: an object of theirs says by its classes what it is, and then the framework is
there already. It writes its own format, into a temporary folder; what it raises comes through as it is.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import sys
import tempfile
import warnings
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy

from .errors import UsageError


@contextlib.contextmanager
def model_file(source: Any, example: Any = None, dynamic: bool = True) -> Iterator[str]:
    """The path of a model file for `source`, a path or an object; a file made for an object goes with the context."""
    if isinstance(source, (str, os.PathLike)):
        if example is not None:
            raise UsageError("example: goes with a torch.nn.Module or a TensorFlow function, not with a file")
        yield os.fsdecode(source)
        return
    write = _writer_of(source)
    if write is None:
        kind = source.__name__ + " (a class; give an object)" if isinstance(source, type) else type(source).__name__
        raise UsageError("source: expected a path, a torch.nn.Module, a keras.Model, a TensorFlow module or function, "
                         f"or an ONNX ModelProto, got {kind}")
    with tempfile.TemporaryDirectory(prefix="stent-") as folder:
        yield write(source, os.path.join(folder, _file_name(source)), example, dynamic)


def _file_name(source: Any) -> str:
    name = getattr(source, "name", None)
    name = name if isinstance(name, str) and name else type(source).__name__
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]


def _classes_of(source: Any) -> List[Tuple[str, str]]:
    """The package and the name of its class, and of those that it derives from."""
    return [(kind.__module__.partition(".")[0], kind.__name__) for kind in type(source).__mro__]


def _keras_of(source: Any) -> Optional[str]:
    """The package whose Model it is: keras, tf_keras, or tensorflow (up to 2.5)."""
    for kind in type(source).__mro__:
        root = kind.__module__.partition(".")[0]
        inside = root in ("keras", "tf_keras") or kind.__module__.startswith("tensorflow.python.keras.")
        if inside and kind.__name__ == "Model":
            return root
    return None


def _writer_of(source: Any) -> Any:
    """The function that writes an object of this kind; None: of no framework that is known."""
    if _keras_of(source):  # first: models of Keras 2 are TensorFlow modules too
        return _write_keras
    for root, name in _classes_of(source):
        if (root, name) == ("torch", "Module"):
            return _write_torch
        if root == "tensorflow" and name in ("Module", "AutoTrackable", "ConcreteFunction", "Function"):
            return _write_tensorflow
        if (root, name) == ("onnx", "ModelProto"):
            return _write_onnx
    return None


def _refuse_example(example: Any, what: str) -> None:
    if example is not None:
        raise UsageError(f"example: {what} says its inputs itself")


# ---- Keras, ONNX


def _write_keras(model: Any, path: str, example: Any, _dynamic: bool) -> str:
    """Keras 3: .keras; Keras 2 (also tf_keras, and tf.keras before TensorFlow 2.16): .h5."""
    _refuse_example(example, "a keras.Model")
    keras = sys.modules.get("keras") if _keras_of(model) == "keras" else None
    if int(getattr(keras, "__version__", "2").partition(".")[0]) >= 3:
        model.save(path + ".keras")
        return path + ".keras"
    model.save(path + ".h5", save_format="h5", include_optimizer=False)
    return path + ".h5"


def _write_onnx(model: Any, path: str, example: Any, _dynamic: bool) -> str:
    _refuse_example(example, "an ONNX model")
    with open(path + ".onnx", "wb") as file:
        file.write(model.SerializeToString())
    return path + ".onnx"


# ---- TensorFlow


def _write_tensorflow(source: Any, folder: str, example: Any, dynamic: bool) -> str:
    """A SavedModel. A function becomes the only signature of a module that holds what it reads."""
    tf = sys.modules["tensorflow"]
    specs = [] if example is None else [_tensor_spec(tf, value, dynamic) for value in _as_tuple(example)]
    if ("tensorflow", "ConcreteFunction") in _classes_of(source):
        _refuse_example(example, "a concrete function")
        return _save_function(tf, source, folder)
    if hasattr(source, "get_concrete_function"):  # a tf.function
        try:
            concrete = source.get_concrete_function(*specs)
        except (TypeError, ValueError) as error:
            raise error if specs else _needs_example("tf.function") from error
        return _save_function(tf, concrete, folder)
    signatures = getattr(source, "signatures", None) or None  # of one that was loaded
    if specs:
        call = source.__call__ if hasattr(source.__call__, "get_concrete_function") else tf.function(source.__call__)
        signatures = call.get_concrete_function(*specs)
    tf.saved_model.save(source, folder, signatures=signatures)
    if signatures is None and not tf.saved_model.load(folder).signatures:
        raise _needs_example(type(source).__name__)
    return folder


def _needs_example(what: str) -> UsageError:
    return UsageError(f"example: {what} does not say what it takes; give an input, such as "
                      "example=numpy.zeros((1, 256, 256, 3), \"float32\") (several: a tuple)")


def _save_function(tf: Any, function: Any, folder: str) -> str:
    holder = tf.Module()
    holder.held_function = function
    holder.held_variables = list(function.variables)  # what is not held is not saved
    tf.saved_model.save(holder, folder, signatures=function)
    return folder


def _tensor_spec(tf: Any, value: Any, dynamic: bool) -> Any:
    """Of an example, channels last: batch and sizes stay free, unless it is no picture or volume."""
    array = numpy.asarray(value)
    shape: List[Optional[int]] = list(array.shape)
    if dynamic and array.ndim:
        free = len(shape) - 1 if array.ndim >= 3 else 1
        shape[:free] = [None] * free
    return tf.TensorSpec(shape, array.dtype)


# ---- PyTorch


def _as_tuple(example: Any) -> Tuple[Any, ...]:
    return tuple(example) if isinstance(example, (tuple, list)) else (example,)


def _write_torch(module: Any, path: str, example: Any, dynamic: bool) -> str:
    """An exported program, in evaluation mode; afterwards each part has the mode that it had.

    Where torch.export cannot follow the module, or is not there (PyTorch before 2.5), ONNX by tracing.
    """
    torch = sys.modules["torch"]
    if example is None:
        raise UsageError("example: a torch.nn.Module does not say what it takes; give an input, "
                         "such as example=torch.zeros(1, 3, 256, 256) (several: a tuple; by name: a dict)")
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", category=DeprecationWarning)  # of the exporters' own
            call, tensors, names = _torch_call(torch, module, example)
            outputs = _output_names(torch, call(*tensors))  # an example that does not fit ends here
            axes = _free_axes(tensors, names) if dynamic and names else {}
            try:
                return _export_program(torch, call, tensors, path + ".pt2", [axes.get(n, {}) for n in names or []])
            except Exception:  # what it cannot follow, it tells in many ways
                return _export_onnx(torch, call, tensors, path + ".onnx", names, outputs, axes)
    finally:
        for part, training in modes:
            part.training = training


def _torch_call(torch: Any, module: Any, example: Any) -> Tuple[Any, Tuple[Any, ...], Optional[List[str]]]:
    """What to export, its arguments, and their names in forward(): the module itself where all are tensors.

    Other values of the example are constants of what is exported. Names are None, and so are the exporter's to give,
    where a tensor hides inside of a list or dict.
    """
    place = _placer(torch, module)
    by_name = isinstance(example, Mapping)
    args = () if by_name else tuple(place(value) for value in _as_tuple(example))
    kwargs = {name: place(value) for name, value in example.items()} if by_name else {}
    try:
        bound = inspect.signature(module.forward).bind(*args, **kwargs)
    except ValueError:  # a forward() that is not written in Python
        pairs = [(f"input_{i}", value) for i, value in enumerate(args)] + list(kwargs.items())
    except TypeError as error:
        raise UsageError(f"example: does not fit forward() of {type(module).__name__}: {error}") from error
    else:
        args, kwargs, pairs = bound.args, bound.kwargs, _name_arguments(bound)
    if any(_hides_tensor(torch, value) for _, value in pairs):
        if kwargs:
            raise UsageError("example: tensors in a list or dict go by position; give a tuple")
        return module, args, None
    tensors = tuple(value for _, value in pairs if isinstance(value, torch.Tensor))
    names = [name for name, value in pairs if isinstance(value, torch.Tensor)]
    call = module if len(tensors) == len(args) else _with_constants(torch, module, args, kwargs, names)
    return call, tensors, names


def _placer(torch: Any, module: Any) -> Any:
    """A function that brings arrays and tensors to where the module's weights lie."""
    weight = next(iter(module.parameters()), None)
    if weight is None:
        weight = next(iter(module.buffers()), None)

    def place(value: Any) -> Any:
        if isinstance(value, numpy.ndarray):
            value = torch.from_numpy(numpy.ascontiguousarray(value))
        return value.to(weight.device) if isinstance(value, torch.Tensor) and weight is not None else value

    return place


def _name_arguments(bound: inspect.BoundArguments) -> List[Tuple[str, Any]]:
    pairs: List[Tuple[str, Any]] = []
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            pairs += [(f"{name}_{i}", item) for i, item in enumerate(value)]
        elif kind is inspect.Parameter.VAR_KEYWORD:
            pairs += list(value.items())
        else:
            pairs.append((name, value))
    return pairs


def _hides_tensor(torch: Any, value: Any) -> bool:
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return any(isinstance(item, (torch.Tensor, list, tuple, Mapping)) for item in items)


def _with_constants(torch: Any, module: Any, args: Sequence[Any], kwargs: Mapping[str, Any],
                    names: Sequence[str]) -> Any:
    """A module that takes the tensors among these arguments, under these names, and fills in the others."""

    class WithConstants(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *tensors: Any) -> Any:
            rest = iter(tensors)

            def fill(value: Any) -> Any:
                return next(rest) if isinstance(value, torch.Tensor) else value

            filled = [fill(value) for value in args]  # in the order of the signature, and so before those by name
            return self.module(*filled, **{name: fill(value) for name, value in kwargs.items()})

    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", *names)]
    WithConstants.forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return WithConstants().eval()


def _output_names(torch: Any, result: Any) -> Optional[List[str]]:
    if isinstance(result, torch.Tensor):
        return ["output"]
    values = list(result.values()) if isinstance(result, Mapping) else \
        list(result) if isinstance(result, (tuple, list)) else []
    if not values or not all(isinstance(value, torch.Tensor) for value in values):
        return None
    return [str(key) for key in result] if isinstance(result, Mapping) else [f"output_{i}" for i in range(len(values))]


_LETTERS = {3: "L", 4: "HW", 5: "DHW"}


def _free_axes(tensors: Sequence[Any], names: Sequence[str]) -> Dict[str, Dict[int, str]]:
    """Batch and sizes of each input, channels second; sizes that are equal in the example stay equal."""
    axes: Dict[str, Dict[int, str]] = {}
    symbols: Dict[Tuple[str, int], str] = {}
    for name, tensor in zip(names, tensors):
        letters = {0: "N"} if len(tensor.shape) else {}
        letters.update({2 + i: letter for i, letter in enumerate(_LETTERS.get(len(tensor.shape), ""))})
        axes[name] = {}
        for axis, letter in letters.items():
            key = (letter, int(tensor.shape[axis]))
            if key not in symbols:
                same = sum(1 for other, _ in symbols if other == letter)
                symbols[key] = letter if not same else f"{letter}{same + 1}"
            axes[name][axis] = symbols[key]
    return axes


def _export_program(torch: Any, module: Any, tensors: Sequence[Any], path: str, axes: Sequence[Dict[int, str]]) -> str:
    """A .pt2. `axes`: those of each tensor that stay free, as far as the module lets them be."""

    def argument(tensor: Any, free: Mapping[int, str]) -> Any:
        """A copy, as torch takes one tensor given twice for one input; and a batch of one for a number, hence two."""
        alone = 0 in free and tensor.shape[0] == 1
        return tensor.repeat(2, *[1] * (tensor.ndim - 1)) if alone else tensor.clone()

    if not any(axes):
        arguments = tuple(value.clone() if isinstance(value, torch.Tensor) else value for value in tensors)
        shapes = None
    else:
        arguments = tuple(map(argument, tensors, axes))
        shapes = tuple({axis: torch.export.Dim.AUTO for axis in free} for free in axes)
    torch.export.save(torch.export.export(module, arguments, dynamic_shapes=shapes), path)
    return path


def _export_onnx(torch: Any, module: Any, arguments: Tuple[Any, ...], path: str, names: Optional[List[str]],
                 outputs: Optional[List[str]], axes: Dict[str, Dict[int, str]]) -> str:
    """By tracing, which needs PyTorch alone."""
    chooses = "dynamo" in inspect.signature(torch.onnx.export).parameters
    torch.onnx.export(module, arguments, path, input_names=names, output_names=outputs, dynamic_axes=axes or None,
                      **({"dynamo": False} if chooses else {}))
    return path


# ---- arrays


def array_file(folder: str, stem: str, value: Any) -> Optional[str]:
    """A path as it is; an array as .npy, a dict of arrays as .npz, in `folder`. None: None."""
    if value is None or isinstance(value, (str, os.PathLike)):
        return None if value is None else os.fsdecode(value)
    if isinstance(value, Mapping):
        path = os.path.join(folder, stem + ".npz")
        arrays: Dict[str, Any] = {name: numpy.asarray(array) for name, array in value.items()}
        numpy.savez(path, **arrays)
        return path
    array = numpy.asarray(value)
    if array.dtype.hasobject:
        raise UsageError(f"{stem}: expected an array of numbers, got {type(value).__name__}")
    path = os.path.join(folder, stem + ".npy")
    numpy.save(path, array)
    return path
