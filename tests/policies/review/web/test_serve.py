"""`ordito serve` as its users run it."""

import signal
import socket
from pathlib import Path

import pytest
import requests

from ordito.cli import COMMANDS
from ordito.config.errors import UsageError
from ordito.policies.review.serve_command import NoAddress, serve
from ordito.policies.review.web.sign_ins import SignIns
from ordito.sync.context import App
from tests.policies.review.web.running import serving


def test_the_short_help_is_the_one_of_the_program() -> None:
    assert serve.get_short_help_str(100) == COMMANDS["serve"][2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_ends_cleanly(folder: Path, number: signal.Signals) -> None:
    with serving(folder) as page:
        with requests.Session() as session:
            assert "Sign in to review" in session.get(page.address, timeout=10).text
            answer = session.get(page.link, timeout=10)
            assert "Continue as" in answer.text
            assert "Server" not in answer.headers
        page.process.send_signal(number)
        assert page.process.wait(20) == 0


def run(app: App, *words: str) -> object:
    return serve.main(list(words), prog_name="ordito serve", obj=app, standalone_mode=False)


def test_an_invitation_is_a_link_for_one_name(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, "--invite", "Zoe", "--hours", "2") == 0
    out = capsys.readouterr().out
    assert "For Zoe alone, until 2026-03-01 14:00 UTC:" in out
    assert "http://127.0.0.1:8480/sign-in/link/" in out
    assert run(app, "--withdraw", "Zoe") == 0
    assert "1 personal link of Zoe withdrawn." in capsys.readouterr().out
    assert run(app, "--withdraw", "Zoe") == 1
    assert SignIns(app.store).withdraw("Zoe") == 0
    with pytest.raises(UsageError, match="name of one line"):
        run(app, "--invite", "a\nb")


def test_an_invitation_has_the_address_of_the_settings(
    app: App, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "ordito.yaml"
    settings = path.read_text(encoding="utf-8") + "review: {url: https://review.example.org/o/}\n"
    path.write_text(settings, encoding="utf-8")
    run(app, "--invite", "Zoe")
    assert "https://review.example.org/o/sign-in/link/" in capsys.readouterr().out


def test_others_can_reach_it_only_under_an_address_of_its_own(app: App) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.7", "review.example.org"):  # noqa: S104 (refused)
        with pytest.raises(UsageError, match="needs an address") as caught:
            run(app, "--host", host)
        assert "review: {url:" in caught.value.hint


def test_a_port_that_is_taken_is_named(app: App) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NoAddress, match=f"127.0.0.1:{port}") as caught:
            run(app, "--port", str(port))
    assert "--port 0" in caught.value.hint


def test_behind_a_proxy_no_link_is_printed_and_its_host_is_the_only_one(folder: Path) -> None:
    path = folder / "ordito.yaml"
    settings = path.read_text(encoding="utf-8") + "review: {url: https://review.example.org/o}\n"
    path.write_text(settings, encoding="utf-8")
    with serving(folder) as page:
        assert (page.address, page.link) == ("https://review.example.org/o/", "")
        # The port is not told here: the address is that of the proxy. Ask the process which it took.
        ports = _ports(page.process.pid)
        assert len(ports) == 1
        here = f"http://127.0.0.1:{ports[0]}/o/sign-in"
        assert requests.get(here, timeout=10).status_code == 400
        answer = requests.get(here, headers={"Host": "review.example.org"}, timeout=10)
        assert answer.status_code == 200 and 'href="/o/static/page.css"' in answer.text
        assert "Secure" in answer.headers["Set-Cookie"]


def _ports(pid: int) -> list[int]:
    """Where a process of this machine listens, from /proc."""
    inodes = {
        link.readlink().name.removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes]


def test_every_option_is_documented() -> None:
    text = (Path(__file__).parents[4] / "docs" / "review-page.md").read_text(encoding="utf-8")
    for option in (each for param in serve.params for each in param.opts if each.startswith("--")):
        assert option in text, option
