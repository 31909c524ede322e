/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A seccomp filter: to open a file for writing, or to create one, fails with EROFS.
 */
#include "daemon/host/readonly.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if !defined(__x86_64__)
#error "TDX is a feature of x86-64 processors"
#endif

#define OFFSET(field)		offsetof(struct seccomp_data, field)
#define LOAD(field)		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OFFSET(field))
#define IF_EQUAL(k, yes, no)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)
#define IF_ANY(k, yes, no)	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, k, yes, no)
#define IF_AT_LEAST(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, k, yes, no)
#define RETURN(k)		BPF_STMT(BPF_RET | BPF_K, k)

#define X32_SYSCALL_BIT 0x40000000

#define WRITING (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

int readonly_enter(void)
{
	/* A jump counts the instructions that it skips. */
	static struct sock_filter filter[] = {
		LOAD(arch),
		IF_EQUAL(AUDIT_ARCH_X86_64, 0, 11), /* other ABIs are refused */
		LOAD(nr),
		IF_AT_LEAST(X32_SYSCALL_BIT, 9, 0),
		IF_EQUAL(SYS_creat, 8, 0),
		IF_EQUAL(SYS_openat2, 7, 0), /* its flags are out of sight */
		IF_EQUAL(SYS_openat, 2, 0),
		IF_EQUAL(SYS_open, 3, 0),
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(args[2]), /* flags of openat() */
		IF_ANY(WRITING, 2, 3),
		LOAD(args[1]), /* flags of open() */
		IF_ANY(WRITING, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | EROFS),
		RETURN(SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {ARRAY_SIZE(filter), filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
	return 0;
}
