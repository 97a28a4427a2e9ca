# SPDX-License-Identifier: GPL-2.0-only
"""What annotated listings say: spelling, ways, architecture, doubts."""
