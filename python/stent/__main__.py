"""``python -m stent ARGS``, and ``stent ARGS``: the program, which lies beside the library."""

import os
import sys

from ._library import library_path


def main() -> None:
    """Becomes the program; comes back only when it is not there."""
    program = os.path.join(os.path.dirname(library_path()), "stent")
    try:
        os.execv(program, ["stent", *sys.argv[1:]])
    except OSError as error:
        print(f"stent: {program}: cannot be run: {error.strerror}", file=sys.stderr)
        sys.exit(5)


if __name__ == "__main__":
    main()
