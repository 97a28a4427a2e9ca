# SPDX-License-Identifier: GPL-2.0-only
"""The only place that joins workers."""
