"""Against this design: the worker's side of the conversation with the grader, spoken by the
student's own code.
"""

from __future__ import annotations

from .corpus import GUARD, HONEST, RIGHT, Case, entropy, leaky, std, table

wire = table("wire")

#: Finds the worker's own objects from inside.
FIND = """
import gc, os, socket, stat, struct, sys, time
import msgpack
from autogradient.wire import channel, codec, frames as codes, peer
def _frames():
    f = sys._getframe()
    while f:
        yield f
        f = f.f_back
def _servant():
    for f in _frames():
        if type(f.f_locals.get('self')).__name__ == 'Servant': return f.f_locals['self']
    return next((o for o in gc.get_objects() if type(o).__name__ == 'Servant'), None)
def _channel():
    s = _servant()
    if s is not None: return s.channel
    for f in _frames():
        if type(f.f_locals.get('channel')).__name__ == 'Channel': return f.f_locals['channel']
    return next(o for o in gc.get_objects() if type(o).__name__ == 'Channel')
def _sockets():
    out = []
    for n in os.listdir('/proc/self/fd'):
        try:
            if stat.S_ISSOCK(os.fstat(int(n)).st_mode): out.append(int(n))
        except (OSError, ValueError): pass
    return out
def _shout(data):
    for fd in _sockets():
        try: socket.socket(fileno=os.dup(fd)).send(data, socket.MSG_DONTWAIT)
        except OSError: pass
def _frame(message): return struct.pack('!I', len(message)) + message
def _E(code, value): return msgpack.ExtType(code, msgpack.packb(value))
def _say(number, value, kind=b'!', state=b''): return codes.message(kind, number, state, codec.encode(value))
"""

# ---- the conversation ----------------------------------------------------------------------------


def talk(
    id: str,
    description: str,
    body: str,
    *,
    calls: int = 0,
    least: float = HONEST,
    ahead: str = "",
    **changes: object,
) -> Case:
    """When `standardize` is called with the hidden input, this is done with the servant
    `s` first.
    """
    tested = (
        "if x.shape[1] > 1:\n    s = _servant()\n"
        + "\n".join("    " + line for line in body.split("\n"))
        + "\nreturn (x - x.mean()) / x.std()"
    )
    return wire(
        f"talk-{id}",
        description,
        FIND + ahead,
        answers=std(tested),
        least=least,
        calls=calls,
        **changes,
    )


TALKS = (
    talk(
        "answer-twice",
        "answers the request itself, and then again",
        "for n in range(1, 60): s.channel.send_bytes(_say(n, np.zeros((3, 2))))",
    ),
    talk(
        "foreign-number",
        "answers requests that were never made",
        "for n in (-1, 0, 2**60, 10**6): s.channel.send_bytes(_say(n, 1))",
    ),
    talk(
        "malformed",
        "messages that are none",
        (
            "for m in (5, [], ['?'], ['!', 'x', b'', b''], ['?', 1, 2, 3, 4], {'passed': "
            "True}, ['z', 1, 2, 3], None): s.channel.send(m)"
        ),
    ),
    talk(
        "lying-parts",
        "messages that say they have more than they have, or something of a strange kind",
        (
            "for k, a, b in ((b'!', 2**31, 2**31), (b'!', 0, 9), (b'z', 0, 0), (b'\\xff', "
            "1, 0)): s.channel.send_bytes(struct.pack('!cqII', k, 1, a, b) + b'\\xc0')"
        ),
    ),
    talk("garbage", "random bytes", "s.channel.sock.sendall(os.urandom(100_000))"),
    talk(
        "lying-length",
        "a frame of four gigabytes",
        "s.channel.sock.sendall(b'\\xff\\xff\\xff\\xff' + b'x' * 1000)",
    ),
    talk(
        "promised-length",
        "a frame of two hundred megabytes that never comes",
        "s.channel.sock.sendall(struct.pack('!I', 200_000_000)); time.sleep(100)",
        calls=1,
    ),
    talk(
        "drip",
        "a frame that comes a byte at a time",
        (
            "s.channel.sock.sendall(struct.pack('!I', 1000))\nfor _ in range(1000): "
            "s.channel.sock.sendall(b'x'); time.sleep(0.1)"
        ),
        calls=1,
    ),
    talk(
        "drip-header",
        "a header that comes a byte at a time",
        "for _ in range(3): s.channel.sock.sendall(b'\\0'); time.sleep(1)\ntime.sleep(100)",
        calls=1,
    ),
    talk(
        "flood",
        "valid answers without end",
        "m = _frame(_say(10**6, None))\nwhile True: s.channel.sock.sendall(m * 1000)",
        calls=1,
    ),
    talk(
        "flood-empty",
        "empty frames without end",
        "while True: s.channel.sock.sendall(b'\\0\\0\\0\\0' * 10000)",
        calls=1,
    ),
    talk("close", "closes its end", "s.channel.sock.shutdown(socket.SHUT_RDWR)"),
    talk(
        "close-half",
        "closes half of its end",
        "s.channel.sock.shutdown(socket.SHUT_WR); time.sleep(100)",
        calls=1,
    ),
    talk(
        "descriptors",
        "sends descriptors along",
        (
            "for _ in range(50): s.channel.sock.sendmsg([struct.pack('!I', 1)], "
            "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('3i', 0, 1, 2))]); "
            "s.channel.sock.send(b'\\xc0')"
        ),
    ),
    talk(
        "callback-unknown",
        "calls functions that were never given",
        (
            "for n in (0, 1, 2, 10**6, -1, 'x', None, [1]):\n    try: s.request('call', n, "
            "(), ())\n    except RuntimeError as e: print(e)\n    except Exception as e: "
            "print(type(e).__name__)"
        ),
    ),
    talk(
        "callback-operations",
        "asks the judge for everything that a servant would do",
        (
            "for op in ('attr', 'probe', 'get', 'setattr', 'run', 'item', 'import', "
            "'__class__', 'operator', 'seed', 'draw', 'next', 'back'):\n    for a in ((0, "
            "'__globals__'), ('expected',), ('raise SystemExit', 'f', (), ()), (1, 'bytes', "
            "(9,), ()), (1, None, True)):\n        try: print(s.request(op, *a))\n        "
            "except BaseException as e: print(type(e).__name__, e)"
        ),
        calls=1,
    ),
    talk(
        "callback-flood",
        "requests without end",
        "while True:\n    try: s.request('next', 1)\n    except RuntimeError: pass",
        calls=1,
    ),
    talk(
        "callback-nested",
        "requests within requests",
        (
            "def again(*a): return s.request('call', 1, (again,), ())\ntry: again()\nexcept "
            "BaseException as e: print(type(e).__name__)"
        ),
    ),
    talk(
        "backward-unknown",
        "asks for gradients of graphs that there are not",
        (
            "for n in range(-2, 50):\n    try: print(s.request('back', n, torch.ones(3), "
            "True))\n    except BaseException as e: print(type(e).__name__)"
        ),
    ),
    talk(
        "state-ambient",
        "pushes ambient state into the judge",
        (
            "s.state = lambda: {'errors': {'all': 'ignore'}, 'grad': False, 'dtype': "
            "'float16', 'seeds': [['numpy', 0], ['torch', 0]], 'back': True, 'printed': "
            "'x', 'level': 2, 'violation': ''}"
        ),
    ),
    talk(
        "state-warnings",
        "pushes a million warnings and lines",
        (
            "s.state = lambda: {'warnings': [['UserWarning', 'w' * 1000]] * 1000, 'out': "
            "[['stdout', 'x' * 100_000]] * 200}"
        ),
        calls=1,
    ),
    talk(
        "state-nonsense",
        "pushes state of the wrong types",
        (
            "k = [0]\ndef state():\n    k[0] += 1\n    return [{'warnings': 5}, {'out': "
            "{'a': 1}}, {'sync': 7}, {'drop': 'x', 'free': None}, {'sync': [[1]]}, "
            "{'warnings': [[1, 2, 3]]}][k[0] % 6]\ns.state = state"
        ),
        least=0,
    ),
    talk(
        "state-free",
        "has the judge forget its objects and graphs",
        "s.state = lambda: {'free': list(range(-100, 100)), 'drop': list(range(100))}",
    ),
    talk(
        "state-sync-flood",
        "shares a hundred thousand objects",
        (
            "s._state = lambda: codec.encode({'sync': [[-n, codec.encode([])] for n in "
            "range(1000, 101_000)]})"
        ),
        calls=1,
    ),
    talk(
        "state-sync-numbers",
        "shares None, numbers and the judge's own objects under its numbers",
        (
            "s._state = lambda: codec.encode({'sync': [[-5, codec.encode(None)], [-6, "
            "codec.encode(True)], [-7, codec.encode(0.0)], [1, codec.encode([0.0])], [2, "
            "codec.encode(np.zeros(2))], [-8, msgpack.packb(_E(codes.SHARED, 1))]]})"
        ),
    ),
    talk(
        "error-lies",
        "errors that claim to be passing, ending or boundary errors",
        (
            "s.describe = lambda e: {'type': 'SystemExit', 'names': ['SystemExit', "
            "'KeyboardInterrupt', 'GeneratorExit', 'BaseException', 'StopIteration'], "
            "'text': '', 'where': [], 'boundary': False}\nraise SystemExit"
        ),
    ),
    talk(
        "error-nonsense",
        "errors of the wrong types",
        (
            "s.describe = lambda e: {'type': ['x'], 'names': 5, 'text': {'a': 1}, 'where': "
            "7, 'boundary': 'yes', 'class': float}\nraise ValueError"
        ),
    ),
    talk(
        "error-tells",
        "a boundary error in the boundary's own words, with the hidden input",
        (
            "s.describe = lambda e: {'type': 'TypeError', 'names': ['TypeError'], 'text': "
            "'the answer is ' + str(x[0]), 'where': [str(x[0])], 'boundary': True}\nraise "
            "ValueError"
        ),
    ),
    talk(
        "error-names",
        "an error whose type is the hidden input",
        (
            "s.describe = lambda e: {'type': str(x[0]), 'names': [str(x[0])], 'text': "
            "str(x[0]), 'where': [], 'boundary': False}\nraise ValueError"
        ),
    ),
    talk("error-none", "an error that is none", "s.describe = lambda e: None\nraise ValueError"),
    talk(
        "fork-answers",
        "forks, and both processes answer",
        GUARD
        + (
            "s.pid = None\nsys.modules['autogradient.sandbox.servant'].only = lambda pid: "
            "None\nos.fork()"
        ),
    ),
    talk(
        "thread-changes",
        "a thread changes the answer while it is sent",
        (
            "import threading\nr = np.zeros((3, 2))\ndef change():\n    while True: r[...] "
            "= np.random.rand(3, 2)\nthreading.Thread(target=change, "
            "daemon=True).start()\nreturn r"
        ),
    ),
    talk(
        "cyclic", "a list that holds itself", "r = [1]; r.append(r); r.append({'r': r})\nreturn r"
    ),
    talk(
        "gigabyte",
        "a gigabyte of zeros",
        (
            "try: return np.zeros(10 ** 9, dtype=np.uint8)\nexcept MemoryError: return "
            "np.zeros(10 ** 8)"
        ),
        calls=1,
    ),
    talk("long-list", "a list of forty million items", "return [0] * (4 * 10 ** 7)", calls=1),
    talk(
        "interrupt",
        "handles the grader's interrupt by answering",
        (
            "import signal\nsignal.signal(signal.SIGINT, lambda *a: "
            "s.channel.send_bytes(_say(5, np.zeros((3, 2)))))\nwhile True: pass"
        ),
        calls=1,
    ),
    talk(
        "supervisor",
        "signals, ptrace and prlimit for the supervisor",
        GUARD
        + (
            "import ctypes, resource, signal\nl = ctypes.CDLL(None)\nfor p in (1, "
            "os.getppid()):\n    for g in (signal.SIGTERM, signal.SIGKILL, "
            "signal.SIGSTOP):\n        try: os.kill(p, g)\n        except OSError: "
            "pass\n    l.ptrace(16, p, 0, 0)\n    try: resource.prlimit(p, "
            "resource.RLIMIT_NOFILE, (3, 3))\n    except (OSError, ValueError): pass"
        ),
    ),
    talk(
        "siblings",
        "ptrace, signals and memory of its sibling snapshots",
        GUARD
        + (
            "import ctypes\nl = ctypes.CDLL(None)\nfor p in [int(p) for p in "
            "os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]:\n    "
            "l.ptrace(16, p, 0, 0)\n    try: open(f'/proc/{p}/mem', 'r+b').write(b'x')\n    "
            "except (OSError, ValueError): pass"
        ),
        least=HONEST,
    ),
    talk(
        "title",
        "another name, dumpable, a parent-death signal, its own subreaper",
        (
            "import ctypes\nl = ctypes.CDLL(None)\nl.prctl(15, b'autogradient', 0, 0, 0); "
            "l.prctl(4, 1, 0, 0, 0); l.prctl(1, 9, 0, 0, 0); l.prctl(36, 1, 0, 0, 0); "
            "l.prctl(0x59616d61, -1, 0, 0, 0)"
        ),
    ),
    talk(
        "not-reading",
        "answers small requests and never reads a large one",
        (
            "def read(*a, **k):\n    while True: time.sleep(1)\nold = "
            "s.channel.receive_bytes\ndef receive(*a, **k):\n    h = s.channel.sock.recv(4, "
            "socket.MSG_PEEK)\n    if len(h) == 4 and struct.unpack('!I', h)[0] > 100_000: "
            "read()\n    return old(*a, **k)\ns.channel.receive_bytes = receive"
        ),
        calls=1,
    ),
)

# ---- forging over the wire -----------------------------------------------------------------------

_ALIAS = """
def _mutate(s, value):
    'Files the judge\\'s tensor under a number of our own, then writes to that number.'
    old = s._state
    numbers = [n for n in s.objects if n > 0] or [n for n in range(1, 60)]
    sync = []
    for n in numbers:
        sync += [[-1000 - n, msgpack.packb(_E(codes.SHARED, n))], [-1000 - n, codec.encode(value)], [n, codec.encode(value)]]
    def state():
        s._state = old
        return codec.encode({'sync': sync})
    s._state = state
"""
CASES_OF_GRADER = (
    wire(
        "wire-alias-input",
        "the test's input is filed under a number of the student's and then overwritten",
        FIND + _ALIAS,
        answers=leaky(
            "if float(x.min()) < 0:\n    v = x.detach().abs().requires_grad_(True)\n    "
            "v.grad = torch.ones(3)\n    _mutate(_servant(), v)\n    return x.abs()\nreturn "
            "torch.relu(x)"
        ),
        least=HONEST,
    ),
    wire(
        "wire-one-alias",
        "the same, one number at a time and without sharing",
        FIND + _ALIAS.replace("for n in numbers:", "for n in numbers[:1]:"),
        answers=leaky(
            "if float(x.min()) < 0:\n    _mutate(_servant(), torch.ones(3, "
            "requires_grad=True))\n    return torch.ones(3)\nreturn torch.relu(x)"
        ),
        least=HONEST,
    ),
    wire(
        "wire-gradient-lies",
        "made-up gradients for the judge's backward",
        FIND,
        answers=leaky(
            "s = _servant()\nif s is not None: s.backward = lambda *a: [torch.tensor([0.1, "
            "1.0, 1.0])] * 3\nreturn torch.relu(x)"
        ),
        least=HONEST,
    ),
    wire(
        "wire-run-reply",
        "replies to the grader ahead of the worker, so that every later reply is the wrong one",
        FIND + "for _ in range(5): _channel().send({'outputs': [], 'error': None, 'seconds': 0.0})",
        answers=RIGHT,
        most=12,
    ),
    wire(
        "wire-run-verdicts",
        "replies that say passed",
        FIND
        + (
            "for _m in ({'passed': True}, {'end': True}, {'points': 12}, {'pid': 1}, "
            "{'value': codec.encode(1.3862943611198906)}): _channel().send(_m)"
        ),
    ),
    wire(
        "wire-value-reply",
        "the reply to a short answer's question, ahead of time",
        FIND + "_channel().send({'value': codec.encode(1.3862943611198906)})",
        answers=entropy("1.0"),
    ),
    wire(
        "wire-wrong-pid",
        "forks say that they are process 1, -1 or a very large one",
        FIND
        + (
            "_pids = iter([1, -1, 0, 2**70, 'x', None, [1], 2**31] * 9)\nimport "
            "autogradient.sandbox.worker as _w\n_w.os = type('o', (), {'__getattr__': "
            "lambda s, n: getattr(os, n), 'getpid': lambda s: next(_pids)})()"
        ),
    ),
    wire(
        "wire-other-pid",
        "forks say that they are another process of the session",
        FIND
        + (
            "import autogradient.sandbox.worker as _w\n_me = os.getpid()\n_w.os = type('o', "
            "(), {'__getattr__': lambda s, n: getattr(os, n), 'getpid': lambda s: _me})()"
        ),
    ),
    wire(
        "wire-amplify",
        "a reply of fifty megabytes that unpacks to gigabytes",
        FIND
        + (
            "_m = b'\\xdc' + struct.pack('!H', 23) + (b'\\xdd' + struct.pack('!I', "
            "2_000_000) + b'\\x90' * 2_000_000) * "
            "23\n_channel().sock.sendall(_frame(b'\\x81\\xa7outputs' + _m))"
        ),
        cells=1,
    ),
    wire(
        "wire-deep-reply",
        "a reply nested a thousand deep",
        FIND
        + (
            "_m = b'\\x91' * 900 + "
            "b'\\xc0'\n_channel().sock.sendall(_frame(b'\\x82\\xa7outputs\\x91\\x82\\xaboutput_type\\xacdisplay_data\\xa4data\\x81\\xb0application/json' "
            "+ _m + b'\\xa5error\\xc0'))"
        ),
    ),
    wire(
        "wire-outputs",
        "outputs of every wrong kind",
        FIND
        + (
            "_channel().send({'outputs': [5, None, [], {}, {'output_type': 'stream'}, "
            "{'output_type': 'stream', 'name': 'stdout', 'text': ['a']}, {'output_type': "
            "'display_data', 'data': {'text/html': 5, 'image/png': 'not base64', "
            "'text/plain': ['a', 'b'], 'image/svg+xml': {'a': 1}}}, {'output_type': "
            "'execute_result', 'data': {'text/plain': [[1]]}, 'execution_count': -5}, "
            "{'output_type': 'error', 'ename': 5, 'evalue': None, 'traceback': [1, None, "
            "'x']}, {'output_type': 'display_data', 'data': "
            "{'application/vnd.jupyter.widget-view+json': {'x': float('nan')}}}, "
            "{'output_type': 'display_data', 'data': {'text/latex': 7, 'text/markdown': "
            "None, 'application/json': float('inf')}}], 'error': ['a\\n<b>', '\\x00\\x1b'], "
            "'seconds': float('nan')})"
        ),
    ),
    wire(
        "wire-error-reply",
        "errors of every wrong kind",
        FIND + "_channel().send({'outputs': [], 'error': [['x'] * 3, {'y': 1}], 'seconds': 'x'})",
    ),
    wire(
        "wire-many-outputs",
        "a reply with a million outputs",
        FIND
        + (
            "_channel().send({'outputs': [{'output_type': 'stream', 'name': 'stdout', "
            "'text': 'x'}] * 200_000, 'error': None, 'seconds': 0.0})"
        ),
        cells=1,
    ),
    wire(
        "wire-outputs-total",
        "twenty megabytes of output in each of fifty replies",
        FIND
        + (
            "_m = codec.encode({'outputs': [{'output_type': 'stream', 'name': 'stdout', "
            "'text': 'x' * 200_000}] * 100, 'error': None, 'seconds': 0.0})"
        ),
        after=("_channel().send_bytes(_m)",) * 50,
        cells=5,
    ),
    wire(
        "wire-unread",
        "never reads what the grader sends",
        FIND
        + (
            "import autogradient.wire.channel as _c\n_c.Channel.receive_bytes = lambda *a, "
            "**k: time.sleep(1000)"
        ),
        cells=2,
        calls=8,
    ),
    wire(
        "wire-own-worker",
        "a server of its own in the worker's place, that says ok to all",
        FIND
        + GUARD
        + (
            "_c = _channel()\n_c.send({'outputs': [], 'error': None, 'seconds': "
            "0.0})\nwhile True:\n    _r, _f = _c.receive_with_fds(1)\n    if _r['do'] == "
            "'fork':\n        if os.fork() == 0:\n            _c = "
            "channel.Channel(socket.socket(fileno=_f[0])); _c.send({'pid': "
            "os.getpid()})\n    elif _r['do'] == 'talk':\n        _c = "
            "channel.Channel(socket.socket(fileno=_f[0])) if _f else _c\n        while "
            "True:\n            _m = codes.parts(_c.receive_bytes()[0]); _o = "
            "msgpack.unpackb(_m.body, ext_hook=lambda *a: None)[0]\n            "
            "_c.send_bytes(_say(_m.number, (np.zeros((3, 2)),) if _o == 'get' else "
            "np.zeros((3, 2))))\n    elif _r['do'] == 'value': _c.send({'value': "
            "codec.encode(1.0)})\n    else: _c.send({'outputs': [], 'error': None, "
            "'seconds': 0.0})"
        ),
    ),
    wire(
        "wire-patch-codec",
        "the codec, the channel and the peer replaced by ones that lie",
        FIND
        + (
            "codec.encode = lambda v, *a, **k: "
            "msgpack.packb(1.3862943611198906)\ncodec._LOWER[np.ndarray] = lambda s, v, d: "
            "_E(codes.ARRAY, ['<f8', [3, 2], bytes(48)])\npeer.Peer.share = lambda self, v: "
            "1"
        ),
    ),
    wire(
        "wire-patch-servant",
        "the servant replaced: every request is answered with what might please",
        FIND
        + (
            "import autogradient.sandbox.servant as _s\nclass _O(_s.Servant):\n    def "
            "serve(self, op, a):\n        if op == 'get': return (1.3862943611198906,) if "
            "a[0] == 'answer' else super().serve(op, a)\n        if op in ('isinstance', "
            "'operator', 'issubclass'): return True\n        return super().serve(op, "
            "a)\n_s.Servant = _O\nimport autogradient.sandbox.worker as _w; _w.Servant = _O"
        ),
        answers={},
        most=5,
    ),
    wire(
        "wire-shout",
        "random bytes on every socket it can find",
        FIND + "_shout(os.urandom(5000)); _shout(b'\\0' * 100)",
    ),
    wire(
        "wire-dup",
        "gives every socket a twin and answers there",
        FIND
        + (
            "_twins = [os.dup(fd) for fd in _sockets()]\nfor _t in _twins: os.write(_t, "
            "_frame(codec.encode({'pid': 1}))) if _t > 2 else None"
        ),
    ),
    wire(
        "wire-passed-descriptors",
        "floods the grader with descriptors",
        FIND
        + (
            "for _ in range(100):\n    try: _channel().sock.sendmsg([b''], "
            "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('200i', *[1] * 200))], "
            "socket.MSG_DONTWAIT)\n    except OSError as e: print(type(e).__name__); break"
        ),
        least=0,
    ),
)

CASES: tuple[Case, ...] = (*TALKS, *CASES_OF_GRADER)
