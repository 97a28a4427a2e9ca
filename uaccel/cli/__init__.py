# SPDX-License-Identifier: GPL-2.0-only
"""Adapters between the command line and the flow."""
