# SPDX-License-Identifier: GPL-2.0-only
"""Tests that build kernels and boot them: `make test-boot`, never `make test`."""
