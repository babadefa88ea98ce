//go:build linux

#include "go_asm.h"
#include "textflag.h"

#define SYS_exit 93
#define SYS_rt_sigprocmask 135
#define SYS_execve 221

// func run(v *vfork)
//
// As in vfork_amd64.s. R19 is v, R20 the next call, R21 how many are left.
TEXT ·run(SB),NOSPLIT,$0-8
	MOVD	v+0(FP), R19

	MOVD	$const_setmask, R0
	ADD	$vfork_every, R19, R1
	ADD	$vfork_before, R19, R2
	MOVD	$const_maskSize, R3
	MOVD	$SYS_rt_sigprocmask, R8
	SVC

	ADD	$vfork_clone, R19, R0
	MOVD	$cloneArgs__size, R1
	MOVD	$const_clone3, R8
	SVC
	CBZ	R0, child

	MOVD	R0, vfork_pid(R19)
	MOVD	$const_setmask, R0
	ADD	$vfork_before, R19, R1
	MOVD	ZR, R2
	MOVD	$const_maskSize, R3
	MOVD	$SYS_rt_sigprocmask, R8
	SVC
	RET

child:
	MOVD	vfork_call(R19), R20
	MOVD	vfork_calls(R19), R21
next:
	MOVD	call_number(R20), R8
	MOVD	call_a(R20), R0
	MOVD	call_b(R20), R1
	MOVD	call_c(R20), R2
	MOVD	call_d(R20), R3
	SVC
	CMP	$0, R0
	BLT	failed
	ADD	$call__size, R20, R20
	SUBS	$1, R21, R21
	BNE	next

	MOVD	vfork_path(R19), R0
	MOVD	vfork_argv(R19), R1
	MOVD	vfork_env(R19), R2
	MOVD	$SYS_execve, R8
	SVC
failed:
	NEG	R0, R0
	MOVD	R0, vfork_failed(R19)
	MOVD	$const_failedCode, R0
	MOVD	$SYS_exit, R8
	SVC
	B	0(PC)
