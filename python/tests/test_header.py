"""_library.py says what include/stent.h says."""

import ctypes
import os
import re
import unittest

from case import ROOT
from stent import _library as c
from stent import errors

SCALARS = {"size_t": ctypes.c_size_t, "int": ctypes.c_int, "bool": ctypes.c_bool, "double": ctypes.c_double,
           "int64_t": ctypes.c_int64, "uint64_t": ctypes.c_uint64, "stent_dtype": ctypes.c_int,
           "stent_options": c.Options, "stent_status": ctypes.c_int, "void": None}
POINTERS = {"const char *": ctypes.c_char_p, "const char *const *": c.TEXTS, "void *": ctypes.c_void_p,
            "stent_progress *": c.PROGRESS, "stent_log_sink *": c.LOG_SINK, "stent_result **": c._RESULT,
            "stent_result *": ctypes.c_void_p, "const stent_result *": ctypes.c_void_p,
            "stent_executable *": ctypes.c_void_p, "const stent_executable *": ctypes.c_void_p,
            "stent_session *": ctypes.c_void_p, "stent_executable **": ctypes.POINTER(ctypes.c_void_p),
            "stent_session **": ctypes.POINTER(ctypes.c_void_p)}


def header():
    with open(os.path.join(ROOT, "include", "stent.h"), encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)


def type_of(words):
    """The ctypes type for "const char *"."""
    words = re.sub(r"\s*\*\s*", " *", words.strip()).replace("* *", "**").strip()
    if words in SCALARS:
        return SCALARS[words]
    if words in POINTERS:
        return POINTERS[words]
    name = words.replace("const ", "").replace(" *", "")
    return ctypes.POINTER(c.STRUCTS[name])


def fields_of(body):
    """(name, type) for each field of a struct."""
    for declaration in body.split(";"):
        declaration = " ".join(declaration.split())
        if not declaration:
            continue
        pointer = re.match(r"void \(\*(\w+)\)\(", declaration)
        if pointer:
            yield pointer.group(1), c.EMIT_GRAPH
            continue
        base = re.match(r"(?:const )?\w+", declaration).group(0)
        for declarator in declaration[len(base):].split(","):
            stars, name, length = re.fullmatch(r"\s*((?:\*(?:const )?)*)\s*(\w+)(?:\[(\w+)\])?", declarator).groups()
            kind = type_of(f"{base} {stars}" if stars else base)
            if length:
                kind = kind * (c.MAX_RANK if length == "STENT_MAX_RANK" else int(length))
            yield name, kind


class Header(unittest.TestCase):
    def test_structs(self):
        bodies = dict(re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", header(), re.S))
        for name, struct in c.STRUCTS.items():
            with self.subTest(name):
                self.assertEqual([(field, kind) for field, kind in struct._fields_], list(fields_of(bodies[name])))

    def test_functions(self):
        found = {name: (result, parameters) for result, name, parameters in
                 re.findall(r"STENT_API ([\w ]+?[ *]+)(stent_\w+)\(([^)]*)\)", header())}
        for name, (result, arguments) in c.FUNCTIONS.items():
            with self.subTest(name):
                returned, parameters = found[name]
                self.assertEqual(result, type_of(returned))
                listed = [] if parameters == "void" else [" ".join(item.split()) for item in parameters.split(",")]
                self.assertEqual(arguments, [type_of(re.match(r"(.*?)\w+$", item).group(1)) for item in listed])

    def test_numbers(self):
        text = header()
        self.assertEqual(c.ABI, int(re.search(r"#define STENT_ABI (\d+)", text).group(1)))
        self.assertEqual(c.MAX_RANK, int(re.search(r"STENT_MAX_RANK = (\d+)", text).group(1)))
        dtypes = re.search(r"typedef enum stent_dtype \{(.*?)\}", text, re.S).group(1)
        self.assertEqual([name.upper() for name in c.DTYPES], re.findall(r"STENT_(\w+)", dtypes))
        body = re.search(r"typedef enum stent_status \{(.*?)\}", text, re.S).group(1)
        statuses = dict(re.findall(r"STENT_(\w+) = (\d)", body))
        for name, value in statuses.items():
            self.assertEqual(getattr(c, name), int(value))
        kinds = {errors.UsageError: "USAGE", errors.BadInputError: "BAD", errors.UnsupportedError: "UNSUPPORTED",
                 errors.ResourceError: "RESOURCE", errors.Cancelled: "CANCELLED", errors.Error: "NO"}
        for kind, name in kinds.items():
            self.assertEqual(kind.status, int(statuses[name]))
            self.assertIs(type(errors.error_of(kind.status, "m")), kind)


if __name__ == "__main__":
    unittest.main()
