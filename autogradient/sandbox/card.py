"""The NVIDIA cards of this machine: what they are, and what a process needs to see of the machine
to use them.
"""

from __future__ import annotations

import glob
import os

_PROC = "/proc/driver/nvidia"
#: Device files, below /dev: the cards, their control, unified memory.
_DEVICES = ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-caps/*")
#: Where CUDA looks up how cards and processors are connected; nothing of it is private.
FOLDERS = ("/sys/bus/pci", "/sys/devices", "/sys/module")


def is_there() -> bool:
    """Whether this machine has an NVIDIA card."""
    return os.path.isdir(f"{_PROC}/gpus")


def devices() -> list[str]:
    """The device files of all cards, relative to /dev."""
    return sorted(
        os.path.relpath(path, "/dev")
        for pattern in _DEVICES
        for path in glob.glob(f"/dev/{pattern}")
        if not os.path.isdir(path)
    )


def describe() -> str:
    """Models and driver, as the driver itself tells: "NVIDIA H200; NVRM version: … 580.82.07 …";
    empty where there is no card.
    """
    models = sorted({_value(path, "Model") for path in glob.glob(f"{_PROC}/gpus/*/information")})
    driver = _value(f"{_PROC}/version", "NVRM version")
    return "; ".join([*models, driver]) if is_there() else ""


def _value(path: str, key: str) -> str:
    try:
        with open(path) as file:
            found = [line.partition(":")[2] for line in file if line.startswith(f"{key}:")]
    except OSError:
        found = []
    return " ".join(found[0].split()) if found else "unknown"
