"""A PostgreSQL server of the tests' own, in a temporary folder, as whatever user runs them."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from tests.databases.binaries import programs
from tests.databases.reaper import rights

if TYPE_CHECKING:
    import pwd

OWNER: Final = "voucher"
"""The superuser. Nobody needs a password unless a test says so."""

FAST: Final[Mapping[str, str]] = MappingProxyType(
    {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_wal_size": "4GB"}
)
"""Settings where nothing has to outlive the machine. What is committed outlives a server that is killed."""

_ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "checkpoint_timeout": "1h",
    "jit": "off",
    "timezone": "UTC",
}
_REAPER = Path(__file__).with_name("reaper.py")
_PORTS: Final = range(20_000, 32_000)
"""Below those that the system gives to clients."""
_TRIES = 5
_STRIDE = 37
_tried = count()


class Cluster:
    """A server that can be stopped and started again; its data stay in between."""

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str] = FAST) -> None:
        self.folder = folder
        self.port = port
        self._settings = settings

    @classmethod
    def make(cls, settings: Mapping[str, str] = FAST) -> Self:
        """A new one, in a folder that its user can reach; `use` it at once, which sees to its end."""
        folder = Path(tempfile.mkdtemp(prefix="voucher-mcp-pg-", dir="/tmp" if os.geteuid() == 0 else None))
        (folder / "users").touch()
        if os.geteuid() == 0:
            user = _somebody()
            os.chown(folder, user.pw_uid, user.pw_gid)
        return cls(folder, 0, settings)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Keep it; it is stopped and gone when its last user is, even one that is killed.

        Raises:
            FileNotFoundError: it is gone already.
        """
        import fcntl  # which Windows lacks

        with (self.folder / "users").open("rb") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            self.folder.stat()
            yield

    def initialize(self) -> None:
        """Make its data, with no database but the server's own, and start it."""
        subprocess.run([sys.executable, "-I", _REAPER, self.folder, programs() / "pg_ctl"], check=True)
        names = ["--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", *names)
        for _ in range(_TRIES):
            self.port = free_port()
            with suppress(RuntimeError):  # another program took the port
                return self.start()
        raise RuntimeError("PostgreSQL does not start")

    def start(self, **settings: str) -> None:
        """Start it, with some settings more, and wait until it serves.

        Raises:
            RuntimeError: it does not; says what it said.
        """
        own = {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        chosen = {**_ALWAYS, **self._settings, **own, **settings}
        lines = [f"{name} = '{value}'\n" for name, value in chosen.items()]
        self.put("postgresql.auto.conf", "".join(lines))
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self.folder / 'log'}")

    def stop(self, mode: Literal["fast", "immediate"] = "immediate") -> None:
        """Stop it: in order but without its clients, or at once as if it had crashed."""
        self._run("pg_ctl", "stop", "--wait", "--silent", f"--mode={mode}")

    def put(self, name: str, text: str) -> None:
        """Write a file of the server's own, which nobody else may read."""
        file = self.folder / "data" / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        owner = self.folder.stat()
        os.chown(file, owner.st_uid, owner.st_gid)

    def url(
        self, database: str = "postgres", *, user: str = OWNER, host: str = "127.0.0.1", **options: Any
    ) -> str:
        """The address of a database as a user configures it; `user` may have a password behind a colon."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://{user}@{host}:{self.port}/{database}" + (f"?{query}" if query else "")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(programs() / program), f"--pgdata={self.folder / 'data'}", *arguments]
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:  # no pipe: the server would keep it open
            ended = subprocess.run(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                **rights(self.folder),
            )
            if ended.returncode:
                said.seek(0)
                raise RuntimeError(f"{program} failed: {said.read()}")


@contextmanager
def temporary(settings: Mapping[str, str] = FAST) -> Iterator[Cluster]:
    """A cluster of one's own, started; gone afterwards."""
    cluster = Cluster.make(settings)
    with cluster.used():
        cluster.initialize()
        yield cluster


def _somebody() -> "pwd.struct_passwd":
    """Who runs a server for root."""
    import pwd  # which Windows lacks

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("there is no user but root to run PostgreSQL")


def free_port() -> int:
    """A port of this machine that nobody listens at; processes beside each other begin at different ones."""
    first = (os.getpid() * _STRIDE + next(_tried)) % len(_PORTS)
    port: int
    for port in (*_PORTS[first:], *_PORTS[:first]):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")
