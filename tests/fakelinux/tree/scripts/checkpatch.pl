#!/usr/bin/env perl
# SPDX-License-Identifier: GPL-2.0-only
# Says what the kernel's checkpatch.pl would say, about one word only.
use strict;
use warnings;

my @added = grep { /^\+(?!\+\+ )/ } <STDIN>;
my $checks = grep { /ugly/ } @added;
print "CHECK: ugly is no word\n" if $checks;
printf "total: 0 errors, 0 warnings, %d checks, %d lines checked\n", $checks, scalar(@added);
exit($checks ? 1 : 0);
