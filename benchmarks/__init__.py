# SPDX-License-Identifier: GPL-2.0-only
"""Measured ratios; run by hand or with `make bench`, never as tests."""
