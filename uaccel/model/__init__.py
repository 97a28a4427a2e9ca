# SPDX-License-Identifier: GPL-2.0-only
"""The nouns of the workbench: immutable records that flow from stage to stage.

A record knows what it is and nothing else: it opens no file, starts no program
and prints nothing.
"""
