# SPDX-License-Identifier: GPL-2.0-only
"""Boards of QEMU that kernels are booted on: one module, one `Machine`, one page."""
