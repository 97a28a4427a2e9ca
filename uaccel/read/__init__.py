# SPDX-License-Identifier: GPL-2.0-only
"""Bytes to records: C, objects, listings."""
