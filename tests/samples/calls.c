/* SPDX-License-Identifier: GPL-2.0-only */
/* Spends its time in system calls that copy a few bytes to and from the user: see test_perf_record.py */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 1;
	char buffer[64] = { 0 };
	int ends[2], sockets[2], value;
	socklen_t size;
	uid_t real, effective, saved;

	if (pipe(ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		return 1;
	while (rounds-- > 0) {
		size = sizeof(value);
		if (getsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &value, &size))
			return 1;
		if (ioctl(ends[0], FIONREAD, &value))
			return 1;
		if (getresuid(&real, &effective, &saved))
			return 1;
		if (write(ends[1], buffer, sizeof(buffer)) < 0)
			return 1;
		if (read(ends[0], buffer, sizeof(buffer)) < 0)
			return 1;
	}
	return 0;
}
