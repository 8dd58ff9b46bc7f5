"""Running PHP for one copy of the wiki, and what this machine lacks for it."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MEDIAWIKI = Path("/usr/share/mediawiki")
SETTINGS = Path(__file__).with_name("LocalSettings.php")
PACKAGES = "mediawiki php-cli php-sqlite3 php-mbstring php-xml php-intl"
_MODULES = frozenset({"pdo_sqlite", "mbstring", "xml", "intl"})


@cache
def missing() -> str | None:
    """Why no wiki can run on this machine, with the command that changes it; None if one can."""
    lacking = _lacking()
    return f"{lacking}; apt-get install --no-install-recommends {PACKAGES}" if lacking else None


def _lacking() -> str | None:
    if not (MEDIAWIKI / "api.php").exists():
        return f"MediaWiki is not installed in {MEDIAWIKI}"
    if shutil.which("php") is None:
        return "php is not on PATH"
    loaded = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout.lower().split()
    lacking = sorted(_MODULES.difference(loaded))
    return f"php lacks {', '.join(lacking)}" if lacking else None


@dataclass(frozen=True, slots=True)
class Php:
    """PHP as one copy of the wiki uses it."""

    data: Path
    """The copy's own files."""
    shared: Path
    """What all copies share and nobody changes: the localisation cache and compiled code."""

    def arguments(self) -> list[str]:
        """PHP with its switches. APCu is off because a restored wiki would see its old contents."""
        compiled = self.shared / "opcache"
        compiled.mkdir(parents=True, exist_ok=True)
        return ["php", "-q", "-d", "apc.enabled=0", "-d", f"opcache.file_cache={compiled}"]

    def environment(self, server: str = "http://127.0.0.1") -> dict[str, str]:
        """What LocalSettings.php reads."""
        localisation = self.shared / "l10n"
        localisation.mkdir(parents=True, exist_ok=True)
        return {
            **os.environ,
            "MW_CONFIG_FILE": str(SETTINGS),
            "ORDITO_WIKI_DATA": str(self.data),
            "ORDITO_WIKI_L10N": str(localisation),
            "ORDITO_WIKI_SERVER": server,
        }

    def maintenance(self, script: str, *arguments: str, server: str = "http://127.0.0.1") -> str:
        """Run one of MediaWiki's maintenance scripts, e.g. `runJobs.php`; what it printed.

        Raises RuntimeError with the script's own words where it fails.
        """
        command = [*self.arguments(), str(MEDIAWIKI / "maintenance" / script), *arguments]
        return run(command, self.environment(server))


def run(command: list[str], environment: dict[str, str]) -> str:
    """Run to the end; what was printed. Raises RuntimeError with the last of it where the command fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {(done.stdout + done.stderr)[-2000:].strip()}")
    return done.stdout
