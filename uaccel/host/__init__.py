# SPDX-License-Identifier: GPL-2.0-only
"""The only door to the outside: files, programs, the network of the package manager."""
