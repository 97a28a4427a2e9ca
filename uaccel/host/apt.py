# SPDX-License-Identifier: GPL-2.0-only
"""Packages of the machine's own distribution, fetched without root and without touching /etc."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.run import find_program, run
from uaccel.host.watching import watched

Progress = Callable[[str, float | None], None]  # what is being done, and the share that is done

# Where a kernel may be that the machine's own suites do not have, likeliest first.
_OTHER_SUITES = (
    ("stable-backports",),
    ("unstable",),
    ("stable", "testing", "oldstable", "oldstable-backports"),
)
_ALIASES = ("oldoldstable", "oldstable", "stable", "testing", "unstable", "sid")
_ONE_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<rest>.+)")
_UPDATE_SECONDS = 300
_DOWNLOAD_SECONDS = 1800


def silent(_what: str, _share: float | None) -> None:
    """Return at once: the progress of those who show none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One source of packages, as apt's deb822 format writes it."""

    uris: str
    suites: tuple[str, ...]
    components: str
    options: tuple[tuple[str, str], ...]  # further fields: ("Signed-By", "..."), ...

    def __str__(self) -> str:
        fields = (
            ("Types", "deb"),
            ("URIs", self.uris),
            ("Suites", " ".join(self.suites)),
            ("Components", self.components),
            *self.options,
        )
        return "".join(f"{name}: {value}\n" for name, value in fields if value)


@dataclass(frozen=True, slots=True)
class Offer:
    """A package that apt would download."""

    package: str
    filename: str
    size: int  # bytes
    config: Path  # for `apt-get -c`

    @property
    def version(self) -> str:
        """Return the version that its file name tells."""
        return self.filename.split("_")[1].replace("%3a", ":")


def origins(etc: Path = Path("/etc/apt")) -> tuple[Origin, ...]:
    """Return the sources of packages that the machine is configured for."""
    lists = (etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list")))
    modern = sorted((etc / "sources.list.d").glob("*.sources"))
    old = (one for path in lists for line in _lines(path) if (one := _one_line(line)))
    new = (one for path in modern for text in _stanzas(path) if (one := _stanza(text)))
    return (*old, *new)


def archive(configured: tuple[Origin, ...], codename: str) -> tuple[Origin, ...]:
    """Return those of `configured` that are the distribution itself, the main one first."""
    names = (codename, *_ALIASES)
    own = [
        origin
        for origin in configured
        if any(re.split(r"[-/]", suite)[0] in names for suite in origin.suites)
    ]
    return tuple(sorted(own, key=lambda origin: not _is_main(origin, names)))


def download(package: str, folder: Path, progress: Progress) -> tuple[Path, str]:
    """Return the file of `package` in `folder`, and its version, from the likeliest suite."""
    if find_program("apt-get") is None or find_program("dpkg-deb") is None:
        raise UserError(
            "this machine has no apt-get to fetch a kernel with; unpack one and name it by --tree"
        )
    troubles: list[str] = []
    for config in _configurations(folder, progress, troubles):
        offer = _offer(package, config)
        if offer is None:
            continue
        if (file := _take(offer, folder, progress, troubles)) is not None:
            return file, offer.version
    trouble = f" ({troubles[-1]})" if troubles else ""
    raise UserError(f"no suite of the distribution offers {package}{trouble}{_others(folder)}")


@contextmanager
def foreign_lists(architecture: str, folder: Path, progress: Progress) -> Iterator[Shop]:
    """Give the distribution's packages of another architecture; nothing of them is installed."""
    if find_program("apt-get") is None or find_program("dpkg-deb") is None:
        raise UserError("this machine has no apt-get to fetch programs of another machine with")
    own = archive(origins(), _codename())
    if not own:
        raise UserError("no source in /etc/apt is the distribution's own archive")
    # Such an option names the architectures that the machine itself has.
    options = tuple(one for one in own[0].options if one[0] != "Architectures")
    group = (replace(own[0], options=options),)
    progress(f"asking for the packages of {_suites(group)} for {architecture}", None)
    place = folder / f"apt-{architecture}"
    config = _configuration(place, group, architecture)
    yield Shop(config, _update(config, place), folder, progress)


@dataclass(frozen=True, slots=True)
class Shop:
    """Where packages of one architecture are fetched from."""

    config: Path
    trouble: str | None  # what apt said when it fetched its lists
    folder: Path  # where packages are put
    progress: Progress

    def fetch(self, package: str) -> tuple[Path, str]:
        """Return the file of `package`, and its version."""
        troubles = [self.trouble] if self.trouble else []
        offer = _offer(package, self.config)
        if offer and (file := _take(offer, self.folder, self.progress, troubles)):
            return file, offer.version
        trouble = f" ({troubles[-1]})" if troubles else ""
        raise UserError(f"the distribution does not offer {package} for that machine{trouble}")


def _configurations(folder: Path, progress: Progress, troubles: list[str]) -> Iterator[Path]:
    # The machine's own lists first: they cost nothing.  Then lists of our own, freshly fetched.
    yield _configuration(folder / "apt-own", None)
    own = archive(origins(), _codename())
    if not own:
        troubles.append("no source in /etc/apt is the distribution's own archive")
        return
    yield _refreshed(folder / "apt-0", own, progress, troubles)
    for number, suites in enumerate(_OTHER_SUITES, 1):
        place = folder / f"apt-{number}"
        yield _refreshed(place, (_main(own, suites),), progress, troubles)
        # A mirror may serve an old copy of the alias beside a fresh one under the true name.
        true_names = tuple(name for name in _codenames(place) if name not in suites)
        if true_names:
            group = (_main(own, true_names),)
            yield _refreshed(folder / f"apt-{number}-again", group, progress, troubles)


def _main(own: tuple[Origin, ...], suites: tuple[str, ...]) -> Origin:
    return replace(own[0], suites=suites, components="main")


def _refreshed(
    place: Path, group: tuple[Origin, ...], progress: Progress, troubles: list[str]
) -> Path:
    progress(f"asking for the packages of {_suites(group)}", None)
    config = _configuration(place, group)
    if trouble := _update(config, place):
        troubles.append(trouble)
    return config


def _codenames(place: Path) -> tuple[str, ...]:
    texts = (path.read_text(errors="replace") for path in (place / "lists").glob("*Release"))
    found = (re.search(r"^Codename: (\S+)", text, re.MULTILINE) for text in texts)
    return tuple(sorted(match[1] for match in found if match))


def _configuration(folder: Path, group: tuple[Origin, ...] | None, architecture: str = "") -> Path:
    for part in ("lists/partial", "cache/archives/partial", "sources"):
        (folder / part).mkdir(parents=True)
    lines = [
        f'Dir::Cache "{folder}/cache";',
        'APT::Sandbox::User "root";',  # the user _apt may not enter our cache folder
        'Acquire::Languages "none";',
        'Acquire::PDiffs "false";',
        'Acquire::Retries "2";',
        "#clear APT::Update::Pre-Invoke;",
        "#clear APT::Update::Post-Invoke;",
        "#clear APT::Update::Post-Invoke-Success;",
    ]
    if group is not None:
        (folder / "sources" / "uaccel.sources").write_text("\n".join(map(str, group)))
        lines += [
            f'Dir::State::lists "{folder}/lists";',
            'Dir::Etc::sourcelist "/dev/null";',
            f'Dir::Etc::sourceparts "{folder}/sources";',
        ]
    if architecture:
        lines += [
            f'APT::Architecture "{architecture}";',
            "#clear APT::Architectures;",
            f'APT::Architectures {{ "{architecture}"; }};',
            'Dir::State::status "/dev/null";',  # nothing of it is installed here
        ]
    config = folder / "apt.conf"
    config.write_text("".join(f"{line}\n" for line in lines))
    return config


def _update(config: Path, folder: Path) -> str | None:
    argv = ("apt-get", "-c", str(config), "-q", "update")
    command = run(argv, folder=folder, timeout=_UPDATE_SECONDS)
    wrong = [line for line in command.stderr.splitlines() if line.startswith(("E:", "W:"))]
    return wrong[-1] if wrong else None


def _offer(package: str, config: Path) -> Offer | None:
    argv = ("apt-get", "-c", str(config), "-q", "download", "--print-uris", package)
    command = run(argv, folder=config.parent, timeout=_UPDATE_SECONDS)
    match = re.search(r"^'\S+' (\S+_\S+\.deb) (\d+)", command.stdout, re.MULTILINE)
    if command.status != 0 or match is None:
        return None
    return Offer(package, match[1], int(match[2]), config)


def _take(offer: Offer, folder: Path, progress: Progress, troubles: list[str]) -> Path | None:
    place = offer.config.parent / "download"
    place.mkdir(exist_ok=True)
    argv = ("apt-get", "-c", str(offer.config), "-q", "download", offer.package)
    what = f"downloading {offer.package} {offer.version} ({offer.size / 1e6:.0f} MB)"

    def tell() -> None:
        progress(what, min(1.0, _bytes_in(place) / max(offer.size, 1)))

    with watched(tell, 0.2):
        command = run(argv, folder=place, timeout=_DOWNLOAD_SECONDS)
    files = tuple(place.glob("*.deb"))
    if command.status == 0 and files:
        return files[0].rename(folder / files[0].name)
    wrong = [line for line in command.stderr.splitlines() if line.startswith("E:")]
    troubles.append(wrong[-1] if wrong else f"apt-get ended with {command.status}")
    return None


def _bytes_in(place: Path) -> int:
    try:
        return sum(file.stat().st_size for file in place.iterdir())
    except OSError:  # renamed between the two looks
        return 0


def _others(folder: Path) -> str:
    found: set[str] = set()
    for config in sorted(folder.glob("apt-*/apt.conf")):
        argv = ("apt-cache", "-c", str(config), "pkgnames", "linux-source-")
        names = run(argv, folder=folder, timeout=_UPDATE_SECONDS).stdout.split()
        found |= {match[1] for name in names if (match := re.search(r"-(\d+\.\d+)$", name))}
    if not found:
        return ""
    ordered = sorted(found, key=lambda version: tuple(map(int, version.split("."))))
    return f"; there are {', '.join(ordered)}"


def _lines(path: Path) -> tuple[str, ...]:
    text = path.read_text(errors="replace") if path.is_file() else ""
    return tuple(line.split("#")[0].strip() for line in text.splitlines())


def _one_line(line: str) -> Origin | None:
    match = _ONE_LINE.fullmatch(line)
    if match is None or match["uri"].startswith("cdrom:"):
        return None
    suite, *components = match["rest"].split()
    pairs = (option.split("=", 1) for option in (match["options"] or "").split() if "=" in option)
    options = tuple((_field(name), value.replace(",", " ")) for name, value in pairs)
    return Origin(match["uri"], (suite,), " ".join(components), options)


def _field(option: str) -> str:
    return "Architectures" if option == "arch" else option.title()


def _stanzas(path: Path) -> tuple[str, ...]:
    kept = [line for line in path.read_text(errors="replace").splitlines() if line[:1] != "#"]
    return tuple(re.split(r"\n\s*\n", "\n".join(kept)))


def _stanza(text: str) -> Origin | None:
    fields = {
        name.title(): value.strip() if "\n" not in value else value.rstrip()
        for name, value in re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", text, re.MULTILINE)
    }
    wanted = fields.get("Enabled", "yes").lower() != "no"
    if not wanted or "deb" not in fields.pop("Types", "").split() or "Uris" not in fields:
        return None
    uris, suites = fields.pop("Uris"), tuple(fields.pop("Suites", "").split())
    components = fields.pop("Components", "")
    fields.pop("Enabled", None)
    return Origin(uris, suites, components, tuple(fields.items()))


def _is_main(origin: Origin, names: tuple[str, ...]) -> bool:
    return any(suite in names for suite in origin.suites) and "main" in origin.components.split()


def _suites(group: tuple[Origin, ...]) -> str:
    return ", ".join(suite for origin in group for suite in origin.suites)


def _codename() -> str:
    text = Path("/etc/os-release").read_text() if Path("/etc/os-release").is_file() else ""
    match = re.search(r'^VERSION_CODENAME="?([\w.-]+)', text, re.MULTILINE)
    return match[1] if match else "sid"
