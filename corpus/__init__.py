# SPDX-License-Identifier: GPL-2.0-only
"""Whole trees in the styles: what needs no build is counted, what needs one is compiled."""
