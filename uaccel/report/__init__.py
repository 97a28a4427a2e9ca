# SPDX-License-Identifier: GPL-2.0-only
"""Records to what a person or a program reads."""
