// Makes a program believe that it runs on an older x86 CPU, so that other engines can be measured as they would
// run on a clinic's PC.
//
//   cc -O2 -shared -fPIC -Wl,-z,now -o libcpumask.so bench/cpumask.c
//   CPUMASK=avx2 LD_AUDIT=./libcpumask.so PROGRAM       avx512 (no AMX) | avx2 | avx | sse42
//   CPUMASK_LOG=FILE      a line "cpuid PID LIBRARY" when a library first asks (and "site LIBRARY OFFSET" below)
//   CPUMASK_HOW=fault|patch      one of the two ways only
//
//   CPUMASK_LOG=FILE            lines "cpuid LIBRARY" when a library first asks, "site LIBRARY ADDRESS" for each CPUID
//   CPUMASK_HOW=fault|patch     one of the two ways only
//
// How: programs learn what a CPU can do from the CPUID instruction. It is made to trap; a signal handler runs it, takes
// the newer instruction sets out of the answer, and goes on behind it. Two ways to make it trap:
//
//   fault   Linux makes it fault (arch_prctl ARCH_SET_CPUID), on CPUs with "cpuid_fault" in /proc/cpuinfo; new threads
//           inherit it, exec clears it. It arrives as SIGSEGV.
//   patch   Elsewhere each CPUID is replaced, in memory, by an instruction of its length that does not exist (UD2:
//           SIGILL). The dynamic loader tells an audit library of each object when it is mapped, before any of its code
//           has run (IFUNC resolvers, constructors). The bytes 0F A2 inside of other instructions must stay: each
//           function that has them is decoded from its start, which the unwind table (.eh_frame_hdr) tells.
//
// What it cannot hide: XGETBV (who finds no OSXSAVE in CPUID must not ask it), /proc/cpuinfo, what the dynamic loader
// has asked itself (glibc's own memcpy, exp, ...: GLIBC_TUNABLES is for them, see versus.py), programs that are linked
// statically, and, with `patch`, a CPUID in code that is made at run time. A program that replaces the signal's handler
// or blocks it crashes at its next CPUID.
// A mask that does not take effect, and bytes of which it can't be said whether they are a CPUID, end the program with
// status 78: a figure without its mask would be a lie. But a library that the loader can't load it ignores, with a
// warning: who measures looks in the log for the library that is measured.
#define _GNU_SOURCE
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "x86_length.h"

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

static void give_up(const char *why, const char *where) {
    fprintf(stderr, "cpumask: %s%s%s\n", why, *where ? ": " : "", where);
    _exit(STATUS_NO_MASK);
}

// ---- the log ------------------------------------------------------------------------------------------------

// Objects (program and libraries), each with its code, and the patched instructions. Both only grow, so that the
// handler can read them while another thread loads a library. Where a library was unloaded its entries have no address.
enum { MAX_OBJECTS = 4096, MAX_SITES = 16384 };
static struct object {
    const char *question; // its line for the log
    _Atomic(const uint8_t *) code, end;
    atomic_int asked;
} objects[MAX_OBJECTS];
static _Atomic(uint8_t *) sites[MAX_SITES];
static atomic_int object_count, site_count;
static int log_file = -1;

static void log_text(const char *text) {
    const size_t length = strlen(text);
    if (log_file >= 0 && write(log_file, text, length) != (ssize_t)length) _exit(STATUS_NO_MASK);
}

static void log_question(const uint8_t *code) {
    const int saved = errno;
    for (int i = object_count; i-- > 0;)
        if (objects[i].code <= code && code < objects[i].end) {
            if (!atomic_exchange(&objects[i].asked, 1)) log_text(objects[i].question);
            break;
        }
    errno = saved;
}

// ---- the traps ----------------------------------------------------------------------------------------------

static struct sigaction earlier;
static int active, faulting, patching;

// Not ours: hand a real fault to whoever was there before, or let it kill the program.
static void pass_on(int number, siginfo_t *info, void *context) {
    if (earlier.sa_flags & SA_SIGINFO)
        earlier.sa_sigaction(number, info, context);
    else if (earlier.sa_handler != SIG_DFL && earlier.sa_handler != SIG_IGN)
        earlier.sa_handler(number);
    else
        signal(number, SIG_DFL);  // the instruction is tried again and ends the program
}

static int is_cpuid(const uint8_t *code) { return code[0] == 0x0f && code[1] == 0xa2; }

static int is_site(const uint8_t *code) {
    for (int i = site_count; i-- > 0;)
        if (sites[i] == code) return 1;
    return 0;
}

static void on_trap(int number, siginfo_t *info, void *context) {
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *code = (const uint8_t *)regs[REG_RIP];
    // CPUID faults as a general protection fault (no address); only then may the code be read.
    if (patching ? !is_site(code) : info->si_code != SI_KERNEL || !is_cpuid(code)) {
        pass_on(number, info, context);
        return;
    }
    unsigned leaf = (unsigned)regs[REG_RAX], sub = (unsigned)regs[REG_RCX], answer[4];
    if (!patching) set_faulting(0);
    __cpuid_count(leaf, sub, answer[EAX], answer[EBX], answer[ECX], answer[EDX]);
    if (!patching) set_faulting(1);
    take_away(leaf, sub, answer);
    regs[REG_RAX] = answer[EAX];
    regs[REG_RBX] = answer[EBX];
    regs[REG_RCX] = answer[ECX];
    regs[REG_RDX] = answer[EDX];
    regs[REG_RIP] += 2;
    log_question(code);
}

static void handle(int number) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    action.sa_sigaction = on_trap;
    sigaction(number, &action, &earlier);
}

// A function with one CPUID: the richest leaf, into four words.
void cpumask_probe(unsigned answer[4]);
extern const uint8_t cpumask_probe_end[];
__asm__(".text\n"
        ".hidden cpumask_probe, cpumask_probe_end\n"
        "cpumask_probe:\n"
        "    push %rbx\n"
        "    mov $7, %eax\n"
        "    xor %ecx, %ecx\n"
        "    cpuid\n"
        "    mov %eax, (%rdi)\n"
        "    mov %ebx, 4(%rdi)\n"
        "    mov %ecx, 8(%rdi)\n"
        "    mov %edx, 12(%rdi)\n"
        "    pop %rbx\n"
        "    ret\n"
        "cpumask_probe_end:\n");

// The proof that it works: the richest leaf is asked for directly and through the trap.
static int took_effect(void) {
    unsigned before[4], after[4];
    if (!patching) set_faulting(0);
    __cpuid_count(7, 0, before[EAX], before[EBX], before[ECX], before[EDX]);
    if (!patching) set_faulting(1);
    cpumask_probe(after);
    take_away(7, 0, before);
    return !memcmp(before, after, sizeof before);
}

// ---- patching -----------------------------------------------------------------------------------------------

// Replaces the CPUID at `code` by UD2.
static void patch(uint8_t *code, const char *name) {
    const long page = sysconf(_SC_PAGESIZE);
    uint8_t *first = code - (uintptr_t)code % (uintptr_t)page;
    const size_t bytes = (size_t)(code + 2 - first);
    if (site_count == MAX_SITES) give_up("too many CPUID instructions", name);
    sites[site_count] = code;
    site_count++;
    if (mprotect(first, bytes, PROT_READ | PROT_WRITE | PROT_EXEC)) give_up("code can't be made writable", name);
    code[1] = 0x0b;
    if (mprotect(first, bytes, PROT_READ | PROT_EXEC)) give_up("code can't be protected again", name);
}

// The start of the function around `code`; NULL where the table does not know. The table (.eh_frame_hdr): a head of 12
// bytes, then pairs (start of a function, its entry in .eh_frame), sorted, both 32 bits relative to the head.
static const uint8_t *find_function(const uint8_t *table, const uint8_t *code) {
    if (!table || table[0] != 1 || table[2] != 0x03 || table[3] != 0x3b) return NULL; // the forms that linkers write
    const int32_t *pairs = (const int32_t *)(table + 12);
    const int64_t place = code - table;
    uint32_t low = 0, high; // the last start at or before `code` is in [low, high)
    memcpy(&high, table + 8, sizeof high);
    if (!high || pairs[0] > place) return NULL;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (pairs[2 * middle] <= place) low = middle;
        else high = middle;
    }
    const uint8_t *start = table + pairs[2 * low], *entry = table + pairs[2 * low + 1];
    int32_t words[4]; // of the entry: its length, CIE, start of the function (relative to this word), bytes of code
    memcpy(words, entry, sizeof words);
    return entry + 8 + words[2] == start && code < start + (uint32_t)words[3] ? start : NULL;
}

enum verdict { NO_CPUID, CPUID, UNKNOWN };

// Whether a walk over the instructions from `start` comes upon `code`.
static enum verdict decode_until(const uint8_t *start, const uint8_t *code) {
    while (start < code) {
        const int length = x86_length(start);
        if (!length) return UNKNOWN;
        start += length;
    }
    return start == code ? CPUID : NO_CPUID;
}

// The same where no table tells of a start (assembly without unwind information): walks from 64 places before it, most
// of which soon fall into the step of the instructions, must all say the same. `from`: where the code begins.
static enum verdict decode_from_many(const uint8_t *from, const uint8_t *code) {
    enum { NEAREST = 64, STARTS = 64, ENOUGH = 40 };
    int count[3] = {0};
    for (int i = 0; i < STARTS; i++)
        if (code - NEAREST - i >= from) count[decode_until(code - NEAREST - i, code)]++;
        else count[UNKNOWN]++;
    if (count[UNKNOWN] == STARTS && code - NEAREST - STARTS > from) return NO_CPUID; // data: no walk gets through it
    if (count[CPUID] >= ENOUGH && !count[NO_CPUID]) return CPUID;
    return count[NO_CPUID] >= ENOUGH && !count[CPUID] ? NO_CPUID : UNKNOWN;
}

// All CPUIDs of the `bytes` of code at `from`, of the object whose file's address 0 lies at `base`.
static void patch_code(const char *name, const uint8_t *base, const uint8_t *table, const uint8_t *const from,
                       size_t bytes) {
    const uint8_t *const end = from + bytes, *code = from;
    for (; (code = memmem(code, (size_t)(end - code), "\x0f\xa2", 2)); code += 2) {
        const uint8_t *start = find_function(table, code);
        enum verdict verdict = start ? decode_until(start, code) : UNKNOWN;
        if (verdict == UNKNOWN) verdict = decode_from_many(from, code);
        if (verdict == UNKNOWN) give_up("is there a CPUID or not", name);
        if (verdict == NO_CPUID) continue;
        patch((uint8_t *)code, name);
        if (log_file >= 0) dprintf(log_file, "site %s %lx\n", name, (unsigned long)(code - base));
    }
}

// ---- the loader's calls (rtld-audit(7)) -------------------------------------------------------------------------

static void read_at(int file, void *to, size_t bytes, uint64_t at, const char *name) {
    if (pread(file, to, bytes, (off_t)at) != (ssize_t)bytes) give_up("can't be read", name);
}

// Finds an object's code and its unwind table by its file, and patches it.
static void read_object(struct object *object, const char *path, const uint8_t *base) {
    Elf64_Ehdr head;
    Elf64_Phdr segment;
    Elf64_Shdr section;
    const uint8_t *table = NULL;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    read_at(file, &head, sizeof head, 0, path);
    for (unsigned i = 0; i < head.e_phnum; i++) {
        read_at(file, &segment, sizeof segment, head.e_phoff + i * sizeof segment, path);
        if (segment.p_type == PT_GNU_EH_FRAME) table = base + segment.p_vaddr;
        if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X)) continue;
        const uint8_t *code = base + segment.p_vaddr, *end = code + segment.p_memsz;
        if (!object->code || code < object->code) object->code = code;
        if (end > object->end) object->end = end;
    }
    // Segments hold data beside code, some hundreds of megabytes of it: sections tell what is code.
    for (unsigned i = 0; patching && i < head.e_shnum; i++) {
        read_at(file, &section, sizeof section, head.e_shoff + i * sizeof section, path);
        if (section.sh_flags & SHF_EXECINSTR && section.sh_type == SHT_PROGBITS)
            patch_code(path, base, table, base + section.sh_addr, section.sh_size);
    }
    if (patching && !head.e_shnum) give_up("has no table of sections", path);
    close(file);
}

unsigned la_objopen(struct link_map *map, Lmid_t namespace, uintptr_t *cookie) {
    (void)namespace;
    const char *name = *map->l_name ? map->l_name : "/proc/self/exe";
    const uint8_t *base = (const uint8_t *)map->l_addr;
    if (!active || !strncmp(name, "linux-vdso", 10)) return 0;
    if (object_count == MAX_OBJECTS) give_up("too many libraries", name);
    struct object *object = &objects[object_count];
    char *question;
    if (asprintf(&question, "cpuid %s\n", name) < 0) give_up("no memory", name);
    object->question = question;
    read_object(object, name, base);
    *cookie = (uintptr_t)object;
    object_count++;
    return 0;
}

unsigned la_objclose(uintptr_t *cookie) {
    struct object *object = (struct object *)*cookie;
    if (object < objects || object >= objects + MAX_OBJECTS) return 0; // the vdso
    for (int i = site_count; i-- > 0;)
        if (sites[i] >= object->code && sites[i] < object->end) sites[i] = NULL;
    object->code = object->end = NULL;
    return 0;
}

// The first call, behind start().
unsigned la_version(unsigned version) {
    (void)version;
    if (!active || faulting) return LAV_CURRENT;
    patching = 1;
    handle(SIGILL);
    uint8_t *code =
        memmem((void *)cpumask_probe, (size_t)(cpumask_probe_end - (uint8_t *)cpumask_probe), "\x0f\xa2", 2);
    if (!code || decode_until((uint8_t *)cpumask_probe, code) != CPUID) give_up("cannot decode its own code", "");
    patch(code, "cpumask");
    if (!took_effect()) give_up("the mask does not take effect here", "");
    return LAV_CURRENT;
}

static int wants(const char *how) {
    const char *wanted = getenv("CPUMASK_HOW");
    return !wanted || !strcmp(wanted, how);
}

__attribute__((constructor)) static void start(void) {
    const char *name = getenv("CPUMASK"), *log = getenv("CPUMASK_LOG"), *audit = getenv("LD_AUDIT");
    if (!name || !*name) return;
    level = SSE42;
    while (level < BEYOND && strcmp(name, level_names[level])) level++;
    if (level == BEYOND) give_up("CPUMASK must be avx512, avx2, avx or sse42", "");
    if (log && (log_file = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) < 0)
        give_up("cannot write the log", log);
    active = 1;
    faulting = wants("fault") && !set_faulting(1);
    if (faulting) {
        handle(SIGSEGV);
        if (!took_effect()) give_up("the mask does not take effect here", "");
    } else if (!wants("patch") || !audit || !*audit) {
        give_up("this CPU or kernel cannot make CPUID fault, and patching needs LD_AUDIT", "");
    }
}
