"""What a file is, by its name and its first bytes: a notebook, an archive, a web page, or what no
notebook is in.
"""

from __future__ import annotations

import re

NOTEBOOK = ".ipynb"
#: What systems and platforms put beside what was handed in.
IGNORED = ("thumbs.db", "desktop.ini", "__macosx", "timestamp.txt", "receipt.json")
#: Never a notebook and often large, so not opened: data, pictures, films, programs.
OTHERS = (
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".svg",
    ".webp",
    ".bmp",
    ".heic",
    ".mp3",
    ".wav",
    ".mp4",
    ".mov",
    ".avi",
    ".mkv",
    ".csv",
    ".tsv",
    ".npy",
    ".npz",
    ".pt",
    ".pth",
    ".pkl",
    ".pickle",
    ".h5",
    ".parquet",
    ".py",
    ".pyc",
    ".md",
    ".toml",
    ".yml",
    ".yaml",
)
_OFFICE = (
    ".docx",
    ".doc",
    ".odt",
    ".pages",
    ".pptx",
    ".ppt",
    ".odp",
    ".key",
    ".xlsx",
    ".xls",
    ".ods",
    ".numbers",
    ".rtf",
)
_ARCHIVES = (
    ".zip",
    ".rar",
    ".7z",
    ".tar",
    ".tgz",
    ".gz",
    ".tbz2",
    ".tbz",
    ".bz2",
    ".txz",
    ".xz",
    ".zst",
)
_BEGINS = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"PK\x07\x08": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"Rar!\x1a\x07": "RAR",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"%PDF-": "PDF",
}


def is_ignored(path: str) -> bool:
    """Whether a path is hidden, or one that systems and platforms add of themselves."""
    return any(
        (part.startswith(".") and part not in (".", "..")) or part.lower() in IGNORED
        for part in path.split("/")
    )


def is_archive(name: str) -> bool:
    """Whether a file's name is that of an archive."""
    return name.lower().endswith(_ARCHIVES)


def kind(head: bytes, name: str = "") -> str:
    """What a file is by its first bytes: zip, gzip, bzip2, xz, tar, RAR, 7z, Zstandard, PDF,
    office, or "" for anything else.
    """
    named = {".rar": "RAR", ".7z": "7z", ".zst": "Zstandard", ".pdf": "PDF"}.get(
        name.lower()[name.rfind(".") :] if "." in name else ""
    )
    found = next((kind for begin, kind in _BEGINS.items() if head.startswith(begin)), "")
    if name.lower().endswith(_OFFICE) or (
        found == "zip" and (b"word/" in head or b"[Content_Types].xml" in head[:64])
    ):
        return "office"
    return found or named or ("tar" if head[257:262] == b"ustar" else "")


def is_web_page(beginning: bytes) -> bool:
    """Whether a text is HTML, by its first words."""
    return re.match(rb"<(!doctype html|html|head|\?xml)\b", beginning, re.IGNORECASE) is not None


def like_notebook(data: bytes) -> bool:
    """Whether some bytes are a notebook's, whatever the file is called."""
    plain = data.replace(b"\x00", b"")  # as Windows writes it
    return (
        plain.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"{")
        and b'"nbformat"' in plain
        and (b'"cells"' in plain or b'"worksheets"' in plain)
    )
