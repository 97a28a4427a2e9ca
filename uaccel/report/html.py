# SPDX-License-Identifier: GPL-2.0-only
"""Records to pages that a browser shows: one file each, without a network, safe to open."""

from __future__ import annotations

from uaccel.report.pages.comparison import comparison_page
from uaccel.report.pages.scan import scan_page
from uaccel.report.pages.study import study_page

__all__ = ["comparison_page", "scan_page", "study_page"]
