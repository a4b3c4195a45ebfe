OK_FORMAT = False

import ctypes
import functools
from pathlib import Path
import subprocess
import tempfile
import numpy as np
from otter.test_files import test_case
import torch
from torch.utils import cpp_extension

name = "fused-kernel-p3"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


KINDS = {"p": ctypes.c_void_p, "i": ctypes.c_int, "l": ctypes.c_longlong, "f": ctypes.c_float, "d": ctypes.c_double}


@functools.lru_cache(maxsize=None)
def compiled(source, name, card):
    """The kernel as a loaded library, for the card or for the processor. RuntimeError with the compiler's words where it refuses."""
    folder = tempfile.mkdtemp()
    text = f'#include "{Path("cuda_anywhere.h").resolve()}"\n#line 1 "your kernel"\n{source}\nLAUNCHER({name})\n'
    library = f"{folder}/kernel.so"
    if card:
        try:
            library = cpp_extension.load_inline(name, "", text, is_python_module=False, no_implicit_headers=True, with_cuda=True, build_directory=folder)
        except (ImportError, OSError, RuntimeError):  # nvcc alone will do; and if it is the kernel's fault, it says so more clearly
            major, minor = torch.cuda.get_device_capability()
            _compile(["nvcc", f"-arch=sm_{major}{minor}", "-O3", "-shared", "-Xcompiler", "-fPIC"], text, f"{folder}/kernel.cu", library)
    else:
        _compile(["g++", "-std=c++17", "-O1", "-w", "-shared", "-fPIC"], text, f"{folder}/kernel.cpp", library)
    loaded = ctypes.CDLL(str(library))
    loaded.signature.restype = loaded.launch.restype = ctypes.c_char_p
    return loaded


def _compile(command, text, file, library):
    Path(file).write_text(text)
    made = subprocess.run([*command, "-o", library, file], capture_output=True, text=True)
    if made.returncode:
        raise RuntimeError(f"this does not compile:\n{made.stderr[:3000]}")


class Kernel:
    """A CUDA kernel, made from its text. `kernel(grid, block, *arguments)` launches it; arguments are tensors and numbers.

    On the processor `only` runs a single block of the grid, and `order` (0, 1, 2 …) says in which order threads have their turn.
    """

    def __init__(self, source, name):
        self.source, self.name = source, name

    def __call__(self, grid, block, *arguments, only=-1, order=0):
        card = any(isinstance(a, torch.Tensor) and a.is_cuda for a in arguments)
        library = compiled(self.source, self.name, card)
        kinds = library.signature().decode()
        if len(kinds) != len(arguments):
            raise TypeError(f"{self.name} takes {len(kinds)} arguments, not {len(arguments)}")
        values = [KINDS[kind](a.data_ptr() if kind == "p" else a) for kind, a in zip(kinds, arguments)]
        places = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream if card else None)
        problem = library.launch(places, grid, block, stream, only, order)
        if problem:
            raise RuntimeError(f"{self.name}: {problem.decode()}")


GUARD = 1024  # entries before and after an output, which nobody may touch


@probe
def fill(source, name, inputs, outputs, numbers, grid, block, only=-1, order=0):
    """What the kernel leaves of an output that was full of 777, and of the fields before and after it."""
    text = source()
    x = torch.tensor(np.concatenate([inputs, np.zeros(GUARD)]), dtype=torch.float32)
    y = torch.full((outputs + 2 * GUARD,), 777.0)
    Kernel(text, name)(grid, block, x, y[GUARD : GUARD + outputs], *numbers, only=only, order=order)
    return y.numpy()


def output_of(answer, outputs):
    """The output, after a look at the fields around it."""
    y = np.asarray(answer)
    assert y.dtype == np.float32 and y.shape == (outputs + 2 * GUARD,)
    assert (y[:GUARD] == 777).all() and (y[GUARD + outputs :] == 777).all(), "the kernel writes beyond its output"
    return y[GUARD : GUARD + outputs].astype(float)


def silu(z):
    return z / (1 + np.exp(-z))


def fused(scale_silu_source, x, a, b, grid, block, **how):
    y = fill(scale_silu_source, "scale_silu", x, len(x), [a, b, len(x)], grid, block, **how)
    return output_of(y, len(x))


@test_case(name='values', points=1, hidden=False, failure_message='Print the first entries of the output beside what you expect. Does every thread know its own i?')
def test_values(scale_silu_source):
    x = np.linspace(-4, 4, 1000).astype(np.float32)
    y = fused(scale_silu_source, x, 1.5, -0.25, 4, 256)
    assert np.allclose(y, silu(1.5 * x.astype(float) - 0.25), rtol=1e-4, atol=1e-5)
