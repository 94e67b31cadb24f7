"""Stent: runs trained medical segmentation networks fast on the CPU.

    import stent

    net = stent.compile("unet.onnx", "unet.stent")  # once, anywhere: one file for every PC
    net = stent.open("unet.stent")  # on each PC
    y = net(x)  # numpy arrays
    net.segment("scans/", "masks/")  # TIFF and PNG in, masks out

A thin layer over the C library (include/stent.h). Nothing is sent anywhere. Research use: no medical device.
"""

from . import _library
from ._calls import Profile, Result
from .errors import BadInputError, Cancelled, Error, ResourceError, UnsupportedError, UsageError
from .network import Network, Value, compile, info, machine, open, report

__version__: str = _library.text_of(_library.lib.stent_version())
__all__ = [
    "BadInputError", "Cancelled", "Error", "Network", "Profile", "ResourceError", "Result", "UnsupportedError",
    "UsageError", "Value", "compile", "info", "machine", "open", "report",
]
