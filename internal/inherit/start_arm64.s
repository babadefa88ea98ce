//go:build linux

#include "go_asm.h"
#include "textflag.h"

#define SYS_fcntl 25
#define SYS_writev 66
#define SYS_exit_group 94
#define SYS_rt_sigaction 134
#define SYS_rt_sigprocmask 135
#define SYS_prlimit64 261

// READ reads a limit into a field of state, RAISE raises it to its maximum
// unless that is less than need.
#define READ(limit, field) \
	MOVD	ZR, R0; \
	MOVD	$limit, R1; \
	MOVD	ZR, R2; \
	ADD	$field, R19, R3; \
	MOVD	$SYS_prlimit64, R8; \
	SVC

#define RAISE(limit, field, need) \
	MOVD	(field+8)(R19), R4; \
	MOVD	$need, R5; \
	CMP	R5, R4; \
	BLO	refuse; \
	MOVD	R4, 0(R21); \
	MOVD	R4, 8(R21); \
	MOVD	ZR, R0; \
	MOVD	$limit, R1; \
	MOVD	R21, R2; \
	MOVD	ZR, R3; \
	MOVD	$SYS_prlimit64, R8; \
	SVC

// The entry point of a program, as in start_amd64.s. A system call changes R0
// alone.
//
// R19 is the address of state, R20 the stack as the kernel made it, R21 the
// room below it that is used here.
TEXT ·start(SB),NOSPLIT|NOFRAME,$0
	MOVD	RSP, R20
	SUB	$64, R20, R21
	MOVD	R21, RSP
	MOVD	$·state(SB), R19
	MOVD	$1, R4
	MOVD	R4, origin_entered(R19)

	MOVD	ZR, R22
descriptor:
	MOVD	R22, R0
	MOVD	$const_getfd, R1
	MOVD	$SYS_fcntl, R8
	SVC
	CMP	$0, R0
	BGE	open
	MOVD	origin_closed(R19), R4
	MOVD	$1, R5
	LSL	R22, R5, R5
	ORR	R5, R4, R4
	MOVD	R4, origin_closed(R19)
open:
	ADD	$1, R22, R22
	CMP	$3, R22
	BLT	descriptor

	MOVD	ZR, R22
signal:
	ADD	$1, R22, R0
	MOVD	ZR, R1
	MOVD	R21, R2	// struct sigaction: the handler is its first word
	MOVD	$8, R3
	MOVD	$SYS_rt_sigaction, R8
	SVC
	MOVD	0(R21), R4
	CMP	$const_ignore, R4
	BNE	heeded
	MOVD	origin_ignored(R19), R4
	MOVD	$1, R5
	LSL	R22, R5, R5
	ORR	R5, R4, R4
	MOVD	R4, origin_ignored(R19)
heeded:
	ADD	$1, R22, R22
	CMP	$64, R22
	BLT	signal

	MOVD	ZR, R0
	MOVD	ZR, R1
	ADD	$origin_blocked, R19, R2
	MOVD	$8, R3
	MOVD	$SYS_rt_sigprocmask, R8
	SVC

	READ(const_limitFiles, origin_files)
	READ(const_limitAS, origin_as)
	READ(const_limitData, origin_data)
	RAISE(const_limitAS, origin_as, const_needAS)
	RAISE(const_limitData, origin_data, const_needData)

	MOVD	R20, RSP
	JMP	_rt0_arm64_linux(SB)

	// Two pieces are written: the last component of argv[0], and refusal.
refuse:
	MOVD	8(R20), R1
	MOVD	R1, 0(R21)
	MOVD	ZR, 8(R21)
	CBZ	R1, named
component:
	MOVD	R1, 0(R21)
	MOVD	ZR, R5
character:
	MOVBU	(R1), R4
	ADD	$1, R1, R1
	CMP	$'/', R4
	BEQ	component
	CBZ	R4, counted
	ADD	$1, R5, R5
	B	character
counted:
	MOVD	R5, 8(R21)
named:
	MOVD	·refusal+0(SB), R4
	MOVD	R4, 16(R21)
	MOVD	·refusal+8(SB), R4
	MOVD	R4, 24(R21)
	MOVD	$const_stderr, R0
	MOVD	R21, R1
	MOVD	$2, R2
	MOVD	$SYS_writev, R8
	SVC
	MOVD	$const_refusalCode, R0
	MOVD	$SYS_exit_group, R8
	SVC
	B	0(PC)
