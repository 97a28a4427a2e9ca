# SPDX-License-Identifier: GPL-2.0-only
"""Whatever stands in a file, judging it ends, and names lines that are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uaccel.flow.judge import Ground, judge_file

SAMPLES = tuple(
    sorted((Path(__file__).parent / "samples" / "windows").glob("*.c"), key=lambda path: path.name)
)
PIECES = (b"{", b"}", b"(", b")", b";", b"#if A\n", b"#else\n", b"\n#endif\n", b'"', b"/*", b",")
WORDS = (b"goto x;", b"return;", b"break;", b"x:", b"case 1:", b"\0", b"\xff", b"#define f(a,\n")
CUT = st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from((b"", *PIECES, *WORDS)))


def broken(text: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
    """Return `text` with some bytes gone and others put in their place."""
    for where, gone, put in cuts:
        at = int(where * len(text))
        text = text[:at] + put + text[at + gone :]
    return text


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(CUT, max_size=8))
def test_broken_c_is_judged_or_not_and_never_crashes(
    path: Path, cuts: list[tuple[float, int, bytes]]
) -> None:
    text = broken(path.read_bytes(), cuts)
    judged = judge_file(Ground(None), "broken.c", text)
    last = text.count(b"\n") + 1
    places = [one.place for one in judged.findings] + [one.place for one in judged.doubts]
    for place in places:
        assert place.file == "broken.c"
        assert 1 <= place.line <= last
        assert place.column >= 1


def test_a_pointer_that_follows_a_list_ends() -> None:
    text = b"""
int f(struct node *p, u32 __user *to)
{
	while (p) {
		if (!user_write_access_begin(to, sizeof(*to)))
			return -EFAULT;
		unsafe_put_user(p->value, to, fault);
		user_write_access_end();
		p = p->next;
		to = p->to;
	}
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
"""
    judged = judge_file(Ground(None), "list.c", text)
    assert judged.windows == 1
    assert not judged.findings
