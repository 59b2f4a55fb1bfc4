"""The packages of Debian that a browser in a test needs."""

import re
import shutil
import subprocess
import sys

# What the system says of a program whose library is not there. Debian calls the package like it.
NO_LIBRARY = re.compile(r"(lib[\w+-]+)\.so\.(\d+): cannot open shared object file")


def missing_packages() -> list[str]:
    """Return the names of those that this machine has not: Chromium, and what Playwright's driver is linked with."""
    driver = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True, text=True)
    libraries = [f"{name}{version}" for name, version in NO_LIBRARY.findall(driver.stderr)]
    return libraries if shutil.which("chromium") else ["chromium", *libraries]
