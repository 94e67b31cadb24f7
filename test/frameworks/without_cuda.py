#!/usr/bin/env python3
"""Makes PyPI's torch load without CUDA's libraries (three gigabytes): stands in for them with empty functions.

Run by tools/venv with the environment's own Python. The wheel's libraries name libcudart, libcublas, ... as needed, so
that none of it loads without them, although nothing on a machine without a GPU calls them. For each such name this
compiles a library that has every function which torch's libraries leave open and nobody else defines, each returning
0: success, and no device. CC chooses the compiler. Needs readelf and nm, which come with it.
"""
import glob
import os
import subprocess
import sys
import sysconfig
import tempfile

CC = os.environ.get("CC", "cc")


def read(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def needed(library):
    """The names of the libraries that one wants."""
    lines = read("readelf", "--dynamic", "--wide", library).splitlines()
    return {line.split("[")[1].rstrip("]") for line in lines if "(NEEDED)" in line}


def symbols(library, which):
    """Names of its dynamic symbols, without versions: {name: type}."""
    rows = [line.split() for line in read("nm", "--dynamic", which, library).splitlines()]
    return {row[-1].split("@")[0]: row[-2] for row in rows if len(row) > 1}


def system_library(name):
    """Path of what the loader finds under this name, or None. `cc` knows the same folders."""
    path = read(CC, f"-print-file-name={name}").strip()
    return path if os.path.isabs(path) and os.path.exists(path) else None


def main():
    folder = os.path.join(sysconfig.get_paths()["platlib"], "torch", "lib")
    libraries = [path for path in glob.glob(os.path.join(folder, "*.so*")) if not os.path.islink(path)]
    if not libraries:
        sys.exit(f"{folder}: no libraries of torch")
    wanted = set().union(*map(needed, libraries)) - {os.path.basename(path) for path in libraries}
    system = {name: system_library(name) for name in wanted}
    absent = sorted(name for name, path in system.items() if not path)
    if not absent:
        return
    had = set().union(*(symbols(path, "--defined-only") for path in [*libraries, *filter(None, system.values())]))
    open_ones = {}
    for library in libraries:
        open_ones.update(symbols(library, "--undefined-only"))
    names = sorted(name for name, kind in open_ones.items()
                   if kind == "U" and name not in had and not name.startswith(("Py", "_Py")))  # those are the interpreter's
    with tempfile.TemporaryDirectory() as scratch:
        source = os.path.join(scratch, "absent.c")
        with open(source, "w", encoding="utf-8") as file:
            file.writelines(f'__attribute__((visibility("default"))) long f{i}(void) __asm__("{name}");'
                            f'long f{i}(void) {{ return 0; }}\n' for i, name in enumerate(names))
        for i, name in enumerate(absent):  # the first one has the functions, the others only their names
            given = [source] if i == 0 else ["-x", "c", os.devnull]
            subprocess.run([CC, "-shared", "-fPIC", "-O1", f"-Wl,-soname,{name}", "-o", os.path.join(folder, name), *given],
                           check=True)
    print(f"torch: {len(absent)} libraries of CUDA stood in for, with {len(names)} functions")


if __name__ == "__main__":
    sys.exit(main())
