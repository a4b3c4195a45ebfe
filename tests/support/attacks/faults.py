"""Faults: loops, crashes, floods and kills; they cost the answer that they stand in and nothing
else.

What a fault cannot hurt is deserved: `least` counts the other questions, which are right.
"""

from __future__ import annotations

from .corpus import GUARD, HONEST, POSSIBLE, RIGHT, Case, entropy, leaky, meter, std, table

fault = table("fault")

#: What is left where one answer is broken and the others are right.
WITHOUT_STD = POSSIBLE - 4


def broken(
    id: str,
    description: str,
    body: str,
    *,
    calls: int = 0,
    cells: int = 0,
    most: float = WITHOUT_STD,
    least: float = WITHOUT_STD,
) -> Case:
    """The body of `standardize` is at fault, everything else is right."""
    return fault(
        id, description, answers=RIGHT | std(body), most=most, least=least, calls=calls, cells=cells
    )


def cell(
    id: str,
    description: str,
    source: str,
    *,
    cells: int = 0,
    calls: int = 0,
    least: float = POSSIBLE,
    most: float = POSSIBLE,
) -> Case:
    """A cell ahead of right answers is at fault."""
    return fault(
        id, description, source, answers=RIGHT, most=most, least=least, cells=cells, calls=calls
    )


CALLS = (
    broken("call-loop", "a loop that never ends", "while True: pass", calls=2),
    broken(
        "call-loop-hidden",
        "a loop that never ends, for the hidden input only",
        "while x.shape[1] > 1: pass\nreturn (x - x.mean()) / x.std()",
        calls=1,
        least=9,
        most=9,
    ),
    broken(
        "call-loop-stubborn",
        "a loop that catches every exception",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        calls=2,
    ),
    broken(
        "call-loop-in-c",
        "a loop inside C that no signal interrupts",
        "return sum(range(10 ** 15))",
        calls=2,
    ),
    broken("call-sleep", "sleeps for a day", "import time\ntime.sleep(86400)", calls=2),
    broken(
        "call-lock",
        "waits for a lock that nobody holds",
        "import threading\nl = threading.Lock(); l.acquire(); l.acquire()",
        calls=2,
    ),
    broken(
        "call-stop",
        "SIGSTOP to itself",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        calls=2,
    ),
    broken("call-input", "waits for input()", "return input('? ')"),
    broken("call-breakpoint", "a forgotten breakpoint()", "breakpoint()\nreturn x", calls=2),
    broken("call-recursion", "unbounded recursion", "return standardize(x)"),
    broken("call-segfault", "reads at address 0", "import ctypes\nctypes.string_at(0)"),
    broken("call-abort", "abort() in C", "import os\nos.abort()"),
    broken(
        "call-c-stack",
        "a stack overflow in C",
        "import sys, threading\nsys.setrecursionlimit(10 ** 9)\ndef f(): return f()\nreturn f()",
        calls=2,
    ),
    broken(
        "call-deep-object",
        "frees an object nested a million deep",
        "a = []\nfor _ in range(3_000_000): a = [a]\ndel a\nreturn x * 0",
        calls=2,
    ),
    broken(
        "call-huge-int",
        "integers whose text takes for ever",
        "import sys\nsys.set_int_max_str_digits(0)\nreturn [10 ** 3_000_000]",
        calls=2,
    ),
    broken(
        "call-memory", "takes all memory in one go", "return np.zeros((10 ** 6, 10 ** 6)).sum()"
    ),
    broken(
        "call-memory-touched",
        "takes memory bit by bit",
        "a = []\nwhile True: a.append(bytearray(1 << 24))",
        calls=2,
    ),
    broken(
        "call-regex",
        "a regular expression with catastrophic backtracking",
        "import re\nre.match('(a+)+$', 'a' * 64 + 'b')\nreturn x",
        calls=2,
    ),
    broken(
        "call-generator-endless",
        "returns an endless generator",
        "import itertools\nreturn itertools.count()",
    ),
    broken(
        "call-threads",
        "starts five hundred threads that stay",
        (
            "import threading, time\nfor _ in range(500):\n    try: "
            "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n    "
            "except RuntimeError: break\nreturn (x - x.mean()) / x.std()"
        ),
        least=8,
        most=9,
        calls=1,
    ),
    broken(
        "call-fork-children",
        "forks children that stay and go on as if they were the function",
        GUARD
        + (
            "import time\nfor _ in range(5):\n    if os.fork() == 0: "
            "time.sleep(1000)\nreturn (x - x.mean()) / x.std()"
        ),
        least=8,
        most=9,
    ),
    broken(
        "call-fork-return",
        "forks, and both return",
        GUARD + "os.fork()\nreturn (x - x.mean()) / x.std()",
        least=8,
        most=9,
    ),
    broken(
        "call-chdir",
        "leaves its folder and takes it away",
        (
            "import os, shutil\nd = os.getcwd(); os.chdir('/'); shutil.rmtree(d, "
            "ignore_errors=True)\nreturn (x - x.mean()) / x.std()"
        ).replace("import os", GUARD + "import os"),
        least=8,
        most=9,
    ),
    fault(
        "call-del-endless",
        "a result's __del__ never ends",
        answers=RIGHT
        | std(
            "return D((x - x.mean()) / x.std())",
            "class D(list):\n    def __del__(self):\n        while True: pass\n",
        ),
        most=9,
        least=8,
        calls=2,
    ),
    fault(
        "call-str-endless",
        "an exception's text never ends",
        answers=RIGHT
        | std(
            "raise E()",
            (
                "class E(Exception):\n    def __str__(self):\n        while True: pass\n    "
                "__repr__ = __str__\n"
            ),
        ),
        most=8,
        least=8,
        calls=2,
    ),
    fault(
        "call-str-raises",
        "an exception whose text raises, and whose type has no name",
        answers=RIGHT
        | std(
            "raise E()",
            (
                "class M(type):\n    __name__ = property(lambda c: 1 / 0)\nclass "
                "E(Exception, metaclass=M):\n    def __str__(self): raise E()\n    __repr__ "
                "= __str__\n    __traceback__ = property(lambda s: 1 / 0)\n"
            ),
        ),
        most=8,
        least=8,
    ),
    fault(
        "call-getattr-endless",
        "attributes of results never end",
        answers=RIGHT
        | meter(
            "return 1.0",
            "return 1",
            ahead="class _E:\n    def __getattribute__(self, n):\n        while True: pass\n",
            add="self.x = _E()",
        ),
        most=9,
        least=9,
        calls=2,
    ),
    fault(
        "call-iter-endless",
        "a length and an iteration that never end",
        answers=RIGHT
        | {
            "meter": (
                "class Meter:\n    def add(self, v): pass\n    def mean(self): return "
                "self\n    def __len__(self): return 2 ** 62\n    def __iter__(self): "
                "return iter(int, 1)\n    def __getitem__(self, i): return 0"
            )
        },
        most=9,
        least=9,
    ),
    fault(
        "call-import-of-name",
        "the class is a module-level __getattr__ that never ends",
        (
            "import sys, types\nclass _M(types.ModuleType):\n    def __getattr__(self, "
            "n):\n        while True: pass"
        ),
        answers=RIGHT | {"meter": "Meter = _M('m')"},
        most=9,
        least=9,
        calls=2,
    ),
)

CELLS = (
    cell("cell-loop", "a cell that never ends", "while True: pass", cells=1),
    cell(
        "cell-loop-stubborn",
        "a cell that never ends and catches KeyboardInterrupt",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        cells=1,
    ),
    cell(
        "cell-sleep-signals",
        "sleeps with every signal ignored and blocked",
        (
            "import signal, time\nfor _s in range(1, 65):\n    try: signal.signal(_s, "
            "signal.SIG_IGN)\n    except (OSError, ValueError): "
            "pass\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(86400)"
        ),
        cells=1,
    ),
    fault(
        "cell-syntax",
        "a syntax error in one answer",
        answers=RIGHT | {"standardize": "def standardize(x:\n  return x"},
        most=WITHOUT_STD,
        least=WITHOUT_STD,
    ),
    cell(
        "cell-stop-parent",
        "SIGSTOP and SIGKILL to the parent process",
        GUARD
        + (
            "import signal\nfor _s in (signal.SIGSTOP, signal.SIGKILL):\n    try: "
            "os.kill(os.getppid(), _s)\n    except OSError as e: print(type(e).__name__)"
        ),
        least=0,
    ),
    cell(
        "cell-kill-all", "SIGKILL to every process it may signal", GUARD + "os.kill(-1, 9)", least=0
    ),
    cell("cell-kill-group", "SIGKILL to its process group", GUARD + "os.killpg(0, 9)"),
    cell(
        "cell-kill-one",
        "signals to process 1",
        GUARD
        + (
            "for _s in (9, 15, 19, 11, 2):\n    try: os.kill(1, _s)\n    except OSError as "
            "e: print(type(e).__name__)"
        ),
    ),
    cell(
        "cell-kill-numbers",
        "signals to every process number",
        GUARD
        + (
            "for _p in [*range(2, 400)]:\n    if _p != os.getpid():\n        try: "
            "os.kill(_p, 9)\n        except OSError: pass"
        ),
        least=0,
    ),
    cell(
        "cell-fork-bomb",
        "forks as fast as it can, every child too",
        GUARD
        + (
            "import time\n_end = time.time() + 1\nwhile time.time() < _end:\n    "
            "try:\n        if os.fork() == 0: _end += 30\n    except OSError: "
            "time.sleep(0.01)"
        ),
        cells=3,
        least=0,
    ),
    cell(
        "cell-fork-loop",
        "four hundred children that stay",
        GUARD
        + (
            "import time\nfor _ in range(400):\n    try:\n        if os.fork() == 0: "
            "time.sleep(1000); os._exit(0)\n    except OSError: break"
        ),
        least=0,
    ),
    cell(
        "cell-fork-goes-on",
        "forks, and both go on with the notebook",
        GUARD + "os.fork()",
        least=HONEST,
    ),
    cell(
        "cell-daemon",
        "a daemon that outlives everything",
        GUARD
        + (
            "import time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork(): "
            "os._exit(0)\n    time.sleep(1000); os._exit(0)"
        ),
    ),
    cell(
        "cell-zombies",
        "two hundred zombies",
        GUARD
        + (
            "for _ in range(200):\n    try:\n        if os.fork() == 0: os._exit(0)\n    "
            "except OSError: break"
        ),
    ),
    cell(
        "cell-disk",
        "fills the disk",
        (
            "for _p in ('fill.bin', '/tmp/fill.bin', '/dev/shm/fill.bin'):\n    "
            "try:\n        with open(_p, 'wb') as _f:\n            for _ in range(600): "
            "_f.write(b'x' * 2 ** 20)\n    except OSError as e: print(type(e).__name__)"
        ).replace("for _p", GUARD + "for _p", 1),
    ),
    cell(
        "cell-files",
        "makes as many files as it can",
        GUARD
        + (
            "try:\n    for _i in range(50_000): open(f'f{_i}', 'w').close()\nexcept OSError "
            "as e: print(type(e).__name__)"
        ),
        cells=2,
    ),
    cell(
        "cell-sparse-file",
        "a sparse file of a petabyte",
        (
            "try:\n    with open('sparse', 'wb') as _f: _f.truncate(1 << 50)\nexcept "
            "(OSError, ValueError) as e: print(type(e).__name__)"
        ),
    ),
    cell(
        "cell-memory",
        "touches memory until there is none, in several processes",
        GUARD
        + (
            "_all = []\nfor _ in range(3):\n    if os.fork() == 0:\n        "
            "try:\n            while True: _all.append(bytearray(1 << 24))\n        except "
            "MemoryError: os._exit(0)\ntry:\n    while True: _all.append(bytearray(1 << "
            "24))\nexcept MemoryError: _all.clear()"
        ),
        cells=1,
        least=HONEST,
    ),
    cell(
        "cell-mmap",
        "maps and shares memory without end",
        (
            "import mmap\n_m = []\ntry:\n    for _ in range(5000): _m.append(mmap.mmap(-1, "
            "1 << 26))\nexcept (OSError, MemoryError, ValueError) as e: "
            "print(type(e).__name__)\n_m.clear()"
        ),
    ),
    cell(
        "cell-output",
        "prints three hundred megabytes",
        "_line = 'x' * 1_000_000\nfor _ in range(300): print(_line)",
        cells=1,
    ),
    cell(
        "cell-output-count",
        "twenty thousand outputs",
        (
            "from IPython.display import display\nfor _i in range(20_000): "
            "display({'text/plain': str(_i)}, raw=True)"
        ),
        cells=1,
    ),
    cell(
        "cell-output-object",
        "one output of a hundred megabytes",
        "from IPython.display import HTML, display\ndisplay(HTML('y' * 100_000_000))",
    ),
    fault(
        "cell-output-many",
        "eighteen megabytes of output in each of fifty cells",
        answers=RIGHT,
        after=(
            "from IPython.display import display\n_show = lambda: display({'text/plain': "
            "'z' * 18_000_000}, raw=True)",
            *["_show()"] * 50,
        ),
        most=POSSIBLE,
        least=HONEST,
        cells=5,
    ),
    cell(
        "cell-output-descriptor",
        "floods descriptors 1 and 2 past Python",
        (
            "import os\nfor _ in range(3000):\n    os.write(1, b'x' * 65536); os.write(2, "
            "b'y' * 65536)"
        ),
        cells=1,
    ),
    cell("cell-close", "closes every descriptor", "import os\nos.closerange(0, 65536)"),
    cell(
        "cell-dup-over",
        "puts /dev/null in place of every descriptor",
        (
            "import os\n_n = os.open('/dev/null', os.O_RDWR)\nfor _d in "
            "os.listdir('/proc/self/fd'):\n    try: os.dup2(_n, int(_d))\n    except "
            "OSError: pass"
        ),
    ),
    cell(
        "cell-descriptors",
        "opens descriptors until there are none",
        (
            "import os\n_open = []\ntry:\n    while len(_open) < 100_000: "
            "_open.append(os.open('/dev/null', os.O_RDONLY))\nexcept OSError as e: "
            "print(type(e).__name__)"
        ),
        least=0,
    ),
    cell(
        "cell-limits",
        "sets every limit of its own process to nothing",
        (
            "import resource\nfor _n in dir(resource):\n    if _n.startswith('RLIMIT_') and "
            "_n not in ('RLIMIT_AS', 'RLIMIT_DATA', 'RLIMIT_STACK', 'RLIMIT_CPU'):\n        "
            "try: resource.setrlimit(getattr(resource, _n), (0, 0))\n        except "
            "(OSError, ValueError): pass"
        ),
        least=0,
    ),
    cell(
        "cell-cpu-limit",
        "uses up its processor time",
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
        cells=1,
    ),
    cell(
        "cell-umask",
        "umask, locale, nice, affinity and the working folder changed",
        (
            "import os\nos.umask(0o777)\ntry: os.nice(19)\nexcept OSError: pass\ntry: "
            "os.sched_setaffinity(0, {0})\nexcept OSError: pass\nos.mkdir('deep'); "
            "os.chdir('deep')"
        ),
    ),
    cell(
        "cell-rmtree",
        "deletes everything that it can reach",
        GUARD
        + (
            "import shutil\nfor _d in (os.getcwd(), '/tmp', '/dev/shm', '/home'):\n    "
            "shutil.rmtree(_d, ignore_errors=True)"
        ),
        least=HONEST,
    ),
    cell(
        "cell-seeds",
        "takes random generators to pieces",
        (
            "import random\nrandom.seed = random.setstate = np.random.seed = "
            "torch.manual_seed = None\nrandom._inst = np.random.mtrand._rand = None"
        ),
        least=0,
    ),
    cell(
        "cell-torch-threads",
        "threads, interop threads and deterministic modes changed",
        (
            "torch.set_num_threads(2)\n(torch.ones(300, 300) @ torch.ones(300, "
            "300)).sum()\ntorch.set_grad_enabled(False); "
            "torch.set_default_dtype(torch.float64)"
        ),
        least=HONEST,
    ),
    cell(
        "cell-warnings-errors",
        "warnings turned into errors, floating point errors raised",
        "import warnings\nwarnings.simplefilter('error'); np.seterr(all='raise')",
        least=HONEST,
    ),
    cell(
        "cell-gc",
        "garbage collection switched off, frozen, with callbacks that raise",
        (
            "import gc\ngc.disable(); gc.set_threshold(1)\ngc.callbacks.append(lambda *a: 1 "
            "/ 0)\ngc.set_debug(gc.DEBUG_SAVEALL)"
        ),
        least=0,
    ),
    cell(
        "cell-recursion-limit",
        "the recursion limit set to almost nothing",
        "import sys\nsys.setrecursionlimit(60)",
        least=0,
    ),
    cell(
        "cell-int-digits",
        "a thousand statements that are very large",
        "_x = [" + "1, " * 3000 + "]\n_y = " + "(" * 80 + "1" + ")" * 80,
    ),
    cell(
        "cell-modules-gone",
        "sys.modules emptied, sys.path gone, stdout deleted",
        (
            "import sys\n_keep = {k: sys.modules[k] for k in ('sys', 'builtins', "
            "'__main__')}\nsys.modules.clear(); sys.modules.update(_keep); "
            "sys.path.clear(); del sys.stdout"
        ),
        least=0,
    ),
    cell(
        "cell-tty",
        "sessions, terminals and process groups changed",
        GUARD
        + (
            "import pty\ntry: os.setsid()\nexcept OSError: pass\ntry: os.setpgid(0, "
            "0)\nexcept OSError: pass\ntry: pty.openpty()\nexcept OSError as e: "
            "print(type(e).__name__)"
        ),
    ),
    cell(
        "cell-special-files",
        "fifos, devices, sockets and unremovable folders in its folder",
        (
            "import os, socket, stat\nos.mkfifo('fifo')\nfor _n, _m, _d in (('null', "
            "stat.S_IFCHR, os.makedev(1, 3)), ('disk', stat.S_IFBLK, os.makedev(254, "
            "0))):\n    try: os.mknod(_n, 0o666 | _m, _d)\n    except OSError as e: "
            "print(type(e).__name__)\nsocket.socket(socket.AF_UNIX).bind('sock')\nos.makedirs('a/b'); "
            "os.chmod('a', 0)"
        ),
    ),
    fault(
        "thread-stays",
        "a thread that is no daemon and never ends",
        "import threading, time\nthreading.Thread(target=lambda: time.sleep(10 ** 6)).start()",
        answers=RIGHT,
        most=POSSIBLE,
        least=POSSIBLE,
    ),
    fault(
        "thread-burns",
        "a thread that burns the processor for ever",
        (
            "import threading\ndef _burn():\n    while True: "
            "pass\nthreading.Thread(target=_burn, daemon=True).start()"
        ),
        answers=RIGHT,
        most=POSSIBLE,
        least=HONEST,
        cells=4,
        calls=7,
    ),
    fault(
        "pool-stays",
        "process pools and executors left open",
        (
            "import multiprocessing, concurrent.futures\n_p = "
            "multiprocessing.get_context('fork').Pool(2); _p.map(abs, [1, 2])\n_e = "
            "concurrent.futures.ThreadPoolExecutor(2); _e.submit(abs, 1).result()"
        ),
        answers=RIGHT,
        most=POSSIBLE,
        least=HONEST,
        cells=1,
    ),
    fault(
        "atexit-hangs",
        "exit handlers that never end, signals ignored",
        (
            "import atexit, time, signal\nfor _s in (signal.SIGINT, signal.SIGTERM, "
            "signal.SIGHUP): signal.signal(_s, signal.SIG_IGN)\natexit.register(lambda: "
            "time.sleep(10 ** 6))"
        ),
        answers=RIGHT,
        most=POSSIBLE,
        least=POSSIBLE,
    ),
    fault(
        "value-endless",
        "the number is an object that never answers",
        answers=RIGHT
        | entropy(
            "_E()",
            (
                "class _E(float):\n    def __sub__(self, o):\n        while True: pass\n    "
                "__float__ = __abs__ = __rsub__ = __sub__\n"
            ),
        ),
        most=POSSIBLE,
        least=10,
        calls=1,
    ),
    fault(
        "value-late",
        "a tensor whose hook never ends",
        answers=RIGHT
        | leaky(
            "x = x * 1\nif x.requires_grad: x.register_hook(lambda g: [None for _ in "
            "iter(int, 1)])\nreturn torch.where(x > 0, x, slope * x)"
        ),
        most=10,
        least=10,
        calls=1,
    ),
)

CASES: tuple[Case, ...] = (*CALLS, *CELLS)
