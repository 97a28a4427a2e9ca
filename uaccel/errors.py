# SPDX-License-Identifier: GPL-2.0-only
"""Two ways to fail: the user can fix it, or we must."""


class UserError(Exception):
    """Bad input, missing tool, wrong tree.  The CLI prints it and exits 2."""


class BrokenInvariant(Exception):
    """A bug in the workbench.  Never caught; the traceback is the report."""
