//go:build linux

#include "go_asm.h"
#include "textflag.h"

#define SYS_rt_sigaction 13
#define SYS_rt_sigprocmask 14
#define SYS_writev 20
#define SYS_fcntl 72
#define SYS_exit_group 231
#define SYS_prlimit64 302

// READ reads a limit into a field of state, RAISE raises it to its maximum
// unless that is less than need.
#define READ(limit, field) \
	XORL	DI, DI; \
	MOVL	$limit, SI; \
	XORL	DX, DX; \
	LEAQ	field(BX), R10; \
	MOVL	$SYS_prlimit64, AX; \
	SYSCALL

#define RAISE(limit, field, need) \
	MOVQ	(field+8)(BX), AX; \
	MOVQ	$need, CX; \
	CMPQ	AX, CX; \
	JCS	refuse; \
	MOVQ	AX, 0(SP); \
	MOVQ	AX, 8(SP); \
	XORL	DI, DI; \
	MOVL	$limit, SI; \
	MOVQ	SP, DX; \
	XORL	R10, R10; \
	MOVL	$SYS_prlimit64, AX; \
	SYSCALL

// The entry point of a program. The kernel comes here with the stack that the
// runtime's own expects, argc on top, and nothing else: no g, no TLS, so this
// is all there can be. A system call changes AX, CX and R11 alone.
//
// BX is the address of state, R12 the stack as the kernel made it.
TEXT ·start(SB),NOSPLIT|NOFRAME,$0
	MOVQ	SP, R12
	SUBQ	$64, SP
	LEAQ	·state(SB), BX
	MOVQ	$1, origin_entered(BX)

	XORL	R13, R13
descriptor:
	MOVQ	R13, DI
	MOVL	$const_getfd, SI
	MOVL	$SYS_fcntl, AX
	SYSCALL
	TESTQ	AX, AX
	JGE	open
	BTSQ	R13, origin_closed(BX)
open:
	INCQ	R13
	CMPQ	R13, $3
	JLT	descriptor

	XORL	R13, R13
signal:
	LEAQ	1(R13), DI
	XORL	SI, SI
	MOVQ	SP, DX	// struct sigaction: the handler is its first word
	MOVL	$8, R10
	MOVL	$SYS_rt_sigaction, AX
	SYSCALL
	CMPQ	0(SP), $const_ignore
	JNE	heeded
	BTSQ	R13, origin_ignored(BX)
heeded:
	INCQ	R13
	CMPQ	R13, $64
	JLT	signal

	XORL	DI, DI
	XORL	SI, SI
	LEAQ	origin_blocked(BX), DX
	MOVL	$8, R10
	MOVL	$SYS_rt_sigprocmask, AX
	SYSCALL

	READ(const_limitFiles, origin_files)
	READ(const_limitAS, origin_as)
	READ(const_limitData, origin_data)
	RAISE(const_limitAS, origin_as, const_needAS)
	RAISE(const_limitData, origin_data, const_needData)

	MOVQ	R12, SP
	JMP	_rt0_amd64_linux(SB)

	// Two pieces are written: the last component of argv[0], and refusal.
refuse:
	MOVQ	8(R12), SI
	MOVQ	SI, 0(SP)
	MOVQ	$0, 8(SP)
	TESTQ	SI, SI
	JEQ	named
component:
	MOVQ	SI, 0(SP)
	MOVQ	$0, 8(SP)
character:
	MOVBLZX	(SI), AX
	INCQ	SI
	CMPB	AX, $'/'
	JEQ	component
	TESTB	AX, AX
	JEQ	named
	INCQ	8(SP)
	JMP	character
named:
	MOVQ	·refusal+0(SB), AX
	MOVQ	AX, 16(SP)
	MOVQ	·refusal+8(SB), AX
	MOVQ	AX, 24(SP)
	MOVL	$const_stderr, DI
	MOVQ	SP, SI
	MOVL	$2, DX
	MOVL	$SYS_writev, AX
	SYSCALL
	MOVL	$const_refusalCode, DI
	MOVL	$SYS_exit_group, AX
	SYSCALL
	INT	$3
