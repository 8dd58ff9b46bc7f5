"""Serve a wiki by hand: `python -m tests.servers.mediawiki [--import FILE]`."""

import argparse
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.servers.mediawiki.export import read_export
from tests.servers.mediawiki.php import missing
from tests.servers.mediawiki.template import ADMIN, ADMIN_PASSWORD, make_template, with_history
from tests.servers.mediawiki.wiki import Wiki


def main() -> int:
    """Serve until the process is ended; 1 where this machine cannot run a wiki."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.mediawiki", description=__doc__)
    parser.add_argument(
        "--import", dest="export", type=Path, metavar="FILE", help="an export, .xml or .xml.gz, to begin with"
    )
    parser.add_argument(
        "--newest",
        type=lambda text: datetime.fromisoformat(text).astimezone(UTC),
        default=datetime.now(UTC),
        metavar="TIME",
        help="when the last edit of the import was made, e.g. 2026-02-09T05:58:40Z (default: now)",
    )
    options = parser.parse_args()
    if reason := missing():
        print(reason, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="mediawiki-") as name:
        folder = Path(name)
        template = make_template(folder / "template")
        if options.export:
            export, newest = options.export, options.newest
            template = with_history(template, folder / "imported", lambda: read_export(export, newest))
        with Wiki(template, folder / "wiki") as wiki:
            print(f"url: {wiki.api_url}")
            print(f"username: {wiki.username}")
            print(f"password: {wiki.password}")
            print(f"administrator: {ADMIN}, {ADMIN_PASSWORD}", flush=True)
            try:
                signal.pause()
            except KeyboardInterrupt:
                return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
