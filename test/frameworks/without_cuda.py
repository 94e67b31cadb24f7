#!/usr/bin/env python3
"""Makes PyPI's torch load without CUDA's libraries (three gigabytes): stands in for them with empty functions.

Run by tools/venv with the environment's own Python. The wheel's libraries name libcudart, libcublas, ... as needed, so
that none of it loads without them, although nothing on a machine without a GPU calls them. For each such name this
compiles a library that has every function which torch's libraries leave open and nobody else defines, each of the
version that they ask for and returning 0: success, and no device. CC chooses the compiler. Needs readelf and nm, which come with it.
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
    """Its dynamic symbols: [(name, version or "", type)]."""
    rows = [line.split() for line in read("nm", "--dynamic", which, library).splitlines()]
    return [(*(row[-1].replace("@@", "@") + "@").split("@")[:2], row[-2]) for row in rows if len(row) > 1]


def versions(library):
    """The versions of symbols that it wants of each other library: {(library, version)}."""
    result, file = set(), None
    for line in read("readelf", "--version-info", "--wide", library).splitlines():
        words = line.split()
        if "File:" in words:
            file = words[words.index("File:") + 1]
        elif "Name:" in words and "Flags:" in words and file:
            result.add((file, words[words.index("Name:") + 1]))
        elif not words:
            file = None
    return result


def system_library(name):
    """Path of what the loader finds under this name, or None. `cc` knows the same folders."""
    path = read(CC, f"-print-file-name={name}").strip()
    return path if os.path.isabs(path) and os.path.exists(path) else None


def make(path, soname, names, nodes):
    """A library with these functions, each of its version; glibc asks for every version that somebody wants."""
    with tempfile.TemporaryDirectory() as scratch:
        source, script = os.path.join(scratch, "absent.c"), os.path.join(scratch, "absent.map")
        with open(source, "w", encoding="utf-8") as file:
            file.writelines(f'long f{i}(void) __asm__("{name}"); long f{i}(void) {{ return 0; }}\n'
                            for i, (name, _) in enumerate(names))
        with open(script, "w", encoding="utf-8") as file:
            for node in nodes:
                own = "".join(f" {name};" for name, version in names if version == node)
                file.write(f"{node} {{{' global:' + own if own else ''} }};\n")
        words = [f"-Wl,--version-script={script}"] if nodes else []
        subprocess.run([CC, "-shared", "-fPIC", "-O1", f"-Wl,-soname,{soname}", "-o", path, source, *words], check=True)


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
    had = {name for path in [*libraries, *filter(None, system.values())] for name, _, _ in symbols(path, "--defined-only")}
    missing = {(name, version) for library in libraries for name, version, kind in symbols(library, "--undefined-only")
               if kind == "U" and name not in had and not name.startswith(("Py", "_Py"))}  # those are the interpreter's
    nodes = {node for library in libraries for node in versions(library) if node[0] in absent}
    home = {version: file for file, version in nodes}  # symbols without a version: of the first one
    for file in absent:
        mine = sorted((name, version) for name, version in missing if home.get(version, absent[0]) == file)
        make(os.path.join(folder, file), file, mine, sorted(version for other, version in nodes if other == file))
    print(f"torch: {len(absent)} libraries of CUDA stood in for, with {len(missing)} functions")


if __name__ == "__main__":
    sys.exit(main())
