# SPDX-License-Identifier: GPL-2.0-only
"""A real Chromium for the tests of the pages, and what it noticed on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from uaccel.host.run import find_program

_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--disable-extensions"),
)


def missing() -> str:
    """Return which program is not here, "" when all are."""
    wanted = (("chromium", "google-chrome"), ("chromedriver",))
    absent = (names[0] for names in wanted if not any(find_program(name) for name in names))
    return next(absent, "")


class Browser:
    """One window of a headless Chromium."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path) -> None:
        """Show the file `page`; what was noticed before is forgotten."""
        self.driver.get("about:blank")  # a new window shows a page of the browser's own
        self._log("performance")
        self._log("browser")
        self.driver.get(page.as_uri())

    def run(self, script: str, *arguments: object) -> Any:
        """Return what `script` returns in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str) -> Any:
        """Return what `script` hands to `done` in the page."""
        return self.driver.execute_async_script(f"const done = arguments[0];\n{script}")

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the page was opened, its own left out."""
        told = [json.loads(one["message"])["message"] for one in self._log("performance")]
        asked = [
            str(one["params"]["request"]["url"])
            for one in told
            if one["method"] == "Network.requestWillBeSent"
        ]
        own = self.driver.current_url.partition("#")[0]
        return [url for url in asked if url.partition("#")[0] != own]

    def console(self) -> list[str]:
        """Return what was written to the console, errors and refusals of the policy among it."""
        return [str(one["message"]) for one in self._log("browser")]

    def resize(self, width: int, height: int = 900) -> None:
        """Make the page `width` pixels wide."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def prefer(self, **features: str) -> None:
        """Have the page think that the user prefers `features`: color_scheme="dark"."""
        named = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()
        ]
        self._devtools("Emulation.setEmulatedMedia", {"features": named})

    def media(self, kind: str) -> None:
        """Have the page think that it is on paper: "print"; "" for a screen again."""
        self._devtools("Emulation.setEmulatedMedia", {"media": kind})

    def mouse(self, what: str, x: float, y: float) -> None:
        """Move the mouse, press or let go of its button: "mouseMoved", "mousePressed", ..."""
        button = {} if what == "mouseMoved" else {"button": "left", "clickCount": 1}
        self._devtools("Input.dispatchMouseEvent", {"type": what, "x": x, "y": y, **button})

    def point(self, selector: str, at: int = 0, *, click: bool = False) -> None:
        """Move the mouse onto an element, and click there if asked."""
        x, y = self.run(
            "const e = document.querySelectorAll(arguments[0])[arguments[1]];"
            "e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const r = e.getBoundingClientRect();"
            "return [r.left + Math.min(r.width / 2, 60), r.top + r.height / 2]",
            selector,
            at,
        )
        self.mouse("mouseMoved", x, y)
        if click:
            self.mouse("mousePressed", x, y)
            self.mouse("mouseReleased", x, y)

    def press(self, key: str, text: str = "") -> None:
        """Press and let go of a key, as the keyboard does: "Escape", "Enter", "ArrowDown"."""
        codes = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowRight": 39}
        event = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key], "text": text}
        self._devtools("Input.dispatchKeyEvent", {"type": "keyDown", **event})
        self._devtools("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write what is seen, or the whole page, to the PNG `path`."""
        if not whole:
            self.driver.save_screenshot(str(path))
            return
        height = int(self.run("return document.documentElement.scrollHeight"))
        width = int(self.run("return innerWidth"))
        self.resize(width, min(height, 12000))
        self.driver.save_screenshot(str(path))

    def _log(self, kind: str) -> list[dict[str, Any]]:
        return list(self.driver.get_log(kind))  # type: ignore[no-untyped-call]

    def _devtools(self, method: str, params: dict[str, object]) -> None:
        self.driver.execute_cdp_cmd(method, params)


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Give a Chromium that keeps what it keeps in the folder `profile`."""
    options = Options()
    options.binary_location = find_program("chromium") or find_program("google-chrome") or ""
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    # With its path named, selenium looks for no driver on the network.
    service = Service(executable_path=find_program("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_script_timeout(30)
        yield Browser(driver)
    finally:
        driver.quit()
