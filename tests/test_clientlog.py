# SPDX-License-Identifier: GPL-2.0-only
"""What our client says is found among what a kernel says."""

from __future__ import annotations

import pytest

from uaccel.errors import UserError
from uaccel.read.clientlog import Called, read_calls

CONSOLE = """\
Run /init as init process
uaccel-client: begins bits=32
uaccel-client: call=plain number=0 flags=6 result=0 bytes=06a5
random: crng init done
uaccel-client: call=unmapped number=0 flags=6 result=-14 bytes=
uaccel-client: ends status=0
reboot: Restarting system
"""


def test_calls_come_in_order() -> None:
    assert read_calls(CONSOLE) == (Called("plain", 0, "06a5"), Called("unmapped", -14, ""))


def test_a_client_that_did_not_end_is_no_evidence() -> None:
    with pytest.raises(UserError, match="the console does not tell"):
        read_calls(CONSOLE.replace("ends status=0", ""))


@pytest.mark.parametrize(
    "words", ["failed what=open errno=2", "killed signal=11", "exited status=127"]
)
def test_a_client_that_failed_says_why(words: str) -> None:
    with pytest.raises(UserError, match=f"the client did not succeed: {words}"):
        read_calls(CONSOLE.replace("begins bits=32", words))


def test_a_program_that_exits_well_is_no_failure() -> None:
    assert len(read_calls(CONSOLE.replace("begins bits=32", "exited status=0"))) == 2
