//go:build linux

#include "go_asm.h"
#include "textflag.h"

#define SYS_rt_sigprocmask 14
#define SYS_execve 59
#define SYS_exit 60

// func run(v *vfork)
//
// Both processes come back from clone3 with the same stack pointer: the new
// one must not touch the stack, where the other will find its return address.
//
// BX is v, R12 the next call, R13 how many are left.
TEXT ·run(SB),NOSPLIT,$0-8
	MOVQ	v+0(FP), BX

	MOVL	$const_setmask, DI
	LEAQ	vfork_every(BX), SI
	LEAQ	vfork_before(BX), DX
	MOVL	$const_maskSize, R10
	MOVL	$SYS_rt_sigprocmask, AX
	SYSCALL

	LEAQ	vfork_clone(BX), DI
	MOVL	$cloneArgs__size, SI
	MOVL	$const_clone3, AX
	SYSCALL
	TESTQ	AX, AX
	JEQ	child

	MOVQ	AX, vfork_pid(BX)
	MOVL	$const_setmask, DI
	LEAQ	vfork_before(BX), SI
	XORL	DX, DX
	MOVL	$const_maskSize, R10
	MOVL	$SYS_rt_sigprocmask, AX
	SYSCALL
	RET

child:
	MOVQ	vfork_call(BX), R12
	MOVQ	vfork_calls(BX), R13
next:
	MOVQ	call_number(R12), AX
	MOVQ	call_a(R12), DI
	MOVQ	call_b(R12), SI
	MOVQ	call_c(R12), DX
	MOVQ	call_d(R12), R10
	SYSCALL
	TESTQ	AX, AX
	JLT	failed
	ADDQ	$call__size, R12
	DECQ	R13
	JNE	next

	MOVQ	vfork_path(BX), DI
	MOVQ	vfork_argv(BX), SI
	MOVQ	vfork_env(BX), DX
	MOVL	$SYS_execve, AX
	SYSCALL
failed:
	NEGQ	AX
	MOVQ	AX, vfork_failed(BX)
	MOVL	$const_failedCode, DI
	MOVL	$SYS_exit, AX
	SYSCALL
	INT	$3
