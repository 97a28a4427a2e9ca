# SPDX-License-Identifier: GPL-2.0-only
"""Catalogue: one rule for windows a file, asked of functions that were walked."""
