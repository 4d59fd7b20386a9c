"""Pages in a real browser, without network."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

needs_browser = pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")


def browse(page: Path, *flags: str, width: int = 1200, height: int = 1600) -> subprocess.CompletedProcess:
    profile = page.parent / "profile"
    command = [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"),
        *(f"--user-data-dir={profile}", f"--window-size={width},{height}"),
    ]
    return subprocess.run([*command, *flags, page.as_uri()], check=True, capture_output=True, timeout=120)


def screenshot(page: Path, image: Path, **size: int) -> bytes:
    browse(page, f"--screenshot={image}", **size)
    return image.read_bytes()


def dom_of(page: Path, script: str = "") -> tuple[str, list[str]]:
    """RETURNS (Tuple[str, List[str]]): The page as the browser has it after a script, and its console."""
    copy = page.with_name(f"scripted-{page.name}")
    html = page.read_text(encoding="utf-8")
    copy.write_text(html.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    done = browse(copy, "--dump-dom")
    messages = re.findall(r"CONSOLE.*", done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8"), messages
