"""A seccomp filter for cells: what no graded program needs and an attacker would like.

Denied calls answer EPERM; where the kernel can, they are reported to the supervisor first, which turns them into flags
that the denied process cannot forge or hide. Foreign system call ABIs kill.
"""

import ctypes
import errno
import struct

from .syscalls import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    numbers,
    syscall,
)

DENIED = {
    "tracing": "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp perf_event_open",
    "keyring": "add_key request_key keyctl",
    "namespace": "unshare setns",
    "mount": "mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr "
    "quotactl",
    "kernel": "bpf userfaultfd init_module finit_module delete_module kexec_load kexec_file_load acct reboot swapon "
    "swapoff syslog iopl ioperm modify_ldt personality lookup_dcookie vhangup",
    "io_uring": "io_uring_setup io_uring_enter io_uring_register",
    "system_v_ipc": "shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl mq_open "
    "mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr",
    "memory_policy": "mbind set_mempolicy migrate_pages move_pages memfd_secret",
    "file_handle": "name_to_handle_at open_by_handle_at fanotify_init",
    "clock": "settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname",
}
"""Why calls are denied, and which."""
QUIET = {"memory_policy", "clock", "keyring"}
"""Denied without a report: libraries try these in good faith."""

_NEW_NAMESPACES = (
    CLONE_NEWNS
    | CLONE_NEWCGROUP
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWUSER
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_NEWTIME
)
_AF_UNIX = 1
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL, _NOTIFY, _ERRNO = 0x7FFF0000, 0x80000000, 0x7FC00000, 0x00050000
_SET_MODE_FILTER, _FLAG_NEW_LISTENER = 1, 8


def compile_filter(*, notify: bool) -> bytes:
    """Return the filter as classic BPF; ``notify`` reports denied calls instead of answering in the kernel."""
    table = numbers()
    report = _NOTIFY if notify else _ERRNO | errno.EPERM
    code = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_EQUAL, table.audit_architecture, 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
        _instruction(_AT_LEAST, 0x40000000, 0, 1),  # the x32 ABI
        _instruction(_RETURN, _ERRNO | errno.ENOSYS),
    ]
    # glibc falls back to clone, whose flags a filter can read; libffi and others fall back to files.
    for name in ("clone3", "memfd_create"):
        code += [_instruction(_EQUAL, table.calls[name], 0, 1), _instruction(_RETURN, _ERRNO | errno.ENOSYS)]
    for reason, names in DENIED.items():
        action = _ERRNO | errno.EPERM if reason in QUIET else report
        for name in names.split():
            if name in table.calls:
                code += [_instruction(_EQUAL, table.calls[name], 0, 1), _instruction(_RETURN, action)]
    for name in ("socket", "socketpair"):
        code += [
            _instruction(_EQUAL, table.calls[name], 0, 4),
            _instruction(_LOAD, _FIRST_ARGUMENT),
            _instruction(_EQUAL, _AF_UNIX, 0, 1),
            _instruction(_RETURN, _ALLOW),
            _instruction(_RETURN, report),
        ]
    code += [
        _instruction(_EQUAL, table.calls["clone"], 0, 3),
        _instruction(_LOAD, _FIRST_ARGUMENT),
        _instruction(_ANY_BIT, _NEW_NAMESPACES, 0, 1),
        _instruction(_RETURN, report),
        _instruction(_RETURN, _ALLOW),
    ]
    return b"".join(code)


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def install(program: bytes, *, notify: bool) -> int | None:
    """Filter this process and its descendants for good; needs no_new_privs. Raises OSError.

    Return the descriptor on which denied calls are reported when ``notify``, else None.
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    filter_program = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    flags = _FLAG_NEW_LISTENER if notify else 0
    result = syscall("seccomp", ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(flags), filter_program)
    return result if notify else None


def reason_of(number: int) -> str:
    """Return why the system call ``number`` is denied: a key of `DENIED`, ``network`` or ``namespace``."""
    calls = numbers().calls
    if number in (calls["socket"], calls["socketpair"]):
        return "network"
    if number == calls["clone"]:
        return "namespace"
    names = {calls[name]: reason for reason, listed in DENIED.items() for name in listed.split() if name in calls}
    return names.get(number, "system_call")
