/* SPDX-License-Identifier: GPL-2.0-only */
/* Spends its time in two functions of its own, in shares that its argument gives: see recordings.py */
#include <stdlib.h>

__attribute__((noinline)) unsigned long divide(unsigned long n)
{
	unsigned long sum = 0;

	for (unsigned long i = 1; i < n; i++) {
		__asm__ volatile("" : "+r"(sum));
		sum += n / i;
	}
	return sum;
}

__attribute__((noinline)) void store(unsigned char *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		p[(i * 7919) & 0xffff] = i ^ p[i & 0xffff];
}

int main(int argc, char **argv)
{
	unsigned long stores = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned char *p = calloc(1, 65536);
	unsigned long sum = 0;

	for (int i = 0; i < 100; i++) {
		sum += divide(200000);
		store(p, 100000 * stores);
	}
	return sum == 0;
}
