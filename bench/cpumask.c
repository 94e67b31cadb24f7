// Makes a program believe that it runs on an older x86 CPU, so that other engines can be measured as they would
// run on a clinic's PC.
//
//   cc -O2 -shared -fPIC -Wl,-z,now -o libcpumask.so bench/cpumask.c
//   CPUMASK=avx2 LD_PRELOAD=./libcpumask.so PROGRAM       avx512 (no AMX) | avx2 | avx | sse42
//
// How: programs learn what a CPU can do from the CPUID instruction. Linux can make it fault
// (arch_prctl ARCH_SET_CPUID, on CPUs with "cpuid_fault" in /proc/cpuinfo; new threads inherit it, exec clears it).
// The fault arrives as SIGSEGV; the handler below lets CPUID through once, takes the newer instruction sets out of
// the answer, and goes on after the instruction.
//
// What it cannot hide: XGETBV, the kernel's AT_HWCAP2, /proc/cpuinfo, and what the dynamic loader had asked before
// (glibc's own memcpy stays wide). A program that replaces the SIGSEGV handler crashes at its next CPUID.
// A mask that does not take effect ends the program with status 78: a figure without its mask would be a lie.
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __x86_64__
#error "cpumask is for x86-64"
#endif

enum { ARCH_SET_CPUID = 0x1012, STATUS_NO_MASK = 78 };

// The ladder of CPUs; each has all that stands below it.
enum level { SSE42, AVX, AVX2, AVX512, BEYOND };
static const char *const level_names[] = {"sse42", "avx", "avx2", "avx512"};
static enum level level;

enum { EAX, EBX, ECX, EDX };
#define BIT(n) (1u << (n))

// Which bits of which answer need which CPU. Bits not listed are handed through.
static const struct {
    unsigned leaf, sub;
    int reg;
    enum level needs;
    unsigned bits;
} features[] = {
    {1, 0, ECX, AVX, BIT(26) | BIT(27) | BIT(28)},                         // XSAVE, OSXSAVE, AVX
    {1, 0, ECX, AVX2, BIT(12) | BIT(29)},                                  // FMA, F16C
    {7, 0, EBX, AVX2, BIT(3) | BIT(5) | BIT(8)},                           // BMI1, AVX2, BMI2
    {7, 0, EBX, AVX512, BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27)},  // F, DQ, IFMA, PF, ER
    {7, 0, EBX, AVX512, BIT(28) | BIT(30) | BIT(31)},                      // CD, BW, VL
    {7, 0, ECX, AVX2, BIT(9) | BIT(10)},                                   // VAES, VPCLMULQDQ
    {7, 0, ECX, AVX512, BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14)},    // VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ
    {7, 0, EDX, AVX512, BIT(2) | BIT(3) | BIT(8) | BIT(23)},               // 4VNNIW, 4FMAPS, VP2INTERSECT, FP16
    {7, 0, EDX, BEYOND, BIT(22) | BIT(24) | BIT(25)},                      // AMX-BF16, AMX-TILE, AMX-INT8
    {7, 1, EAX, AVX512, BIT(4) | BIT(5)},                                  // AVX-VNNI (few clinic PCs), AVX512-BF16
    {7, 1, EAX, BEYOND, BIT(21) | BIT(23)},                                // AMX-FP16, AVX-IFMA
    {7, 1, EDX, BEYOND, BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19)},     // VNNI-INT8, NE-CONVERT, AMX-COMPLEX, VNNI-INT16, AVX10
    {0xd, 0, EAX, AVX, BIT(2)},                                            // saved state: YMM
    {0xd, 0, EAX, AVX512, BIT(5) | BIT(6) | BIT(7)},                       // mask registers, ZMM
    {0xd, 0, EAX, BEYOND, BIT(17) | BIT(18)},                              // tiles
    {0x80000001, 0, ECX, AVX2, BIT(5)},                                    // LZCNT
    {0x80000001, 0, ECX, BEYOND, BIT(11) | BIT(16)},                       // XOP, FMA4
};

// Leaves that describe AMX tiles and AVX10 only.
static int is_beyond(unsigned leaf) { return leaf == 0x1d || leaf == 0x1e || leaf == 0x24; }

static void take_away(unsigned leaf, unsigned sub, unsigned answer[4]) {
    if (is_beyond(leaf)) memset(answer, 0, 4 * sizeof *answer);
    if (leaf == 1 || leaf >= 0x80000000) sub = 0;  // leaves without sub-leaves ignore ECX
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (features[i].leaf == leaf && features[i].sub == sub && features[i].needs > level)
            answer[features[i].reg] &= ~features[i].bits;
}

// Lets CPUID fault in the calling thread (1) or run (0).
static long set_faulting(int on) {
    int saved = errno;
    long result = syscall(SYS_arch_prctl, ARCH_SET_CPUID, (long)!on);
    errno = saved;
    return result;
}

static struct sigaction earlier;

// Not ours: hand a real fault to whoever was there before, or let it kill the program.
static void pass_on(int number, siginfo_t *info, void *context) {
    if (earlier.sa_flags & SA_SIGINFO)
        earlier.sa_sigaction(number, info, context);
    else if (earlier.sa_handler != SIG_DFL && earlier.sa_handler != SIG_IGN)
        earlier.sa_handler(number);
    else
        signal(number, SIG_DFL);  // the instruction is tried again and ends the program
}

static void on_fault(int number, siginfo_t *info, void *context) {
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)regs[REG_RIP];
    // CPUID faults as a general protection fault (no address); only then may the code be read.
    if (info->si_code != SI_KERNEL || code[0] != 0x0f || code[1] != 0xa2) {
        pass_on(number, info, context);
        return;
    }
    unsigned leaf = (unsigned)regs[REG_RAX], sub = (unsigned)regs[REG_RCX], answer[4];
    set_faulting(0);
    __cpuid_count(leaf, sub, answer[EAX], answer[EBX], answer[ECX], answer[EDX]);
    set_faulting(1);
    take_away(leaf, sub, answer);
    regs[REG_RAX] = answer[EAX];
    regs[REG_RBX] = answer[EBX];
    regs[REG_RCX] = answer[ECX];
    regs[REG_RDX] = answer[EDX];
    regs[REG_RIP] += 2;
}

static void give_up(const char *why) {
    fprintf(stderr, "cpumask: %s\n", why);
    _exit(STATUS_NO_MASK);
}

// The proof that it works: the richest leaf is asked for directly and through the fault.
static int took_effect(void) {
    unsigned before[4], after[4];
    set_faulting(0);
    __cpuid_count(7, 0, before[EAX], before[EBX], before[ECX], before[EDX]);
    set_faulting(1);
    __cpuid_count(7, 0, after[EAX], after[EBX], after[ECX], after[EDX]);
    take_away(7, 0, before);
    return !memcmp(before, after, sizeof before);
}

__attribute__((constructor)) static void start(void) {
    const char *name = getenv("CPUMASK");
    if (!name || !*name) return;
    level = SSE42;
    while (level < BEYOND && strcmp(name, level_names[level])) level++;
    if (level == BEYOND) give_up("CPUMASK must be avx512, avx2, avx or sse42");
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    action.sa_sigaction = on_fault;
    sigaction(SIGSEGV, &action, &earlier);
    if (set_faulting(1)) give_up("this CPU or kernel cannot make CPUID fault");
    if (!took_effect()) give_up("the mask does not take effect here");
}
