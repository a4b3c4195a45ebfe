"""The system calls that student code may make: an allow-list for seccomp, with the tables for
x86_64 and aarch64.

What is not listed does not exist (ENOSYS), so that libraries fall back on something older; what is
known to be dangerous is refused (EPERM). Some calls are allowed or not by an argument, and some are
answered with success while nothing is done.

Four kinds are not listed on purpose. System V shared memory, semaphores and queues outlive the
process and its limits. `memfd_create` makes files in memory that no limit of a process counts. And
whatever says which pages of a file are in memory (`mincore`, `cachestat`), tells of other
processes' use of a file (`inotify_init`), or numbers something machine-wide (`pidfd_open`,
`sysinfo`) would let one session hear of another. So would a futex on a page of a file that both
see, and a filter cannot tell which page it is: of all that are not private to a process nobody is
woken, and nobody waits. Whoever waits looks again at once, as the C library does when a wait ends
early: `sandbox.locks`.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import stat
import struct
from typing import NamedTuple

#: Name, number on x86_64, number on aarch64.
ALLOWED = """
    # files and folders
    read 0 63, write 1 64, creat 85 -, close 3 57, close_range 436 436, stat 4 -, fstat 5 80,
    lstat 6 -, newfstatat 262 79, statx 332 291, lseek 8 62, pread64 17 67, pwrite64 18 68,
    readv 19 65, writev 20 66, preadv 295 69, pwritev 296 70, access 21 -, faccessat 269 48,
    faccessat2 439 439, dup 32 23, dup2 33 -, dup3 292 24, fsync 74 82, fdatasync 75 83,
    truncate 76 45, ftruncate 77 46, fallocate 285 47, getdents 78 -, getdents64 217 61,
    getcwd 79 17, chdir 80 49, fchdir 81 50, rename 82 -, renameat 264 38, renameat2 316 276,
    mkdir 83 -, mkdirat 258 34, rmdir 84 -, link 86 -, linkat 265 37, unlink 87 -, unlinkat 263 35,
    symlink 88 -, symlinkat 266 36, readlink 89 -, readlinkat 267 78, chown 92 -, fchown 93 55,
    lchown 94 -, fchownat 260 54, umask 95 166, mknod 133 -, mknodat 259 33, utime 132 -,
    utimes 235 -, futimesat 261 -, utimensat 280 88, statfs 137 43, fstatfs 138 44, sendfile 40 71,
    copy_file_range 326 285, setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, getxattr 191 8,
    lgetxattr 192 9, fgetxattr 193 10, listxattr 194 11, llistxattr 195 12, flistxattr 196 13,
    removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16,
    # memory
    mprotect 10 226, munmap 11 215, mremap 25 216, brk 12 214, msync 26 227, membarrier 324 283,
    mbind 237 235, get_mempolicy 239 236, set_mempolicy 238 237, pkey_mprotect 329 288,
    pkey_alloc 330 289, pkey_free 331 290, mseal 462 462, map_shadow_stack 453 453,
    # waiting and talking
    pipe 22 -, pipe2 293 59, select 23 -, pselect6 270 72, poll 7 -, ppoll 271 73,
    epoll_create 213 -, epoll_create1 291 20, epoll_ctl 233 21, epoll_wait 232 -,
    epoll_pwait 281 22, epoll_pwait2 441 441, eventfd 284 -, eventfd2 290 19, signalfd 282 -,
    signalfd4 289 74, timerfd_create 283 85, timerfd_settime 286 86, timerfd_gettime 287 87,
    bind 49 200, listen 50 201, accept 43 202, accept4 288 242, connect 42 203, getsockname 51 204,
    getpeername 52 205, sendto 44 206, recvfrom 45 207, sendmsg 46 211, recvmsg 47 212,
    sendmmsg 307 269, recvmmsg 299 243, shutdown 48 210, set_robust_list 273 99,
    get_robust_list 274 100, rseq 334 293,
    # processes and threads
    fork 57 -, vfork 58 -, execve 59 221, execveat 322 281, exit 60 93, exit_group 231 94,
    wait4 61 260, waitid 247 95, kill 62 129, tkill 200 130, tgkill 234 131, rt_sigaction 13 134,
    rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigpending 127 136, rt_sigtimedwait 128 137,
    rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240, rt_sigsuspend 130 133, sigaltstack 131 132,
    restart_syscall 219 128, pause 34 -, getpid 39 172, getppid 110 173, gettid 186 178,
    getpgid 121 155, setpgid 109 154, getpgrp 111 -, getsid 124 156, setsid 112 157,
    set_tid_address 218 96, arch_prctl 158 -, set_thread_area 205 -, get_thread_area 211 -,
    getuid 102 174, geteuid 107 175, getgid 104 176, getegid 108 177, getresuid 118 148,
    getresgid 120 150, getgroups 115 158, setuid 105 146, setgid 106 144, setreuid 113 145,
    setregid 114 143, setresuid 117 147, setresgid 119 149, setgroups 116 159, setfsuid 122 151,
    setfsgid 123 152, capget 125 90, capset 126 91, getpriority 140 141, setpriority 141 140,
    ioprio_get 252 31, ioprio_set 251 30, sched_yield 24 124, sched_getparam 143 121,
    sched_setparam 142 118, sched_getscheduler 145 120, sched_setscheduler 144 119,
    sched_get_priority_max 146 125, sched_get_priority_min 147 126, sched_rr_get_interval 148 127,
    sched_getaffinity 204 123, sched_setaffinity 203 122, sched_getattr 315 275,
    sched_setattr 314 274, getrlimit 97 163, setrlimit 160 164, prlimit64 302 261, getrusage 98 165,
    landlock_create_ruleset 444 444, landlock_add_rule 445 445, landlock_restrict_self 446 446,
    # time and what there is
    nanosleep 35 101, clock_nanosleep 230 115, clock_gettime 228 113, clock_getres 229 114,
    gettimeofday 96 169, time 201 -, times 100 153, alarm 37 -, getitimer 36 102, setitimer 38 103,
    timer_create 222 107, timer_settime 223 110, timer_gettime 224 108, timer_getoverrun 225 109,
    timer_delete 226 111, getrandom 318 278, uname 63 160, getcpu 309 168
"""
REFUSED = """
    ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440,
    kcmp 312 272, pidfd_getfd 438 438, bpf 321 280, perf_event_open 298 241, userfaultfd 323 282,
    io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427, mount 165 40,
    umount2 166 39, pivot_root 155 41, chroot 161 51, mount_setattr 442 442, move_mount 429 429,
    open_tree 428 428, open_tree_attr 467 467, fsopen 430 430, fsconfig 431 431, fsmount 432 432,
    fspick 433 433, unshare 272 97, setns 308 268, keyctl 250 219, add_key 248 217,
    request_key 249 218, open_by_handle_at 304 265, kexec_load 246 104, kexec_file_load 320 294,
    init_module 175 105, finit_module 313 273, delete_module 176 106, create_module 174 -,
    reboot 169 142, swapon 167 224, swapoff 168 225, acct 163 89, quotactl 179 60,
    quotactl_fd 443 443, settimeofday 164 170, clock_settime 227 112, clock_adjtime 305 266,
    adjtimex 159 171, sethostname 170 161, setdomainname 171 162, personality 135 92,
    syslog 103 116, iopl 172 -, ioperm 173 -, modify_ldt 154 -, vhangup 153 58
"""
#: Answered with success, and nothing is done. Advice on files and locks on them reach every session
#: that sees the same file; a session has the files that it writes to itself, and memory is not
#: moved to a disk while it runs.
IDLE = """
    fadvise64 221 223, readahead 187 213, sync_file_range 277 84, flock 73 32, mlock 149 228,
    mlock2 325 284, munlock 150 229, mlockall 151 230, munlockall 152 231
"""
BY_ARGUMENT = """
    clone 56 220, socket 41 198, socketpair 53 199, prctl 157 167, ioctl 16 29, chmod 90 -,
    fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, open 2 -, openat 257 56, fcntl 72 25,
    preadv2 327 286, pwritev2 328 287, mmap 9 222, madvise 28 233, setsockopt 54 208,
    getsockopt 55 209, futex 202 98
"""

_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_CLONE_PIDFD = 0x1000  # a pidfd has a number that counts all processes of the machine
_PR_SET_DUMPABLE, _PR_SET_MEMORY_MERGE, _TIOCSTI, _TIOCLINUX = 4, 67, 0x5412, 0x541C
_MAP_HUGETLB = 0x40000  # of a pool that all processes of the machine share
#: Commands of fcntl: those that are about the descriptor, its owner or the size of its pipe; and
#: those that take or leave a lock, or wait for one.
_ABOUT_DESCRIPTORS = (0, 1, 2, 3, 4, 8, 9, 10, 11, 15, 16, 1027, 1028, 1030, 1032, 1034)
_LOCKS = (6, 7, 37, 38)
#: Advice about memory: not to drop it from memory (COLD, PAGEOUT), read it ahead (POPULATE) or
#: share it with who has the same (MERGEABLE).
_ADVICE = (0, 1, 2, 3, 4, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 24)
#: Of futexes, which are shared between processes unless they say that they are not: to wait, also
#: by the other clock, and to wake or move who waits.
_FUTEX_PRIVATE, _FUTEX_WAITS, _FUTEX_WAKES = 128, (0, 9, 256, 265), (1, 3, 4, 5, 10)
#: Of sockets: numbers that are counted machine-wide (COOKIE, NETNS_COOKIE, PEERPIDFD, PASSPIDFD).
_COUNTED = (57, 71, 76, 77)
_O_DIRECT = {"x86_64": 0x4000, "aarch64": 0x10000}


class _Rule(NamedTuple):
    """Which values of an argument are answered without doing anything: those that share bits with
    one ("in") or with none ("without"), are one ("is"), or are none ("not") of `values`.
    """

    argument: int
    how: str
    values: tuple[int, ...]
    answer: int = errno.EPERM


_SET_ID = stat.S_ISUID | stat.S_ISGID
#: Call → its rules. The first that holds gives the answer, an error number or 0 for success; where
#: none does the call is allowed.
_RULES: dict[str, tuple[_Rule, ...]] = {
    "clone": (_Rule(0, "in", (_NAMESPACES | _CLONE_PIDFD,)),),
    "socket": (_Rule(0, "not", (socket.AF_UNIX,)),),
    "socketpair": (_Rule(0, "not", (socket.AF_UNIX,)),),
    "prctl": (_Rule(0, "is", (_PR_SET_DUMPABLE, _PR_SET_MEMORY_MERGE)),),
    "ioctl": (_Rule(1, "is", (_TIOCSTI, _TIOCLINUX)),),
    "chmod": (_Rule(1, "in", (_SET_ID,)),),
    "fchmod": (_Rule(1, "in", (_SET_ID,)),),
    "fchmodat": (_Rule(2, "in", (_SET_ID,)),),
    "fchmodat2": (_Rule(2, "in", (_SET_ID,)),),
    "fcntl": (_Rule(1, "is", _LOCKS, 0), _Rule(1, "not", _ABOUT_DESCRIPTORS, errno.EINVAL)),
    "preadv2": (_Rule(5, "not", (0,), errno.EOPNOTSUPP),),
    "pwritev2": (_Rule(5, "not", (0,), errno.EOPNOTSUPP),),
    "mmap": (_Rule(3, "in", (_MAP_HUGETLB,), errno.ENOMEM),),
    "madvise": (_Rule(2, "not", _ADVICE, errno.EINVAL),),
    "setsockopt": (_Rule(2, "is", _COUNTED, errno.ENOPROTOOPT),),
    "getsockopt": (_Rule(2, "is", _COUNTED, errno.ENOPROTOOPT),),
    "futex": (
        _Rule(1, "is", _FUTEX_WAITS, errno.EAGAIN),
        _Rule(1, "is", _FUTEX_WAKES, 0),
        _Rule(1, "without", (_FUTEX_PRIVATE,), errno.ENOSYS),
    ),
}
#: Machine → column of the tables, AUDIT_ARCH.
_MACHINES = {"x86_64": (1, 0xC000003E), "aarch64": (2, 0xC00000B7)}
_X32 = 0x40000000

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_BITS, _GO, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x05, 0x06
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_REFUSE, _UNKNOWN, _NOTHING = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS, _ERRNO

_Code = list[tuple[int, int, int, int]]


def numbers(table: str, machine: str) -> dict[str, int]:
    """Name → number of the calls of a table that `machine` has."""
    column = _MACHINES[machine][0]
    rows = (
        row.split()
        for line in table.splitlines()
        for row in line.partition("#")[0].split(",")
        if row.strip()
    )
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


@functools.cache
def program(machine: str = os.uname().machine) -> bytes:
    """The filter as BPF instructions. Raises OSError (ENOTSUP) for a machine without a table."""
    if machine not in _MACHINES:
        raise OSError(errno.ENOTSUP, f"there is no list of system calls for {machine} processors")
    code: _Code = [
        (_LOAD, 0, 0, 4),
        (_IF_EQUAL, 1, 0, _MACHINES[machine][1]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
    ]
    if machine == "x86_64":
        code += [(_IF_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _REFUSE)]
    for name, number in numbers(BY_ARGUMENT, machine).items():
        body = _by_argument(_rules_of(name, machine))
        code += [(_IF_EQUAL, 0, len(body), number), *body]
    verdicts: dict[int, int] = {}
    for table, verdict in ((ALLOWED, _ALLOW), (REFUSED, _REFUSE), (IDLE, _NOTHING)):
        verdicts |= dict.fromkeys(numbers(table, machine).values(), verdict)
    runs = [(0, verdicts.get(0, _UNKNOWN))]
    for number in range(1, max(verdicts) + 2):
        verdict = verdicts.get(number, _UNKNOWN)
        if verdict != runs[-1][1]:
            runs.append((number, verdict))
    code += _search(runs)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _rules_of(name: str, machine: str) -> tuple[_Rule, ...]:
    if name in ("open", "openat"):  # past the memory in which files are kept
        return (
            _Rule(("open", "openat").index(name) + 1, "in", (_O_DIRECT[machine],), errno.EINVAL),
        )
    return _RULES[name]


def _by_argument(rules: tuple[_Rule, ...]) -> _Code:
    """Decide by the low words of arguments: all that are looked at here are 32-bit to the kernel,
    or have no bits of meaning above.
    """
    code: _Code = []
    for rule in rules:
        code.append((_LOAD, 0, 0, 16 + 8 * rule.argument))
        answer = (_RETURN, 0, 0, _ERRNO | rule.answer)
        if rule.how == "not":
            count = len(rule.values)
            code += [(_IF_EQUAL, count - at, 0, value) for at, value in enumerate(rule.values)] + [
                answer
            ]
        elif rule.how == "without":
            code += [
                *(
                    (_IF_BITS, len(rule.values) - at, 0, value)
                    for at, value in enumerate(rule.values)
                ),
                answer,
            ]
        else:
            what = _IF_BITS if rule.how == "in" else _IF_EQUAL
            code += [piece for value in rule.values for piece in ((what, 0, 1, value), answer)]
    return [*code, (_RETURN, 0, 0, _ALLOW)]


def _search(runs: list[tuple[int, int]]) -> _Code:
    """A binary search over runs of numbers with one verdict each, (first number, verdict): a few
    steps for any call.
    """
    if len(runs) == 1:
        return [(_RETURN, 0, 0, runs[0][1])]
    middle = len(runs) // 2
    low, high = _search(runs[:middle]), _search(runs[middle:])
    if len(low) < 256:
        return [(_IF_AT_LEAST, len(low), 0, runs[middle][0]), *low, *high]
    return [(_IF_AT_LEAST, 0, 1, runs[middle][0]), (_GO, 0, 0, len(low)), *low, *high]
