"""The composition root: wires the rooms; owns the clock, the environment and the terminal.

Commands are loaded when they are called, so that `ordito --help` needs nothing but click.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from . import __version__
from .config.errors import Fault, OrditoError, SettingsError

if TYPE_CHECKING:
    from logging import LogRecord
    from pathlib import Path

    from .config.settings import Settings
    from .sync.context import App
    from .sync.outbox import Gate

_HAS_DESKTOP = sys.platform in ("darwin", "win32")

_NEW_OBJECTS = 50_000
"""How many come to be before Python looks for cycles among them. Its own 700 make it look through all the
modules of a run, which stay, many times while they are loaded."""

# name → (module below this package, its object, the short help; a test holds it against the command's own)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("policies.setup_commands", "init", "Ask for the sites and write a commented ordito.yaml."),
    "check": ("policies.setup_commands", "check", "Check settings, policies, messages, accounts and rights."),
    "sync": ("sync.commands", "sync", "Bring the mirror up to date with the sites."),
    "audit": ("sync.commands", "audit", "Compare the mirror with the sites and name every gap."),
    "plan": ("policies.commands", "plan", "Evaluate the policies and store what they propose."),
    "review": ("policies.review.commands", "review", "Decide on proposals, one at a time or by id."),
    "apply": ("sync.outbox_commands", "apply", "Carry out what is approved."),
    "run": ("policies.run_command", "run", "Sync, plan and apply what may be applied; for cron."),
    "undo": ("sync.outbox_commands", "undo", "Reverse what was done."),
    "log": ("sync.outbox_commands", "log", "What was done, when, and by whom approved."),
    "why": ("policies.commands", "why", "Why a policy proposes something for an item, or why not."),
    "backtest": ("policies.backtest_command", "backtest", "What a policy would have done in the past."),
    "experts": ("policies.people_commands", "experts", "Who knows about an area, or could answer an item."),
    "identities": ("sync.people_commands", "identities", "One person with accounts on two sites."),
    "forget": ("sync.people_commands", "forget", "Erase a member from the mirror, for good."),
    "facts": ("policies.reference_commands", "facts", "The facts that conditions can use."),
    "policies": ("policies.reference_commands", "policies", "The kinds of policies and their keys."),
    "schema": ("policies.reference_commands", "schema", "JSON Schema of ordito.yaml, for editors."),
    "serve": ("policies.review.serve_command", "serve", "The review page for moderators."),
    "demo": ("policies.demo_command", "demo", "A sample community, synced and planned, to try things on."),
}


class _LazyGroup(click.Group):
    """Knows its commands by name and loads the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f".{module}", __package__), name)
        assert isinstance(command, click.Command)  # noqa: S101 (for the type checker)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean '{close[0]}'?" if close else " 'ordito --help' lists the commands."
            raise click.UsageError(f"There is no command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "path", metavar="FILE", help="Settings; else $ORDITO_CONFIG, else ./ordito.yaml.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--verbose", "-v", is_flag=True, help="Say more on stderr.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but faults.")
@click.version_option(__version__, prog_name="ordito")
@click.pass_context
def ordito(ctx: click.Context, path: str | None, as_json: bool, verbose: bool, quiet: bool) -> None:
    """Community management for the forums and wikis you already have.

    Ordito mirrors them, proposes what your policies call for, and does what moderators approve: once,
    explained, and undoable.
    """
    if verbose and quiet:
        raise click.UsageError("--verbose and --quiet exclude each other.")
    ctx.obj = build(path, as_json=as_json, verbosity=int(verbose) - int(quiet))
    ctx.call_on_close(ctx.obj.close)


def build(path: str | None, *, as_json: bool = False, verbosity: int = 0) -> App:
    """The program with the real clock, environment and terminal."""
    import getpass
    import time
    from datetime import UTC, datetime

    from .connectors.base import World
    from .sync.context import App
    from .sync.output import Output

    _log_to_stderr(verbose=verbosity > 0)
    chosen = path or os.environ.get("ORDITO_CONFIG") or "ordito.yaml"
    out = Output(json=as_json, verbosity=verbosity, colour="NO_COLOR" not in os.environ)
    return App(
        load_settings=lambda: load_settings(chosen),
        world=World(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=time.sleep),
        user=_login_name(getpass.getuser),
        out=out,
        make_gate=make_gate,
        stdin_terminal=sys.stdin is not None and sys.stdin.isatty(),
        path=chosen,
        browse=_browse,
        state=_state_folder(),
        at=lambda other: build(other, as_json=as_json, verbosity=verbosity),
    )


def load_settings(path: str) -> Settings:
    """The settings at `path`, with every kind and connector that this program has."""
    from .config.loader import load
    from .connectors.registry import CONNECTORS
    from .policies.builtin import KINDS

    return load(
        path,
        os.environ,
        kinds={name: kind.Parameters for name, kind in KINDS.items()},
        connectors={name: entry.settings() for name, entry in CONNECTORS.items()},
    )


def make_gate(app: App) -> Gate:
    """What `apply` asks before every action."""
    from .policies.wiring import make_gate as wire

    return wire(app)


def _log_to_stderr(*, verbose: bool) -> None:
    """Each request by method, path and status with --verbose; tracebacks with ORDITO_DEBUG only."""
    import logging

    debug = bool(os.environ.get("ORDITO_DEBUG"))
    handler = logging.StreamHandler() if verbose or debug else logging.NullHandler()
    if not debug:
        handler.addFilter(_without_traceback)
    logger = logging.getLogger(__package__)
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if verbose or debug else logging.WARNING)


def _without_traceback(record: LogRecord) -> bool:
    record.exc_info = record.exc_text = None
    return True


def _state_folder() -> Path:
    """What the processes of one machine and user share: $ORDITO_STATE, else where the desktop's rules say."""
    from pathlib import Path

    if named := os.environ.get("ORDITO_STATE"):
        return Path(named)
    home = os.environ.get("XDG_STATE_HOME", "")
    try:
        return (Path(home) if Path(home).is_absolute() else Path("~/.local/state").expanduser()) / "ordito"
    except RuntimeError:  # a user without a home
        return Path(".ordito")


def _browse(url: str) -> None:
    """In the browser of $BROWSER or of the desktop, which may take its time; over ssh there is none, and one
    that would take over the terminal is left alone."""
    import threading
    import webbrowser

    named = bool(os.environ.get("BROWSER"))
    if not (named or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or _HAS_DESKTOP):
        return
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if named or type(browser) is not webbrowser.GenericBrowser:
        threading.Thread(target=browser.open, args=(url,), daemon=True).start()


def _login_name(getuser: Any) -> str:
    try:
        return str(getuser())
    except (OSError, KeyError, ImportError):
        return "unknown"


def main(args: list[str] | None = None) -> NoReturn:
    """Run the program. No traceback reaches the user; exit codes are those of DESIGN §10."""
    arguments = sys.argv[1:] if args is None else args
    as_json = "--json" in arguments
    gc.set_threshold(_NEW_OBJECTS)
    _ready_streams()
    try:
        result = ordito.main(args=arguments, prog_name="ordito", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()  # what cannot be written is found out here, not when Python ends
    except click.exceptions.Abort:
        _fail(as_json, "interrupted", "Interrupted.", "", "")
        code = 1
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        code = 2
    except click.ClickException as error:
        ctx = getattr(error, "ctx", None)
        in_front = _in_front(error, arguments)
        hint = in_front or (f"See '{ctx.command_path} --help'." if ctx else "")
        # with the nearest word, which nobody meant where the option is one of ours
        message = error.message if in_front else error.format_message()
        _fail(as_json, "usage-error", message, "", hint)
        code = 2
    except SettingsError as error:
        _fail(as_json, error.kind, error.message, error.where, error.hint, str(error), error.faults)
        code = error.exit_code
    except OrditoError as error:
        _fail(as_json, error.kind, error.message, error.where, error.hint, str(error))
        code = error.exit_code
    except BrokenPipeError:
        _drop_output()
        code = 1
    except OSError as error:
        what = error.filename or "the output"
        _fail(as_json, "system", f"{what}: {error.strerror or error}.", "", "See to it, and run it again.")
        _drop_output()
        code = 1
    except Exception as error:
        if os.environ.get("ORDITO_DEBUG"):
            raise
        text = " ".join(str(error).split()) or "no message"
        hint = "This is a fault in Ordito: please report it with the output of ORDITO_DEBUG=1."
        _fail(as_json, "internal", f"{type(error).__name__}: {text}", "", hint)
        code = 1
    gc.freeze()  # Python's last search for cycles, through all that was loaded, takes an eighth of a run
    sys.exit(code)


def _in_front(error: click.ClickException, arguments: Sequence[str]) -> str:
    """How to type an option of the whole program that was written behind the command; '' for all else."""
    if not isinstance(error, click.NoSuchOption):
        return ""
    name = error.option_name
    if not any(name in option.opts for option in ordito.params):
        return ""
    before = f"{name} FILE" if name == "--config" else name
    return f"It stands before the command: ordito {before} {next(iter(arguments), 'COMMAND')} …"


def _fail(
    as_json: bool,
    kind: str,
    message: str,
    where: str,
    hint: str,
    text: str = "",
    faults: Sequence[Fault] = (),
) -> None:
    """The fatal document, or one line; of several faults in the settings the first, and then all."""
    from .sync.output import Output

    out = Output(json=as_json)
    try:
        document: dict[str, Any] = {
            "error": {"kind": kind, "message": message, "where": where, "hint": hint}
        }
        if faults:
            document["errors"] = [
                {"where": fault.where, "path": fault.path, "message": fault.message, "hint": fault.hint}
                for fault in faults
            ]
        out.document(document)
        if not as_json:
            out.warn("ordito: " + (text or f"{message} {hint}".strip()))
    except OSError:  # nobody reads it, or it cannot be written: the exit code has to do
        _drop_output()


def _ready_streams() -> None:
    """Streams that are closed swallow what is written; those that lack a character write its number."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.TextIOWrapper(io.FileIO(os.devnull, "w"), encoding="utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Have what is still to be written, by Python itself at its end too, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())


if __name__ == "__main__":
    main()
