# SPDX-License-Identifier: GPL-2.0-only
"""Whole trees in every style: run by `make corpus-styles` and `make corpus-build`."""
