"""Against this design: hidden inputs kept in one question's test to be shown in another's, or in a
cell that is still to run.

`standardize` sees a hidden input, `leaky` raises in its visible test whatever it finds of it, and a
cell at the end prints it.
"""

from __future__ import annotations

from .corpus import GUARD, HONEST, SECRET_NUMBER, Case, leaky, meter, std, table

smuggle = table("smuggle")


def keep(id: str, description: str, make: str, put: str, get: str, least: float = HONEST) -> Case:
    """`make` runs in a cell; `put` keeps the number `v`; `get` leaves what was kept, or None, in
    `found`.
    """
    tested = (
        f"v = float(x.max())\ntry:\n{_in(put)}\nexcept Exception: pass\nreturn (x - "
        "x.mean()) / x.std()"
    )
    look = f"found = None\ntry:\n{_in(get)}\nexcept Exception: pass\n"
    answers = std(tested) | leaky(
        look
        + "if '867' in str(found): raise RuntimeError('kept: ' + str(found))\nreturn torch.relu(x)"
    )
    return smuggle(
        id, description, make, answers=answers, after=(look + "print('kept:', found)",), least=least
    )


def _in(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


_SERVER = (
    GUARD
    + "import socket\n_a = '\\0kept'\nif os.fork() == 0:\n    s = socket.socket(socket.AF_UNIX, "
    "socket.SOCK_DGRAM); s.bind(_a); s.settimeout(20); k = b''\n"
    "    while True:\n        try: m, who = s.recvfrom(4096)\n        except OSError: "
    "os._exit(0)\n        if m == b'?':\n            s.sendto(k or b'-', who)\n        else: k = "
    "m\n"
)

CASES: tuple[Case, ...] = (
    keep(
        "keep-file",
        "a file in the work folder",
        "",
        "if v > 3: open('kept', 'w').write(str(v))",
        "found = open('kept').read()",
    ),
    keep(
        "keep-tmp",
        "files in /tmp, /var/tmp and /dev/shm",
        "",
        (
            "for d in ('/tmp', '/var/tmp', '/dev/shm'):\n    try: v > 3 and open(d + "
            "'/kept', 'w').write(str(v))\n    except OSError: pass"
        ),
        (
            "import glob\nfound = [open(f).read() for f in glob.glob('/*/kept') + "
            "glob.glob('/*/*/kept')]"
        ),
    ),
    keep(
        "keep-mapping",
        "anonymous shared memory, mapped in a cell",
        "import mmap\n_m = mmap.mmap(-1, 4096)",
        "if v > 3: _m[:20] = str(v).encode().ljust(20)",
        "found = _m[:20].strip(b'\\0 ').decode()",
    ),
    keep(
        "keep-memfd",
        "a memory file",
        "import os\n_fd = os.memfd_create('kept')",
        "if v > 3: os.pwrite(_fd, str(v).encode(), 0)",
        "found = os.pread(_fd, 20, 0).decode()",
    ),
    keep(
        "keep-pipe",
        "a pipe made in a cell",
        "import os\n_r, _w = os.pipe()\nos.set_blocking(_r, False)",
        "if v > 3: os.write(_w, str(v).encode())",
        "found = os.read(_r, 20).decode()",
    ),
    keep(
        "keep-socket",
        "a pair of sockets made in a cell",
        "import socket\n_s, _t = socket.socketpair()\n_t.setblocking(False)",
        "if v > 3: _s.send(str(v).encode())",
        "found = _t.recv(20).decode()",
    ),
    keep(
        "keep-offset",
        "the position of an open file",
        "import os\nopen('seek', 'w').close()\n_fd = os.open('seek', os.O_RDONLY)",
        "if v > 3: os.lseek(_fd, int(v * 10000), 0)",
        "found = os.lseek(_fd, 0, 1) / 10000",
    ),
    keep(
        "keep-eventfd",
        "a counter of the kernel's",
        "import os\n_e = os.eventfd(0, os.EFD_NONBLOCK)",
        "if v > 3: os.eventfd_write(_e, int(v * 10000))",
        "found = os.eventfd_read(_e) / 10000",
    ),
    keep(
        "keep-sysv",
        "System V shared memory and message queues",
        (
            "import ctypes\n_l = ctypes.CDLL(None, use_errno=True)\n_l.shmat.restype = "
            "ctypes.c_void_p\n_id = _l.shmget(0xA66AD, 4096, 0o1666)\ndef _at():\n    a = "
            "_l.shmat(_id, None, 0)\n    if _id < 0 or a in (None, 2**64 - 1): raise "
            "OSError\n    return a"
        ),
        "if v > 3: ctypes.memmove(_at(), str(v).encode(), 8)",
        "found = ctypes.string_at(_at(), 8).strip(b'\\0').decode()",
    ),
    keep(
        "keep-posix",
        "POSIX shared memory",
        (
            "from multiprocessing import shared_memory\ntry: _sm = "
            "shared_memory.SharedMemory('kept', create=True, size=64)\nexcept OSError: _sm "
            "= None"
        ),
        "if v > 3: _sm.buf[:8] = str(v).encode()",
        "found = bytes(_sm.buf[:8]).strip(b'\\0').decode()",
    ),
    keep(
        "keep-server",
        "a child that serves on an abstract socket",
        _SERVER,
        (
            "import socket\nif v > 3: socket.socket(socket.AF_UNIX, "
            "socket.SOCK_DGRAM).sendto(str(v).encode(), _a)"
        ),
        (
            "import socket\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
            "s.bind(''); s.settimeout(0.3); s.sendto(b'?', _a)\nfound = "
            "s.recv(20).decode().strip('-')"
        ),
    ),
    keep(
        "keep-child",
        "a child that the test leaves behind and later tests find in /proc",
        GUARD,
        (
            "import time\nif v > 3 and os.fork() == 0:\n    import ctypes\n    "
            "ctypes.CDLL(None).prctl(15, str(v).encode(), 0, 0, 0); time.sleep(60); "
            "os._exit(0)"
        ),
        (
            "import glob, re\nfound = [t for f in glob.glob('/proc/[0-9]*/comm') for t in "
            "re.findall(r'\\d+\\.\\d{4}', open(f).read())]"
        ),
    ),
    keep(
        "keep-lock",
        "a lock on the byte whose number is the secret",
        "import fcntl, os\n_fd = os.open('lock', os.O_RDWR | os.O_CREAT)",
        (
            "import os, time\nif v > 3 and os.fork() == 0:\n    fcntl.lockf(_fd, "
            "fcntl.LOCK_EX, 1, int(v * 10000)); time.sleep(60); os._exit(0)"
        ),
        (
            "import struct\nr = struct.unpack('hhqqi', fcntl.fcntl(_fd, 5, "
            "struct.pack('hhqqi', 1, 0, 0, 0, 0)))\nfound = r[2] / 10000 if r[0] != 2 else "
            "None"
        ),
    ),
    keep(
        "keep-times",
        "the time stamp of a folder",
        "import os",
        "if v > 3: os.utime('.', (v, v))",
        "found = os.stat('.').st_mtime if os.stat('.').st_mtime < 1e4 else None",
    ),
    keep(
        "keep-xattr",
        "extended attributes and permissions",
        "import os\nopen('x', 'w').close()",
        (
            "if v > 3:\n    try: os.setxattr('x', 'user.kept', str(v).encode())\n    except "
            "OSError: os.truncate('x', int(v * 10000))"
        ),
        (
            "try: found = os.getxattr('x', 'user.kept').decode()\nexcept OSError: found = "
            "os.stat('x').st_size / 10000 or None"
        ),
    ),
    keep(
        "keep-limits",
        "limits and priorities of the processes it can see",
        "import os, resource",
        (
            "if v > 3:\n    for p in [int(p) for p in os.listdir('/proc') if "
            "p.isdigit()]:\n        try: resource.prlimit(p, resource.RLIMIT_STACK, (int(v "
            "* 10000), resource.getrlimit(resource.RLIMIT_STACK)[1]))\n        except "
            "OSError: pass"
        ),
        (
            "found = resource.getrlimit(resource.RLIMIT_STACK)[0] / 10000\nfound = found if "
            "100 < found < 10000 else None"
        ),
    ),
    keep(
        "keep-fd-passing",
        "descriptors passed through a socket made in a cell",
        "import os, socket, array\n_s, _t = socket.socketpair()\n_t.setblocking(False)",
        (
            "if v > 3:\n    r, w = os.pipe(); os.write(w, str(v).encode()); "
            "socket.send_fds(_s, [b'x'], [r])"
        ),
        "_, fds, _, _ = socket.recv_fds(_t, 1, 1)\nfound = os.read(fds[0], 20).decode()",
    ),
    keep(
        "keep-tensor",
        "a tensor and an array in shared memory",
        (
            "import torch, numpy as np, mmap\n_ts = torch.zeros(2, "
            "dtype=torch.float64)\ntry: _ts.share_memory_()\nexcept Exception as e: "
            "print(type(e).__name__)\n_na = np.frombuffer(mmap.mmap(-1, 64), "
            "dtype=np.float64)"
        ),
        "if v > 3: _ts[0] = v; _na[0] = v",
        "found = float(_ts[0]) or float(_na[0]) or None",
    ),
    keep(
        "keep-environment",
        "environment, working folder, umask and globals",
        "import os, sys, builtins",
        (
            "if v > 3:\n    os.environ['KEPT'] = str(v); sys.kept = v; builtins.kept = v; "
            "globals()['_v'] = v; np.kept = v"
        ),
        "found = os.environ.get('KEPT') or getattr(sys, 'kept', None) or globals().get('_v')",
    ),
    keep(
        "keep-notebook-file",
        "the notebook, its checkpoint and its history on disk",
        "import os",
        (
            "if v > 3:\n    for f in os.listdir('.'): open(f, 'a').write(str(v))\n    "
            "get_ipython().history_manager.store_inputs(1, str(v))"
        ),
        (
            "import glob\nfound = [t for f in glob.glob('**', recursive=True) for t in "
            "[open(f).read()] if '867' + '.5' in t]"
        ),
    ),
    keep(
        "keep-second-pass",
        (
            "globals of a process that has threads, so that its cells run a second time "
            "with the tests in place"
        ),
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), "
            "daemon=True).start()\n_kept = []"
        ),
        "if v > 3: _kept.append(v)",
        "found = _kept or None",
        least=2,
    ),
    smuggle(
        "keep-same-question",
        "functions keep every argument and raise all of them at the next call",
        "_seen = []",
        answers=std(
            "_seen.append(x[:4].tolist())\nif len(_seen) > 1: raise "
            "RuntimeError(repr(_seen))\nreturn (x - x.mean()) / x.std()"
        )
        | meter(
            "if len(_seen) > 1: raise RuntimeError(repr(_seen))\nreturn self.last",
            add="_seen.append(value)\nself.last = value",
        ),
        least=1,
    ),
    smuggle(
        "keep-class-names",
        "kept arguments become names of classes and modules in visible errors",
        "_seen = []",
        answers=meter(
            "if len(_seen) > 1: raise type('E' + str(_seen[2:3]).strip('[]').replace('.', "
            "'_') + 'x', (Exception,), {'__module__': str(_seen)})('"
            + SECRET_NUMBER[:3]
            + "')\nreturn self.last",
            add="_seen.append(value)\nself.last = value",
        ),
        least=2,
    ),
    smuggle(
        "rewind-numpy",
        "rewinds random generators to what the tests may have drawn from them",
        answers=std(
            "import random\nstates = (np.random.get_state(), random.getstate(), "
            "torch.get_rng_state())\nnp.random.seed(0)\nif x.max() > 3: raise "
            "RuntimeError('guess ' + str(np.random.rand(3)))\nreturn (x - x.mean()) / "
            "x.std()"
        ),
        least=HONEST,
    ),
    smuggle(
        "oracle-time",
        "the first digit of a secret as a time-out",
        answers=std(
            "import time\nif x.shape[1] > 1 and str(x.max())[0] == '8': "
            "time.sleep(30)\nreturn (x - x.mean()) / x.std()"
        ),
        least=HONEST,
        calls=1,
    ),
)
