# SPDX-License-Identifier: GPL-2.0-only
"""Find, rewrite, build, count and judge the user accesses of a Linux kernel."""

__version__ = "0.1.0"
