# SPDX-License-Identifier: GPL-2.0-only
"""Catalogue: one way of writing a cluster a file."""
