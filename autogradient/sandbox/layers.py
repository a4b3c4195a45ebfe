"""Layers of confinement: what each is for, and the error for one that cannot be had."""

from __future__ import annotations

#: Every layer and what it is for, in the order in which they come into force.
LAYERS: dict[str, str] = {
    "cgroup": (
        "memory and processes of the whole session are bounded together (optional: needs a "
        "control group that we may write to)"
    ),
    "user namespace": "lets an ordinary user have the other namespaces (not needed as root)",
    "processes": (
        "a process namespace: no process outside the session can be seen or signalled, and "
        "all of the session ends at once"
    ),
    "network": (
        "a network namespace without any interface: no connection to anywhere, nor to this machine"
    ),
    "ipc": (
        "a namespace for shared memory, semaphores and queues: none outside the session can "
        "be reached"
    ),
    "hostname": "a name of its own: the machine's name is not shown",
    "copies": (
        "files that sessions see are copies in memory: nothing done to them, or learnt of "
        "them, reaches another session"
    ),
    "files": (
        "a root folder of its own, read-only: Python and its libraries, no home, no course, "
        "no configuration"
    ),
    "disk": (
        "the work folder, /tmp and /dev/shm are in memory, bounded together, and end with "
        "the session"
    ),
    "proc": (
        "a /proc of the session's own processes, read-only; what it says of the whole "
        "machine stands still"
    ),
    "environment": "nothing of the grader's environment is left, in memory neither",
    "memory order": "when memory runs out on the machine, student code is ended first",
    "limits": (
        "bounds for each process: memory, processor time, file size, open files, number of "
        "processes, no core files"
    ),
    "uid": "a user of its own, without groups: no right to anybody's files or processes",
    "capabilities": "none, and none to be had",
    "no_new_privs": "programs with set-uid bits or file capabilities give nothing",
    "landlock": (
        "files outside the work folder cannot be written, nor others read, whatever is "
        "mounted; no TCP, no signals to the outside"
    ),
    "seccomp": (
        "system calls by an allow-list: no tracing, mounting, namespaces, keys, io_uring, "
        "sockets other than local ones"
    ),
}
#: Layers whose absence does not stop grading.
OPTIONAL = frozenset({"cgroup"})

_ADVICE = {
    "user namespace": "run as root with CAP_SYS_ADMIN, or allow user namespaces (sysctl "
    "user.max_user_namespaces=15000, kernel.unprivileged_userns_clone=1,"
    " kernel.apparmor_restrict_unprivileged_userns=0; in a container: --cap-add SYS_ADMIN "
    "--security-opt seccomp=unconfined)",
    "proc": (
        "in a container, add --security-opt systempaths=unconfined; /proc must not be "
        "covered by other mounts"
    ),
    "copies": (
        "graders need about 2 GB of memory for them, new mount namespaces and a folder "
        "/srv, /media, /mnt, /boot or /opt that can be covered"
    ),
    "uid": (
        "the process needs CAP_SETUID and CAP_SETGID, and more than one user id in its user "
        "namespace; or run as an ordinary user"
    ),
    "landlock": (
        "use Linux 5.13 or newer with Landlock among its security modules "
        "(CONFIG_SECURITY_LANDLOCK, and landlock in the lsm= parameter)"
    ),
    "seccomp": "use Linux with CONFIG_SECCOMP_FILTER on x86_64 or aarch64",
}
_GENERAL = (
    "run as root with CAP_SYS_ADMIN, or as an ordinary user where user namespaces are allowed"
)


class LayerMissing(OSError):
    """A layer of confinement cannot be had here. `layer` is its name, `reason` says why and what to
    set.
    """

    def __init__(self, layer: str, reason: str) -> None:
        self.layer, self.reason = layer, reason
        super().__init__(f"the layer '{layer}' of confinement cannot be had: {reason}")


def missing(layer: str, why: str) -> LayerMissing:
    """The error for a layer: why it cannot be had, and what to set."""
    return LayerMissing(layer, f"{why}; {_ADVICE.get(layer, _GENERAL)}")
