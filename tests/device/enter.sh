#!/bin/sh
# A program of a userland, on a board: enter.sh ROOT HOME BOARD QEMU PROGRAM [ARGUMENT ...]
# To be run in a mount namespace of its own: nothing that is mounted here outlives the program.
set -eu
root=$1 home=$2 board=$3 qemu=$4
shift 4

# The program starts others through the kernel, which must know what runs them. In a user namespace
# (Linux 6.7 and later) that is a matter of the namespace; the machine's own register is left alone.
register=/proc/sys/fs/binfmt_misc/register
if ! grep -q 4294967295 /proc/self/uid_map && mount -t binfmt_misc none "${register%/*}"; then
    cat "/usr/lib/binfmt.d/qemu-$qemu.conf" > "$register"
fi 2>/dev/null

mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount --bind "$board/cpuinfo" "$root/proc/cpuinfo"
mount --bind "$board/sys" "$root/sys"
mount --bind "$home" "$root/home/pi"
exec chroot "$root" "/usr/bin/qemu-$qemu-static" "$@"
