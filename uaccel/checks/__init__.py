# SPDX-License-Identifier: GPL-2.0-only
"""Catalogue: one question put to evidence a file."""
