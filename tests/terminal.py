"""The program on a real terminal (a pseudo-terminal of 80 columns), and somebody who types."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.program import command, environment

PATIENCE = 60.0
"""Seconds for an answer, on a machine that does other things too."""


@dataclass
class Terminal:
    """The other side of the program's terminal."""

    descriptor: int
    process: subprocess.Popen[bytes]
    out: str = ""

    def until(self, words: str) -> str:
        """What appears up to these words, which must come."""
        start = len(self.out)
        while words not in self.out[start:]:
            chunk = self._read()
            assert chunk, f"no {words!r} in: {self.out[start:]}"
            self.out += chunk
        return self.out[start:]

    def press(self, key: str) -> None:
        """A single key, once the program waits for one: what is typed before is dropped."""
        deadline = time.monotonic() + PATIENCE
        while termios.tcgetattr(self.descriptor)[3] & termios.ICANON:
            assert time.monotonic() < deadline, "the program waits for no key"
            select.select([], [], [], 0.01)
        self.type(key)

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def end(self) -> int:
        """The exit code, after the rest of the output."""
        while chunk := self._read():
            self.out += chunk
        return self.process.wait(PATIENCE)

    def _read(self) -> str:
        """'' at the end of the output. Fails where nothing comes."""
        ready, _, _ = select.select([self.descriptor], [], [], PATIENCE)
        assert ready, f"nothing more after: {self.out[-500:]}"
        try:
            return os.read(self.descriptor, 65536).decode().replace("\r\n", "\n")
        except OSError:  # Linux says EIO when the other side is closed
            return ""


@contextmanager
def terminal(folder: Path, *arguments: str, height: int = 50, **variables: str) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, 80, 0, 0))
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(folder, **variables),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
        process.wait()
