"""IPython's shell without a kernel: runs cells and keeps what they show in notebook format."""

from __future__ import annotations

import base64
import io
import itertools
import json
import sys
import types
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

#: Characters of text that one cell may show; the head and the tail of longer output are kept. And
#: of pictures and the like, and how many pieces.
MAX_OUTPUT, MAX_DISPLAY, MAX_ITEMS = 100_000, 10_000_000, 500
#: Characters of the name of an error or a MIME type, types of one output.
MAX_NAME, MAX_MIMES = 200, 20
#: Frames of a traceback that are drawn.
MAX_FRAMES = 40
CUT = "\n… {count} characters left out …\n"
LEFT_OUT = "<output left out: this cell shows too much>"


class Outputs:
    """What the running cell has shown so far. Grows no larger than a few times the limits however
    much is shown.
    """

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        # of the last item, where it is a stream: joining at every print would take a long time
        self.pieces: list[str] = []
        self.waiting = 0
        self.cuts: dict[int, int] = {}
        self.shown = 0

    def add(self, output: dict[str, Any]) -> None:
        """Keep an output, joined with the last one where both are the same stream."""
        last = self.items[-1] if self.items else {}
        if output["output_type"] == "stream":
            if last.get("output_type") != "stream" or last["name"] != output["name"]:
                self._join()
                self.items.append(output | {"text": ""})
            self.pieces.append(output["text"])
            self.waiting += len(output["text"])
            if self.waiting > MAX_OUTPUT:
                self._join()
        else:
            self._join()
            self.items.append(output)
        if "data" in output:
            self.shown += sum(len(str(value)) for value in output["data"].values())
            if self.shown > MAX_DISPLAY:
                output["data"] = {"text/plain": LEFT_OUT}
        if len(self.items) > MAX_ITEMS:
            self.cuts.pop(id(self.items.pop(MAX_ITEMS // 2)), None)

    def _join(self) -> None:
        """Put what waits where it belongs, and keep only head and tail of it."""
        if not self.pieces:
            return
        item, half = self.items[-1], MAX_OUTPUT // 2
        text = item["text"] + "".join(self.pieces)
        self.pieces, self.waiting = [], 0
        if len(text) > MAX_OUTPUT:
            self.cuts[id(item)] = self.cuts.get(id(item), 0) + len(text) - MAX_OUTPUT
            text = text[:half] + text[-half:]
        item["text"] = text

    def take(self) -> list[dict[str, Any]]:
        """The outputs, long ones cut with a notice; starts afresh."""
        self._join()
        half = MAX_OUTPUT // 2
        for item in self.items:
            if id(item) in self.cuts:
                item["text"] = (
                    item["text"][:half]
                    + CUT.format(count=self.cuts[id(item)])
                    + item["text"][half:]
                )
        items = self.items
        self.items, self.cuts, self.shown = [], {}, 0
        return items


OUTPUTS = Outputs()


class Stream(io.TextIOBase):
    """Standard output or error as a text stream that keeps what is written."""

    encoding = "utf-8"

    def __init__(self, name: str, fd: int) -> None:
        self.name, self._fd = name, fd

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._fd

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            OUTPUTS.add({"output_type": "stream", "name": self.name, "text": whole(text)})
        return len(text)


def whole(text: str) -> str:
    """Text that can be written as UTF-8: half characters become question marks."""
    return text.encode("utf-8", "replace").decode()


def _clean(data: dict[str, Any]) -> dict[str, Any]:
    """A MIME bundle as JSON can hold it: bytes in base64, everything else as text or JSON."""
    out: dict[str, Any] = {}
    for mime, value in itertools.islice(data.items(), MAX_MIMES):
        name = whole(str(mime)[:MAX_NAME])
        if isinstance(value, bytes):
            out[name] = base64.b64encode(value).decode()
        else:
            out[name] = (
                json.loads(whole(json.dumps(value, default=str)))
                if isinstance(value, (dict, list))
                else whole(str(value))
            )
    return out


class _Publisher(DisplayPublisher):
    def publish(
        self,
        data: Any,
        metadata: Any = None,
        *,
        transient: Any = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        if not update:
            OUTPUTS.add({"output_type": "display_data", "data": _clean(data), "metadata": {}})

    def clear_output(self, wait: bool = False) -> None:
        OUTPUTS.take()


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        OUTPUTS.add(
            {
                "output_type": "execute_result",
                "execution_count": self.prompt_count,
                "data": _clean(format_dict),
                "metadata": {},
            }
        )

    def finish_displayhook(self) -> None:
        pass


#: The streams that cells begin with, by their names in `sys`.
_streams: dict[str, Stream] = {}


class Shell(InteractiveShell):
    """The shell of one submission. Use `make`."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)

    def enable_gui(self, gui: Any = None) -> None:
        """There is no event loop to enable."""

    def ask_exit(self) -> None:
        """The cells go on after `exit`, which would end a kernel."""
        print("exit is passed over while grading: the next cells run all the same", file=sys.stderr)

    def showtraceback(self, exc_tuple: Any = None, *options: Any, **more: Any) -> None:
        """As IPython does, without most of the frames where there are hundreds: of a recursion
        without end it would draw each, for half a minute.
        """
        etype, value, trace = self._get_exc_info(exc_tuple)
        seen: list[BaseException] = []
        error: BaseException | None = value
        while isinstance(error, BaseException) and error not in seen:
            seen.append(error)
            error.__traceback__ = _shortened(error.__traceback__)
            error = error.__cause__ or error.__context__
        super().showtraceback((etype, value, _shortened(trace)), *options, **more)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        try:
            value = str(evalue)
        except Exception:
            value = "<the exception's text could not be read>"
        OUTPUTS.add(
            {
                "output_type": "error",
                "ename": str(getattr(etype, "__name__", etype))[:MAX_NAME],
                "evalue": whole(value[:10_000]),
                "traceback": [whole(str(line)[:20_000]) for line in stb],
            }
        )


def _shortened(trace: types.TracebackType | None) -> types.TracebackType | None:
    """A traceback's first and last frames."""
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    kept = frames if len(frames) <= MAX_FRAMES else [*frames[:5], *frames[5 - MAX_FRAMES :]]
    for frame in reversed(kept):
        trace = types.TracebackType(trace, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return trace


def _no_input(*_: Any, **__: Any) -> str:
    raise StdinNotImplementedError(
        "input() cannot be answered while grading; put the value into the cell instead"
    )


def restore_streams() -> None:
    """Put the streams back where a cell has left something that nothing can be printed to: that is
    the cell's own loss, not the next one's.
    """
    for name, stream in _streams.items():
        if not callable(getattr(getattr(sys, name, None), "write", None)):
            setattr(sys, name, stream)


def make() -> Shell:
    """The one shell of this process, with its streams, display and figures in place."""
    import builtins
    import getpass

    _streams.update(stdout=Stream("stdout", 1), stderr=Stream("stderr", 2))
    sys.stdout, sys.stderr = _streams["stdout"], _streams["stderr"]
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    shell: Shell = Shell.instance(config=config, user_module=module)
    builtins.input = _no_input
    getpass.getpass = _no_input
    if "matplotlib.pyplot" in sys.modules:
        import matplotlib
        from matplotlib_inline.backend_inline import configure_inline_support, flush_figures

        # as in Jupyter: a figure is shown at the end of its cell, without plt.show() too
        matplotlib.interactive(True)
        configure_inline_support(shell, "module://matplotlib_inline.backend_inline")
        shell.events.register("post_execute", flush_figures)
    return shell
