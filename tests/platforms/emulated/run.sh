#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a statically linked test program on a CPU with AVX-512 that Bochs emulates, under Debian 12's kernel.
#   tests/platforms/emulated/run.sh PROGRAM [ARGUMENT...]
# Needs a Debian 12 for x86-64, about 30 seconds for the start, and forces NYSTROMFORMER_ISA=avx512 (or $ISA).
# Such a program: cmake --preset dev -B build/static -DCMAKE_EXE_LINKER_FLAGS=-static
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
work="$root/build/emulated"
program=$(realpath "$1")
shift

"$root/tools/install_packages.sh" g++ bochs bochsbios bochs-term isolinux syslinux-common xorriso cpio bsdutils
rm -rf "$work/root" "$work/iso" "$work/serial" && mkdir -p "$work/root" "$work/iso" "$work/kernel"
if ! compgen -G "$work/kernel/boot/vmlinuz*" >/dev/null; then
    package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ {print $2; exit}')
    (cd "$work/kernel" && apt-get download -qq "$package" && dpkg-deb -x "$package"_*.deb .)
fi

# The initial file system: our init, the program, its arguments, and the tests' data where it looks for them.
g++ -std=c++20 -O1 -static "$root/tests/platforms/emulated/init.cpp" -o "$work/root/init"
cp "$program" "$work/root/test"
printf '%s\n' "$@" >"$work/root/arguments"
echo "${ISA:-avx512}" >"$work/root/isa"
mkdir -p "$work/root$root"
cp -r "$root/tests" "$root/models" "$work/root$root"
(cd "$work/root" && find . | cpio --quiet -o -H newc) >"$work/iso/initrd"
cp "$work"/kernel/boot/vmlinuz* "$work/iso/vmlinuz"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/iso"

# Bochs 2.7 says too little of the areas of PKU and of compact XSAVE for Linux, which would do without AVX.
cat >"$work/iso/isolinux.cfg" <<END
default tests
prompt 0
timeout 1
label tests
kernel /vmlinuz
initrd /initrd
append console=ttyS0 quiet mitigations=off nokaslr tsc=reliable nopku clearcpuid=pku,ospke,xsaves,xsavec
END
xorriso -as mkisofs -quiet -o "$work/boot.iso" -b isolinux.bin -c boot.cat -no-emul-boot \
    -boot-load-size 4 -boot-info-table "$work/iso" 2>"$work/xorriso.log"
cat >"$work/bochsrc" <<END
config_interface: textconfig
display_library: term
megs: 1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=${CPU:-corei7_skylake_x}, count=1, ips=50000000, reset_on_triple_fault=0
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial
log: $work/bochs.log
panic: action=fatal
error: action=report
clock: sync=none
END
echo c >"$work/continue"  # for the debugger that Debian's Bochs starts in
touch "$work/serial"
timeout "${LIMIT:-1800}" script -qec "bochs -q -f '$work/bochsrc' -rc '$work/continue'" /dev/null \
    </dev/null >"$work/terminal.log" 2>&1 || true
tr -d '\r' <"$work/serial"
code=$(tr -d '\r' <"$work/serial" | sed -n 's/^== exit \([0-9]*\)$/\1/p' | tail -n 1)
exit "${code:-125}"
