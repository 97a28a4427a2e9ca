# SPDX-License-Identifier: GPL-2.0-only
"""A series is mails that git takes one upon the other, and says who, what, why and to whom."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.asking import POINT, TOY, Uaccel
from tests.fakelinux import contents, machine_without
from uaccel.host.run import run
from uaccel.model.command import Command

SELF = "A. Zoë Body <zoe@example.org>"
OTHER = "drivers/toy/other.c"
COVER = "0000-cover-letter.patch"
MAINTAINERS = """\
List of maintainers

TOYS
M:\tTim Toy <tim@example.org>
L:\ttoys@example.org
F:\tdrivers/toy/
X:\tdrivers/toy/other.c

OTHERS
M:\tOla Other <ola@example.org>
F:\tdrivers/toy/other.c

THE REST
L:\tall@example.org
F:\t*
F:\t*/
"""
# What the kernel's script prints, for the files that the patch on its command line names.
GET_MAINTAINER = r"""#!/usr/bin/env perl
# SPDX-License-Identifier: GPL-2.0-only
use strict;
use warnings;
my $name = pop;
open(my $file, "<", $name) or die;
my $patch = join("", <$file>);
my ($tim, $ola) = ("\"Tim T. Toy\" <tim\@example.org>", "Ola Other <ola\@example.org>");
print "$tim (maintainer:TOYS (ALL))\n" if $patch =~ m{b/drivers/toy/toy};
print "$ola (supporter:OTHERS)\n" if $patch =~ m{b/drivers/toy/other};
print "Rita <rita\@example.org> (reviewer:TOYS)\n";
print "toys\@example.org (moderated list:TOYS)\n";
print "all\@example.org (open list)\n";
"""


def git(folder: Path, *words: str, text: str = "") -> Command:
    """Return what git says in `folder`, as somebody whom it knows."""
    known = ("-c", "user.name=Kim", "-c", "user.email=kim@example.org")
    return run(("git", *known, *words), folder=folder, timeout=30, stdin=text.encode())


@pytest.fixture
def toys(linux: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the small tree with maintainers, in a home where git knows nobody."""
    (linux / "MAINTAINERS").write_text(MAINTAINERS)
    (linux / "scripts" / "get_maintainer.pl").write_text(GET_MAINTAINER)
    (linux / OTHER).write_text((linux / OTHER).read_text().replace("ugly", "left"))
    (linux / "drivers/toy/broken.c").unlink()
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("AUTHOR", "COMMITTER"):
        for part in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{name}_{part}", raising=False)
    monkeypatch.delenv("EMAIL", raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1750000000")
    return linux


def imported(tree: Path) -> None:
    """Make a git repository of `tree`, all of it brought by one commit."""
    git(tree, "init", "--quiet")
    git(tree, "add", "--all", "--force")
    git(tree, "commit", "--quiet", "-m", "import: everything")


def mails(folder: str) -> dict[str, str]:
    """Return the text of every mail of a series by the name of its file."""
    return {path.name: path.read_text() for path in sorted(Path(folder).iterdir())}


def known_to_git(name: str, address: str) -> None:
    """Tell git who the user is."""
    text = f"[user]\n\tname = {name}\n\temail = {address}\n"
    Path.home().joinpath(".gitconfig").write_text(text)


def test_git_am_takes_a_series_over_a_folder(uaccel: Uaccel, toys: Path) -> None:
    imported(toys)
    before = contents(toys)
    said = uaccel("convert", "--tree", toys, "--series", "out", "--from", SELF, "drivers")
    # An access that is alone is none that a folder is asked for, so nothing was refused.
    assert (said.status, said.stderr) == (0, "")
    assert contents(toys) == before
    made = mails("out")
    assert next(iter(made)) == COVER
    assert said.stdout.splitlines() == [f"out/{name}" for name in made]
    taken = git(toys, "am", *(str(Path("out", n).absolute()) for n in made if n != COVER))
    assert (taken.status, taken.stderr) == (0, "")
    log = git(toys, "log", "-2", "--format=%an <%ae> %at %s", "--reverse").stdout.splitlines()
    assert log == [
        f"{SELF} 1750000000 toy: other: use user access windows in other_get_pair()",
        f"{SELF} 1750000000 toy: use user access windows in toy_set_point() and toy_get_point()",
    ]
    again = uaccel("convert", "--tree", toys, "--series", "more", "--from", SELF, "drivers")
    assert again.stdout == ""
    assert "nothing to convert: every cluster stands as window already" in again.stderr
    assert not Path("more").exists()


def test_each_mail_says_what_changes_and_that_nothing_was_measured(
    uaccel: Uaccel, toys: Path
) -> None:
    uaccel("convert", "--tree", toys, "--series", "out", "--from", SELF, TOY)
    front, patch = mails("out").values()
    head, _, rest = patch.partition("\n\n")
    assert head.startswith(f"From {'0' * 40} Mon Sep 17 00:00:00 2001\nFrom: =?utf-8?q?A=2E_Zo=C3")
    assert "\nDate: Sun, 15 Jun 2025 15:06:40 +0000\n" in head
    assert "\nSubject: [PATCH 1/1] toy: use user access windows in toy_set_point() and" in head
    body = rest.partition("\n---\n")[0]
    assert max(len(line) for line in body.splitlines()) <= 75
    assert "  toy_set_point(): 3 reads\n  toy_get_point(): 3 writes\n" in body
    noticed = re.findall(r"^\* .*", body, re.MULTILINE)
    assert noticed
    assert len(noticed) == len(set(noticed))
    assert body.endswith("Nothing was measured for this patch: it was neither built nor run.")
    assert "Signed-off-by" not in front + patch
    assert "[PATCH 0/1] toy: use user access windows\n" in front
    assert re.search(r"^  drivers/toy/toy.c +1? *2 +2 +6 +", front, re.MULTILINE)
    assert re.search(r"^Left as they stand: 1 cluster, and why:\n\n +1  \w", front, re.MULTILINE)
    assert " 1 file changed, " in front
    assert "base-commit" not in front  # it is no repository


def test_maintainers_are_asked_and_others_are_told(uaccel: Uaccel, toys: Path) -> None:
    uaccel("convert", "--tree", toys, "--series", "out", "--from", SELF, "drivers")
    front, other, toy = mails("out").values()
    lists = "Cc: Rita <rita@example.org>,\n    toys@example.org,\n    all@example.org\n"
    assert f"\nTo: Ola Other <ola@example.org>\n{lists}" in other
    assert f'\nTo: "Tim T. Toy" <tim@example.org>\n{lists}' in toy
    both = 'To: Ola Other <ola@example.org>,\n    "Tim T. Toy" <tim@example.org>\n'
    assert f"\n{both}{lists}" in front


def test_without_the_script_nobody_is_named_and_that_is_said(uaccel: Uaccel, toys: Path) -> None:
    (toys / "scripts" / "get_maintainer.pl").unlink()
    said = uaccel("convert", "--tree", toys, "--series", "out", "--from", SELF, POINT)
    assert said.status == 0
    assert said.stderr == (
        "uaccel: the tree has no scripts/get_maintainer.pl, so To: and Cc: are missing\n"
    )
    assert not re.search("^(To|Cc):", "".join(mails("out").values()), re.MULTILINE)


def test_a_sign_off_is_the_committers_and_only_when_asked_for(uaccel: Uaccel, toys: Path) -> None:
    known_to_git("Kim Ko", "kim@example.org")
    uaccel("convert", "--tree", toys, "--series", "out", "-s", "--from", SELF, POINT)
    front, patch = mails("out").values()
    assert "\n\nSigned-off-by: Kim Ko <kim@example.org>\n---\n" in patch
    assert "Signed-off-by" not in front


def test_who_git_knows_is_the_author(uaccel: Uaccel, toys: Path) -> None:
    known_to_git("Kim Ko", "kim@example.org")
    uaccel("convert", "--tree", toys, "--series", "out", POINT)
    assert all("\nFrom: Kim Ko <kim@example.org>\n" in text for text in mails("out").values())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--series", "out"), "git does not know who the author is; "),
        (("--series", "out", "-s", "--from", SELF), "git does not know who the committer is; "),
        (("--series", "out", "--from", "zoe"), "--from 'zoe' is not written as 'Name <mail@host>'"),
        (("--per", "file"), "--per says how mails are made; --series DIR makes them"),
        (("-s",), "--signoff says how mails are made; --series DIR makes them"),
    ],
)
def test_without_an_ident_nothing_is_made(
    uaccel: Uaccel, toys: Path, words: tuple[str, ...], sentence: str
) -> None:
    assert uaccel("convert", "--tree", toys, *words, POINT).error.startswith(sentence)
    assert not Path("out").exists()


def test_one_patch_per_subsystem(uaccel: Uaccel, toys: Path) -> None:
    (toys / "drivers/toy/more.c").write_text((toys / OTHER).read_text())
    words = ("--series", "out", "--from", SELF, "--per", "subsystem", "drivers")
    said = uaccel("convert", "--tree", toys, *words)
    assert said.status == 0
    _, toy, other = mails("out").values()
    assert re.findall(r"^diff --git a/(\S+)", toy, re.M) == ["drivers/toy/more.c", TOY]
    assert re.findall(r"^diff --git a/(\S+)", other, re.M) == [OTHER]
    assert "Subject: [PATCH 1/2] toy: use user access windows\n" in toy
    assert "  other_get_pair() in drivers/toy/more.c: 2 writes\n" in toy


def test_subjects_begin_as_the_history_of_the_file_has_it(uaccel: Uaccel, toys: Path) -> None:
    imported(toys)
    for subject in ("Fix: it", "Fix that: again", "treewide: x", "Add more"):
        start = "" if subject.startswith("treewide") else "Toys/tin: soldier: "
        with (toys / TOY).open("a") as file:
            file.write("\n")
        git(toys, "commit", "--quiet", "-am", f"{start}{subject}")
    uaccel("convert", "--tree", toys, "--series", "out", "--from", SELF, POINT, OTHER)
    front, toy, other = mails("out").values()
    assert "[PATCH 1/2] Toys/tin: soldier: Use user access windows in toy_get_point()\n" in toy
    assert "[PATCH 2/2] toy: other: use user access windows in" in other  # only imported
    head = git(toys, "rev-parse", "HEAD").stdout
    assert f"\nbase-commit: {head}" in front
    with (toys / TOY).open("a") as file:
        file.write("\n")
    uaccel("convert", "--tree", toys, "--series", "out", "--from", SELF, POINT, OTHER)
    assert "base-commit" not in mails("out")[COVER]  # the file is not as it was committed


def test_what_checkpatch_does_not_like_in_a_mail_is_status_1(uaccel: Uaccel, toys: Path) -> None:
    (toys / OTHER).write_text((toys / OTHER).read_text().replace("left", "ugly"))
    said = uaccel("convert", "--tree", toys, "--series", "out", "--from", SELF, OTHER)
    assert said.status == 1
    assert re.search(r"uaccel: 0001-toy.*\.patch: checkpatch: fail: .*ugly is no word", said.stderr)
    assert "checkpatch" not in mails("out")[COVER]


def test_a_series_replaces_itself_and_no_other(uaccel: Uaccel, toys: Path) -> None:
    words = ("convert", "--tree", toys, "--series", "out", "--from", SELF)
    uaccel(*words, POINT)
    before = mails("out")
    Path("out/notes.txt").write_text("mine")
    assert uaccel(*words, POINT).status == 0
    assert mails("out") == {**before, "notes.txt": "mine"}
    assert "of another series; name another folder" in uaccel(*words, OTHER).error
    assert mails("out") == {**before, "notes.txt": "mine"}


def test_an_interrupted_series_leaves_nothing(
    uaccel: Uaccel, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uaccel("convert", "--tree", toys, "--series", "first", "--from", SELF, POINT)
    write = Path.write_bytes

    def interrupted(path: Path, content: bytes) -> int:
        if path.name.startswith("0001-"):
            raise KeyboardInterrupt
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    said = uaccel("convert", "--tree", toys, "--series", "out", "--from", SELF, POINT)
    assert said.status == 130
    assert mails("out") == {}


def test_without_perl_the_mails_are_written_and_that_is_said(
    uaccel: Uaccel, toys: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", machine_without(tmp_path / "poor", r".*-gcc(-\d+)?|gcc|cc|perl"))
    said = uaccel("convert", "--tree", toys, "--series", "out", "--from", SELF, POINT)
    assert said.status == 0
    assert "perl is not here, so nobody was asked who should get the patches" in said.stderr
    assert "checkpatch: unknown: checkpatch was not asked" in said.stderr
    assert "checkpatch" not in mails("out")[COVER]


def test_the_document_holds_what_the_mails_say(uaccel: Uaccel, toys: Path) -> None:
    words = ("--series", "out", "--json", "-", "--from", SELF)
    said = uaccel("convert", "--tree", toys, *words, TOY)
    document = json.loads(said.stdout)
    assert document["schema"] == {"name": "uaccel-convert", "version": 1}
    assert document["tree"]["path"] == str(toys)
    assert document["command"].startswith("uaccel ")
    (patch,) = document["patches"]
    assert (patch["files"], patch["functions"]) == ([TOY], ["toy_set_point", "toy_get_point"])
    assert Path(patch["path"]).is_file()
    written = {one["id"] for one in document["clusters"]}
    assert written == {f"{TOY}:toy_set_point:read@17", f"{TOY}:toy_get_point:write@29"}
    assert {one["cluster"] for one in document["differences"]} == written
    assert all(one["style"] == "window" and one["what"] for one in document["differences"])
    assert [one["cluster"] for one in document["refusals"]] == [f"{TOY}:toy_get_height:write@39"]
    assert {(one["check"], one["outcome"]) for one in document["verdicts"]} == {
        ("applies", "pass"),
        ("checkpatch", "pass"),
    }
    assert document["measurements"] == []


def test_patches_that_are_no_mails_have_the_document_too(uaccel: Uaccel, toys: Path) -> None:
    said = uaccel("convert", "--tree", toys, "--json", "out.json", POINT)
    assert said.stdout.startswith("diff --git")
    document = json.loads(Path("out.json").read_text())
    (patch,) = document["patches"]
    assert (patch["subject"], patch["path"], patch["functions"]) == ("", None, ["toy_get_point"])


def test_asked_for_figures_that_nothing_can_be_built_for(uaccel: Uaccel, toys: Path) -> None:
    words = ("--series", "out", "--from", SELF, "--figures", "--arch", "s390x")
    uaccel("convert", "--tree", toys, *words, "--compiler", "gcc", POINT)
    patch = list(mails("out").values())[1]
    assert "Figures were asked for, and nothing could be built to count them in." in patch


def test_a_folder_holds_what_can_be_read_in_it(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("convert", "--tree", linux, "drivers")
    assert said.stdout.count("diff --git") == 3
    assert re.search(r"broken\.c:13: the C does not parse: .*broken_get_pair is left", said.stderr)


def test_the_tree_of_today_names_its_maintainers(uaccel: Uaccel, tree_6_12: Path) -> None:
    """The real scripts, on a tree that is no repository, write nothing into it."""
    before = sorted(tree_6_12.iterdir())
    target = "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat"
    words = ("--series", "out", "--from", SELF, target)
    said = uaccel("convert", "--tree", tree_6_12, *words)
    assert (said.status, said.stderr) == (0, "")
    front, patch = mails("out").values()
    assert "\nSubject: [PATCH 1/1] ALSA: pcm: use user access windows in snd_pcm_ioctl" in patch
    assert re.search(r"^To: .*\n(?:    .*\n)*Cc: (?:.*\n    )*.*linux-sound@", patch, re.MULTILINE)
    assert "made on Linux 6.12" in front
    assert sorted(tree_6_12.iterdir()) == before
