# SPDX-License-Identifier: GPL-2.0-only
"""Programs of ours for the machines that are booted, as C."""
