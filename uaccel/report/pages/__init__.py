# SPDX-License-Identifier: GPL-2.0-only
"""The parts of the HTML pages: records to what a template shows."""
