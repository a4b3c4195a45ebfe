"""Which files sessions see of those that `mounts.plan` names: Python with what is installed for it,
and of the system what programs and compilers need.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import hashlib
import os
import re
import stat
import struct
import sys
import sysconfig
from collections.abc import Iterator

from autogradient.sandbox import mounts

#: Programs of the system that a notebook may start; those that are not installed are passed over.
PROGRAMS = """
    sh bash dash env ls cat cp mv rm ln mkdir rmdir touch chmod stat du df pwd echo printf true
    false test [ yes seq sleep date id whoami hostname uname nproc tty tee head tail wc sort uniq
    cut paste tr tac rev nl od fold fmt join comm split expr factor basename dirname realpath
    readlink mktemp truncate shuf md5sum sha1sum sha256sum sha512sum cksum b2sum base32 base64 dd
    sync grep egrep fgrep sed awk gawk mawk find xargs diff cmp patch file less more which tar gzip
    gunzip zcat bzip2 bunzip2 xz unxz zip unzip bc dc jq tree time timeout nice nohup kill pkill
    pgrep ps top free uptime column hexdump xxd strings getopt script getconf iconv locale ldd make
    ninja gcc g++ cc c++ cpp c89 c99 as ld ld.bfd ld.gold collect2 ar nm ranlib objdump objcopy
    readelf strip size gcov c++filt addr2line pkg-config fc-list fc-match fc-cache dot numactl
"""
#: What else is shown below a folder like /usr, whole: for clocks, fonts, terminals and compilers.
_WHOLE = (
    "lib/gcc",
    "libexec/gcc",
    "lib64/gcc",
    "lib/locale",
    "lib/terminfo",
    "share/terminfo",
    "share/fonts",
    "share/fontconfig",
    "share/zoneinfo",
    "share/misc",
)
_HEADERS = ("c++", "linux", "asm", "asm-generic", "sys", "bits", "gnu", "net", "netinet", "arpa")
#: What compilers link to, and what is loaded by its name.
_LIBRARIES: tuple[str, ...] = (
    "*.o",
    "libc.*",
    "libc_*",
    "libm.*",
    "libm-*",
    "libmvec*",
    "libpthread*",
    "libdl*",
    "librt*",
    "libutil*",
    "libgcc_s*",
    "libstdc++*",
)
_LIBRARIES += (
    "libgomp*",
    "libatomic*",
    "libnss_*",
    "libz.so*",
    "libblas*",
    "liblapack*",
    "libopenblas*",
    "libgfortran*",
    "libtbb*",
    "libnuma*",
    "ld-linux*",
)
#: Compilers of other languages, and what optimizes while linking.
_NOT_COMPILERS = frozenset(
    {
        "lto1",
        "gnat1",
        "go1",
        "f951",
        "d21",
        "cc1obj",
        "cc1objplus",
        "cc1gm2",
        "crab1",
        "plugin",
        "gnat",
        "adainclude",
        "adalib",
    }
)
#: Of Python's own library and of what may be installed for it: tests, and tools that no notebook
#: imports.
_NOT_OF_PYTHON = frozenset({"test", "idlelib", "ensurepip", "turtledemo"})
_TOOLS = """
    babel black check_jsonschema debugpy docutils githubkit githubkit_schemas jupyter_server
    jupyterlab mypy mypyc nbclassic nbgrader notebook pip playwright pre_commit pylint ruff sphinx
    sphinxcontrib virtualenv
"""
_NOT_INSTALLED = frozenset({*_TOOLS.split(), "torch/test", "zoneinfo/right", "zoneinfo/posix"})
_TESTED = (
    "IPython dask distributed matplotlib mpl_toolkits networkx numpy pandas scipy skimage "
    "sklearn statsmodels sympy"
)
#: Folders of tests, and kinds of files that no program reads.
_TESTS = re.compile(rf"/(?:site|dist)-packages/(?:{'|'.join(_TESTED.split())})/(?:.*/)?tests$")
_UNREAD = (".pyi", ".map")
#: Of torch's programs, the one that it starts itself.
_OF_TORCH = "torch_shm_manager"
#: Bytes beyond which a program in a folder of Python's is a tool.
_LARGE = 16 << 20

#: Path → its status, of files and links.
_Files = dict[str, os.stat_result]


def fingerprint() -> str:
    """A digest of the state of everything that would be copied. A file of a library that was
    changed in its place, and not replaced, is not noticed.
    """
    show, said = mounts.plan(), hashlib.sha256(repr((mounts.plan(), sys.path)).encode())
    roots = _systems(show)
    for path in sorted({*show.trees, *_of_python(roots)} - set(roots)):
        for name, status in _walk(path, files=False):
            said.update(
                f"{name} {status.st_mtime_ns} "
                f"{status.st_size if not stat.S_ISDIR(status.st_mode) else 0}\n".encode()
            )
    for path in sorted(glob.glob(f"{mounts.PACKAGE}/**/*.py", recursive=True)):
        said.update(f"{path} {os.stat(path).st_mtime_ns}\n".encode())
    for root in roots:
        for path in [
            root,
            f"{root}/bin",
            f"{root}/sbin",
            f"{root}/include",
            *_library_folders([root]),
            *(f"{root}/{name}" for name in _WHOLE),
        ]:
            if os.path.exists(path):
                said.update(f"{path} {os.stat(path).st_mtime_ns}\n".encode())
    return said.hexdigest()[:32]


def copy(target: str, room: int) -> int:
    """Copy everything to below the folder `target`, by as many processes as there are processors;
    bytes of files.

    Raises OSError, where it would be more than `room` as well.
    """
    files = _chosen()
    size = sum(
        (status.st_size + 4095) & ~4095 for status in files.values() if stat.S_ISREG(status.st_mode)
    )
    if size > room:
        raise OSError(
            errno.ENOMEM,
            (
                f"the files that sessions see take {size >> 20} MB of memory, and "
                f"{room >> 20} MB can be spared"
            ),
        )
    for folder in sorted(
        {os.path.dirname(path) for path in files}
        | {path for path in mounts.plan().trees if os.path.isdir(path)}
    ):
        os.makedirs(target + folder, exist_ok=True)
    paths, share = (
        sorted(files, key=lambda path: -files[path].st_size),
        min(4, len(os.sched_getaffinity(0))),
    )
    children = []
    for number in range(share):
        if (pid := os.fork()) == 0:
            code = 1
            try:
                for path in paths[number::share]:
                    _copy(path, target + path, files[path])
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    if any(os.waitpid(pid, 0)[1] for pid in children):
        raise OSError(errno.EIO, "the files that sessions see could not be copied")
    return size


def _copy(path: str, to: str, status: os.stat_result) -> None:
    """Copy a file or a link, with its times: Python compares those of a module and its bytecode.
    What cannot be read is left out.
    """
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(path), to)
        return
    try:
        source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        return
    copy = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    while os.sendfile(copy, source, None, 1 << 30):
        pass
    os.fchmod(copy, status.st_mode & 0o777)
    os.utime(copy, ns=(status.st_mtime_ns, status.st_mtime_ns))
    os.close(copy)
    os.close(source)


# ---- what is chosen ------------------------------------------------------------------------------


def _systems(show: mounts.Plan) -> list[str]:
    """Those trees that are folders of the system, such as /usr, and not of Python's own."""
    return [
        tree for tree in show.trees if tree in {os.path.realpath(path) for path in mounts.SYSTEM}
    ]


def _of_python(roots: list[str]) -> set[str]:
    """What is Python's within the system's folders, where it is installed there."""
    paths = {
        os.path.realpath(path)
        for path in (
            sys.prefix,
            sys.base_prefix,
            sys.exec_prefix,
            sys.executable,
            mounts.PACKAGE,
            *sys.path,
        )
        if os.path.isabs(path)
    }
    return {
        path
        for path in paths
        if os.path.exists(path)
        and any(mounts.within(path, root) and path != root for root in roots)
    }


def _chosen() -> _Files:
    show = mounts.plan()
    roots = _systems(show)
    files: _Files = {}
    for path in sorted({*show.trees, *_of_python(roots)} - set(roots)):
        files |= {name: status for name, status in _walk(path) if not stat.S_ISDIR(status.st_mode)}
    binaries = [
        path
        for path, status in files.items()
        if ".so" in os.path.basename(path)
        or (status.st_mode & 0o111 and os.path.basename(os.path.dirname(path)) == "bin")
    ]
    wanted = binaries
    for root in roots:
        for folder in ("bin", "sbin", "."):
            wanted += [
                path
                for name in PROGRAMS.split()
                if os.path.lexists(path := os.path.normpath(f"{root}/{folder}/{name}"))
            ]
        for name in _WHOLE:
            wanted += [
                path for path, status in _walk(f"{root}/{name}") if not stat.S_ISDIR(status.st_mode)
            ]
        wanted += _headers(f"{root}/include")
    folders = _library_folders(roots)
    for folder in folders:
        wanted += [
            entry.path
            for entry in os.scandir(folder)
            if any(fnmatch.fnmatch(entry.name, like) for like in _LIBRARIES) and not entry.is_dir()
        ]
    found: dict[str, str | None] = {}
    seen = set()
    while wanted:
        path = wanted.pop()
        if path in seen or not any(mounts.within(path, tree) for tree in show.trees):
            continue
        seen.add(path)
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                files[path] = status
                wanted.append(_next(path))
            elif stat.S_ISREG(status.st_mode):
                files[path] = status
                for name in _needed(path):
                    if name not in found:
                        found[name] = next(
                            (
                                f"{folder}/{name}"
                                for folder in folders
                                if os.path.lexists(f"{folder}/{name}")
                            ),
                            None,
                        )
                    if place := found[name]:
                        wanted.append(place)
        except OSError:
            continue
    return files


def _next(link: str) -> str:
    """Where a link leads, with the folder on the way there as it really is."""
    target = os.path.join(os.path.dirname(link), os.readlink(link))
    return os.path.join(os.path.realpath(os.path.dirname(target)), os.path.basename(target))


def _library_folders(roots: list[str]) -> list[str]:
    triplet = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    return [
        path
        for root in roots
        for path in (f"{root}/lib/{triplet}", f"{root}/lib64", f"{root}/lib", root)
        if os.path.isdir(path)
    ]


def _headers(folder: str) -> Iterator[str]:
    """The headers of C, C++ and the system."""
    names = {*_HEADERS, sysconfig.get_config_var("MULTIARCH") or ""}
    for entry in os.scandir(folder) if os.path.isdir(folder) else ():
        if entry.is_file():
            yield entry.path
        elif entry.name in names:
            yield from (
                path for path, status in _walk(entry.path) if not stat.S_ISDIR(status.st_mode)
            )


def _walk(top: str, files: bool = True) -> Iterator[tuple[str, os.stat_result]]:
    """What is at and below a path, but for what no notebook needs: folders, and with `files` files
    and links, too.
    """
    covered = mounts.plan().covers
    installed = {os.path.realpath(path) for path in sys.path if path}
    stack = [top]
    while stack:
        path = stack.pop()
        try:
            status = os.lstat(path)
            if not stat.S_ISDIR(status.st_mode):
                yield path, status
                continue
            yield path, status
            entries = list(os.scandir(path))
        except OSError:
            continue
        parent = os.path.basename(path)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                left_out = entry.name in ("site-packages", "dist-packages") and not any(
                    mounts.within(one, entry.path) for one in installed
                )
                left_out |= (
                    parent in ("site-packages", "dist-packages") and entry.name in _NOT_INSTALLED
                )
                left_out |= f"{parent}/{entry.name}" in _NOT_INSTALLED or (
                    parent.startswith("python3.") and entry.name in _NOT_OF_PYTHON
                )
                left_out |= entry.name in _NOT_COMPILERS and "/gcc/" in path
                left_out |= entry.name == "tests" and _TESTS.search(entry.path) is not None
                if not left_out and entry.path not in covered:
                    stack.append(entry.path)
            elif (
                files
                and entry.name not in _NOT_COMPILERS
                and not entry.name.endswith(_UNREAD)
                and (entry.is_file(follow_symlinks=False) or entry.is_symlink())
            ):
                if path.endswith("/torch/bin") and entry.name != _OF_TORCH:
                    continue
                status = entry.stat(follow_symlinks=False)
                if status.st_size < _LARGE or not (
                    parent == "bin" or entry.name.endswith(".a") or "__mypyc" in entry.name
                ):
                    yield entry.path, status


# ---- libraries that a program needs --------------------------------------------------------------


def _needed(path: str) -> list[str]:
    """The names of the shared libraries that an ELF file says it needs; none for other files."""
    with open(path, "rb") as file:
        head = file.read(64)
        if head[:5] != b"\x7fELF\x02" or len(head) < 64:
            return []
        at, size, count = *struct.unpack_from("<Q", head, 32), *struct.unpack_from("<2H", head, 54)
        file.seek(at)
        segments = [
            struct.unpack_from("<IIQQQQQQ", piece)
            for piece in (file.read(size) for _ in range(count))
            if len(piece) >= 56
        ]
        dynamic = next(((segment[2], segment[5]) for segment in segments if segment[0] == 2), None)
        if dynamic is None:
            return []
        file.seek(dynamic[0])
        entries = list(struct.iter_unpack("<qQ", file.read(dynamic[1] & ~15)))
        table = next((value for tag, value in entries if tag == 5), 0)
        names = []
        for tag, value in entries:
            if tag == 1:
                address = table + value
                place = next(
                    (
                        s[2] + address - s[3]
                        for s in segments
                        if s[0] == 1 and s[3] <= address < s[3] + s[5]
                    ),
                    None,
                )
                if place is not None:
                    file.seek(place)
                    names.append(file.read(256).partition(b"\0")[0].decode("utf-8", "replace"))
        return names
