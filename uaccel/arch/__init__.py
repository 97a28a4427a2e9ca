# SPDX-License-Identifier: GPL-2.0-only
"""Catalogue: one architecture a file."""
