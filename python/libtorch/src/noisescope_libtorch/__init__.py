"""Starts the program with the libraries of the PyTorch installed beside this Python."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """The command ``noisescope-libtorch``. It does not import PyTorch, which is slow."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("noisescope-libtorch: there is no PyTorch beside this Python; pip install torch")
    libraries = Path(spec.submodule_search_locations[0]) / "lib"
    folders = [libraries]
    environment = dict(os.environ, NOISESCOPE_LIBTORCH=str(libraries))
    nvrtc = environment.get("NOISESCOPE_NVRTC") or compiler(libraries)
    if nvrtc:
        # NVRTC looks for its libnvrtc-builtins on the loader's path.
        environment["NOISESCOPE_NVRTC"] = nvrtc
        folders.append(Path(nvrtc).parent)
    search = [*map(str, folders), *filter(None, [environment.get("LD_LIBRARY_PATH")])]
    environment["LD_LIBRARY_PATH"] = ":".join(search)
    program = Path(__file__).with_name("program")
    os.execve(program, ["noisescope-libtorch", *sys.argv[1:]], environment)


def compiler(libraries: Path) -> str | None:
    """The CUDA compiler (NVRTC) that came with a PyTorch for GPUs: in a separate folder with CUDA
    12, in the folder of all its libraries since CUDA 13."""
    nvidia = libraries.parent.parent / "nvidia"
    for folder in (*nvidia.glob("cu[0-9]*/lib"), nvidia / "cuda_nvrtc" / "lib", libraries):
        for library in sorted(folder.glob("libnvrtc.so.[0-9]*")):
            return str(library)
    return None
