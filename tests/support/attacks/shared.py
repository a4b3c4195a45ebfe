"""What two sessions have in common, used to pass bits on: a sender, which was given a hidden input,
and a receiver, whose output is shown.

The text of this module runs as a cell in both. A receiver returns one number for each bit; what
they mean is found out from the first half, which everybody knows (`decoded`): so any difference
that a sender can make counts, whatever it looks like.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import threading
import time

#: Bytes from one page that stands for a bit to the next: further than anything is read ahead.
STEP = 128 * 1024
#: What a sender holds until its session ends.
held = []


def _big() -> str:
    """The largest file that every session sees and that nobody has mapped, so no library: pages
    that are mapped are not dropped.
    """
    best, size = "", 0
    for folder, _, names in os.walk("/usr/lib"):
        for path in (os.path.join(folder, name) for name in names if ".so" not in name):
            if not os.path.islink(path) and os.path.getsize(path) > size:
                best, size = path, os.path.getsize(path)
    return best


def _timed(action) -> float:
    start = time.perf_counter_ns()
    with contextlib.suppress(OSError):
        action()
    return float(time.perf_counter_ns() - start)


def send_pages(bits, tag) -> None:
    """Drop a file from memory; have a page read for each 1."""
    fd = os.open(_big(), os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    for at, bit in enumerate(bits):
        if bit:
            os.pread(fd, 1, at * STEP)


def receive_asked(count, tag) -> list:
    """Ask for each page without waiting."""
    fd, found = os.open(_big(), os.O_RDONLY), []
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    for at in range(count):
        try:
            found.append(float(os.preadv(fd, [bytearray(1)], at * STEP, os.RWF_NOWAIT)))
        except OSError:
            found.append(-1.0)
    return found


def receive_read(count, tag) -> list:
    """Read each page, with a clock."""
    fd = os.open(_big(), os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    return [_timed(lambda at=at: os.pread(fd, 1, at * STEP)) for at in range(count)]


def receive_mapped(count, tag) -> list:
    """Look at each page in a memory map, with a clock."""
    with open(_big(), "rb") as file:
        memory = mmap.mmap(file.fileno(), (count + 1) * STEP, prot=mmap.PROT_READ)
    memory.madvise(mmap.MADV_RANDOM)
    return [_timed(lambda at=at: memory[at * STEP]) for at in range(count)]


def send_names(bits, tag) -> None:
    """Ask for a file that is not there for each 1."""
    for at, bit in enumerate(bits):
        if bit:
            os.path.exists(f"{os.path.dirname(os.__file__)}/absent-{tag}-{at}")


def receive_names(count, tag) -> list:
    """The same, with a clock."""
    os.path.exists(f"{os.path.dirname(os.__file__)}/absent")
    return [
        _timed(lambda at=at: os.stat(f"{os.path.dirname(os.__file__)}/absent-{tag}-{at}"))
        for at in range(count)
    ]


def _files(count) -> list:
    folder = os.path.dirname(os.__file__)
    return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if name.endswith(".py")][
        :count
    ]


def send_flock(bits, tag) -> None:
    """Hold a lock on a file for each 1."""
    for path, bit in zip(_files(len(bits)), bits, strict=True):
        if bit:
            held.append(os.open(path, os.O_RDONLY))
            with contextlib.suppress(OSError):
                fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)


def receive_flock(count, tag) -> list:
    """Whether each file can be locked."""
    found = []
    for path in _files(count):
        fd = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.append(1.0)
        except OSError:
            found.append(0.0)
        os.close(fd)
    return found


def send_records(bits, tag) -> None:
    """Lock a byte of a device for each 1."""
    held.append(os.open("/dev/null", os.O_RDWR))
    for at, bit in enumerate(bits):
        if bit:
            with contextlib.suppress(OSError):  # somebody else has it: taken all the same
                fcntl.lockf(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, at)


def receive_records(count, tag) -> list:
    """Whether each byte can be locked."""
    fd, found = os.open("/dev/null", os.O_RDWR), []
    for at in range(count):
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, at)
            found.append(1.0)
        except OSError:
            found.append(0.0)
    return found


_FUTEX, _WAIT, _WAKE = 202 if os.uname().machine == "x86_64" else 98, 0, 1


def _words(count) -> list:
    """Addresses of words in a file that every session sees, a page apart, and what they say."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    with open(_big(), "rb") as file:
        start = libc.mmap(
            None, ctypes.c_size_t(count * 4096), 1, mmap.MAP_SHARED, file.fileno(), ctypes.c_long(0)
        )
    return [
        (start + at * 4096, ctypes.c_uint32.from_address(start + at * 4096).value)
        for at in range(count)
    ]


def send_futexes(bits, tag) -> None:
    """Wait at a word for each 1, in as many threads as there may be."""
    libc = ctypes.CDLL(None, use_errno=True)
    threading.stack_size(64 * 1024)

    def wait(address, value) -> None:
        libc.syscall(_FUTEX, ctypes.c_void_p(address), _WAIT, value, None, None, 0)

    for word, bit in reversed(list(zip(_words(len(bits)), bits, strict=True))):
        if bit:
            thread = threading.Thread(target=wait, args=word, daemon=True)
            with contextlib.suppress(RuntimeError):
                thread.start()
                thread.join(0.01)


def receive_futexes(count, tag) -> list:
    """Wake who waits at each word; how many there were."""
    libc = ctypes.CDLL(None, use_errno=True)
    return [
        float(libc.syscall(_FUTEX, ctypes.c_void_p(address), _WAKE, 100, None, None, 0))
        for address, _ in _words(count)
    ]


def send_mapped(bits, tag) -> None:
    """Have a page of a file in memory for each 1, and keep it there."""
    with open(_big(), "rb") as file:
        held.append(mmap.mmap(file.fileno(), len(bits) * STEP, prot=mmap.PROT_READ))
    for at, bit in enumerate(bits):
        if bit:
            held[-1][at * STEP]


def receive_counted(count, tag) -> list:
    """Have each page in memory, and ask the kernel whether others have it, too."""
    found, path = [], _big()
    with open(path, "rb") as file:
        for at in range(count):
            with mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ, offset=at * STEP) as page:
                page[0]
                found.append(_part_kb(path))
    return found


def _part_kb(path) -> float:
    """This process' part of what it has mapped of a file, in KB: less where others have it, too; -1
    where nobody says.
    """
    try:
        with open("/proc/self/smaps") as file:
            lines = file.read().partition(path)[2].splitlines()
    except OSError:
        return -1.0
    return float(next(line.split()[1] for line in lines if line.startswith("Pss:")))


#: Name → how to send and how to receive; and whether what is sent goes with the sender.
CHANNELS = {
    "pages, asked for": (send_pages, receive_asked, False),
    "pages, read with a clock": (send_pages, receive_read, False),
    "pages, mapped, with a clock": (send_pages, receive_mapped, False),
    "names, with a clock": (send_names, receive_names, False),
    "locks of files": (send_flock, receive_flock, True),
    "locks of records": (send_records, receive_records, True),
    "who has mapped what": (send_mapped, receive_counted, True),
    "futexes": (send_futexes, receive_futexes, True),
}


def decoded(known, measured) -> list:
    """The bits that the second half of the measurements stand for, by the limit that tells the
    first half apart best.
    """
    half = len(known)
    best = (-1, 0.0, True)
    for limit in sorted(set(measured[:half])):
        for above in (True, False):
            right = sum(
                (value > limit) is (bool(bit) is above)
                for value, bit in zip(measured[:half], known, strict=True)
            )
            best = max(best, (right, limit, above))
    return [int((value > best[1]) is best[2]) for value in measured[half:]]
