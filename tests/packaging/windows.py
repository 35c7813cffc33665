"""Windows, as far as it can be had elsewhere: `python -m tests.packaging.windows …` is `voucher-mcp …` there.

The modules of voucher_mcp see a Python that lacks what Windows lacks; all others see the one that is there.
"""

import builtins
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from collections.abc import Collection, Mapping
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any

ABSENT = frozenset({"fcntl", "grp", "pwd", "pty", "readline", "resource", "syslog", "termios", "tty"})
LACKS: Mapping[ModuleType, Collection[str]] = {
    os: {
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "WNOHANG"),
        *("chown", "chroot", "fchmod", "fchown", "fork", "forkpty", "get_blocking", "getegid", "geteuid"),
        *("getgid", "getgroups", "getpgid", "getuid", "killpg", "lchown", "mkfifo", "openpty", "pread"),
        *("pwrite", "sched_getaffinity", "sendfile", "set_blocking", "setsid", "setuid", "statvfs", "sync"),
        *("uname", "wait", "waitid"),
    },
    select: {"epoll", "kqueue", "poll", "POLLRDHUP"},
    signal: {
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP"),
        *("SIGUSR1", "SIGUSR2", "alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait"),
    },
    socket: {"AF_UNIX", "SO_REUSEPORT", "recv_fds", "send_fds"},
    sys: {"getdlopenflags"},
    time: {"clock_gettime", "tzset"},
}
DIFFERS: Mapping[ModuleType, Mapping[str, Any]] = {
    os: {"name": "nt", "supports_dir_fd": frozenset(), "O_BINARY": 0},
    sys: {"platform": "win32"},
}


class _Seen(ModuleType):
    """A module as it is on Windows."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(DIFFERS.get(real, {}))
        self._real, self._lacks = real, LACKS[real]

    def __getattr__(self, name: str) -> Any:
        if name in self._lacks:
            raise AttributeError(f"on Windows {self._real.__name__} has no {name}")
        return getattr(self._real, name)


_SEEN = MappingProxyType({real.__name__: _Seen(real) for real in LACKS})
_import = builtins.__import__


def _seen_import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Collection[str] | None = (),
    level: int = 0,
) -> ModuleType:
    ours = level == 0 and str((globals or {}).get("__name__")).partition(".")[0] == "voucher_mcp"
    if ours and name in ABSENT:
        raise ModuleNotFoundError(f"on Windows there is no {name}")
    found = _import(name, globals, locals, fromlist, level)  # type: ignore[arg-type]
    return _SEEN.get(name, found) if ours else found


def every_module() -> list[str]:
    """The names of all modules, each imported."""
    package = import_module("voucher_mcp")
    walked = pkgutil.walk_packages(package.__path__, "voucher_mcp.")
    names = sorted(module.name for module in walked if not module.name.endswith("__main__"))
    for name in names:
        import_module(name)
    return names


if __name__ == "__main__":
    builtins.__import__ = _seen_import
    if sys.argv[1:] == ["import", "everything"]:
        sys.exit("\n".join(every_module()))
    sys.exit(import_module("voucher_mcp.cli.main").main())
