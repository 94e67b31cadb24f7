# Which instruction-set level an instruction needs; reads `objdump -d -M intel --insn-width=16`. For tools/disassembly.
#
# Nothing is ignored: what stands in no list below is refused at every level. Whether an instruction is of the old
# form, VEX or EVEX is read from its bytes; the lists hold names without their v.
# Levels: 0 sse2 (x86-64 itself), 1 avx, 2 avx2, 3 avx512, 4 amx; 9: none.

function list(kind, text,    words, n, i) {
    n = split(text, words, " ")
    for (i = 1; i <= n; i++) known[kind, words[i]] = 1
}
# Names with their endings: each("padd", "b w d q").
function each(kind, stems, endings,    stem, ending, n, m, i, j) {
    n = split(stems, stem, " "); m = split(endings, ending, " ")
    for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) known[kind, stem[i] ending[j]] = 1
}

BEGIN {
    conditions = "a ae b be c e g ge l le na nae nb nbe nc ne ng nge nl nle no np ns nz o p pe po s z"
    # ---- x86-64 itself: integers and x87 ----
    list("old", "adc add and bsf bsr bswap bt btc btr bts call cbw cdq cdqe clc cld cmc cmp cmpxchg cmpxchg8b cpuid")
    list("old", "cqo cwd cwde dec div enter hlt idiv imul inc int3 jmp jecxz jrcxz lea leave loop loope loopne mov movabs")
    list("old", "movsx movsxd movzx mul neg nop not or pop popf push pushf rcl rcr rdtsc ret rol ror sal sar sbb shl")
    list("old", "shld shr shrd stc std sub syscall test ud2 xadd xchg xlat xor")
    each("old", "movs stos lods cmps scas", "b w d q"); list("old", "movs stos lods cmps scas")
    each("old", "j set cmov", conditions)
    list("old", "endbr64") # a NOP where it means nothing
    list("old", "tzcnt")   # compilers write it for ctz, of what is not 0: a CPU without it runs bsf, the same then
    each("old", "fadd fsub fsubr fmul fdiv fdivr", " p"); list("old", "fadd fsub fsubr fmul fdiv fdivr")
    list("old", "fld fst fstp fild fist fistp fiadd fisub fisubr fimul fidiv fidivr fchs fabs fsqrt frndint fprem")
    list("old", "fprem1 fscale fxch fcom fcomp fcompp fcomi fcomip fucom fucomp fucompp fucomi fucomip ftst fxam fxtract")
    list("old", "ficom ficomp f2xm1 fyl2x fyl2xp1 fpatan fptan fsin fcos fsincos fld1 fldz fldpi fldl2e fldl2t fldlg2 fldln2")
    list("old", "fnstcw fldcw fnstsw fnstenv fldenv fnclex fninit fwait ffree fnop fincstp fdecstp fnsave frstor emms")
    each("old", "fcmov", "b e be u nb ne nbe nu")
    list("old", "fxsave fxsave64 fxrstor fxrstor64 ldmxcsr stmxcsr pause lfence mfence sfence clflush movnti")
    each("old", "prefetch", "t0 t1 t2 nta")

    # ---- SSE and SSE2. "float" and "int" have VEX forms too; "mmx" has none ----
    each("float", "add sub mul div min max sqrt cmp", "ps pd ss sd")
    each("float", "and andn or xor unpckl unpckh shuf mova movu movh movl movmsk movnt", "ps pd")
    each("float", "comi ucomi mov", "ss sd")
    each("float", "rcp rsqrt", "ps ss")
    list("float", "movhlps movlhps cvtdq2ps cvtdq2pd cvtps2dq cvttps2dq cvtpd2dq cvttpd2dq cvtps2pd cvtpd2ps cvtss2sd")
    list("float", "cvtsd2ss cvtsi2ss cvtsi2sd cvtss2si cvttss2si cvtsd2si cvttsd2si")
    list("any", "movdqa movdqu movntdq") # integer names that AVX has for 256 bits already
    list("int", "movd movq maskmovdqu pand pandn por pxor pmaddwd psadbw pinsrw pextrw pmovmskb pshufd pshufhw pshuflw")
    each("int", "padd psub", "b w d q sb sw usb usw")
    each("int", "pmul", "lw hw huw udq"); each("int", "pavg", "b w"); each("int", "pmin pmax", "ub sw")
    each("int", "psll psrl", "w d q dq"); each("int", "psra", "w d"); each("int", "pcmpeq pcmpgt", "b w d")
    each("int", "pack", "sswb ssdw uswb"); each("int", "punpckl punpckh", "bw wd dq qdq")
    list("mmx", "movq2dq movdq2q maskmovq movntq pshufw cvtpi2ps cvtps2pi cvttps2pi cvtpi2pd cvtpd2pi cvttpd2pi")

    # ---- SSE3, SSSE3, SSE4.1, SSE4.2, POPCNT ----
    list("later", "popcnt crc32 fisttp")
    each("later float", "haddp hsubp addsubp", "s d"); list("later float", "movddup movshdup movsldup")
    each("later float", "blend blendv round", "ps pd"); each("later float", "round", "ss sd")
    list("later float", "dpps dppd extractps insertps")
    list("later any", "lddqu ptest")
    each("later int", "pabs", "b w d"); each("later int", "phadd phsub", "w d sw"); each("later int", "psign", "b w d")
    list("later int", "palignr pmaddubsw pmulhrsw pshufb movntdqa mpsadbw packusdw pblendvb pblendw pcmpeqq phminposuw")
    each("later int", "pextr pinsr", "b d q"); each("later int", "pmax pmin", "sb sd ud uw")
    each("later int", "pmovsx pmovzx", "bw bd bq wd wq dq")
    list("later int", "pmuldq pmulld pcmpestri pcmpestrm pcmpistri pcmpistrm pcmpgtq")

    # ---- AVX and AVX2 ----
    list("avx", "broadcastf128 insertf128 extractf128 perm2f128 permilps permilpd maskmovps maskmovpd testps testpd")
    list("avx", "zeroupper zeroall")
    each("avx2", "pbroadcast", "b w d q")
    list("avx2", "broadcasti128 inserti128 extracti128 perm2i128 permd permq permps permpd pblendd psravd")
    each("avx2", "psllv psrlv pmaskmov", "d q"); each("avx2", "gatherd gatherq", "ps pd")
    each("avx2", "pgatherd pgatherq", "d q")

    # ---- AVX-512 F, DQ, BW, VL: names that only EVEX has, and the old names that it takes over ----
    each("evex", "add sub mul div min max sqrt cmp", "ps pd ss sd")
    each("evex", "and andn or xor unpckl unpckh shuf mova movu movh movl movnt permil", "ps pd")
    each("evex", "comi ucomi mov broadcast", "ss sd")
    list("evex", "movhlps movlhps movddup movshdup movsldup extractps insertps movd movq movntdq movntdqa cvtph2ps")
    list("evex", "cvtps2ph cvtdq2ps cvtdq2pd cvtps2dq cvttps2dq cvtpd2dq cvttpd2dq cvtps2pd cvtpd2ps cvtss2sd cvtsd2ss")
    list("evex", "cvtsi2ss cvtsi2sd cvtss2si cvttss2si cvtsd2si cvttsd2si cvtudq2ps cvtudq2pd cvtusi2ss cvtusi2sd")
    each("evex", "cvtps2 cvttps2 cvtpd2 cvttpd2", "udq qq uqq"); each("evex", "cvtqq2 cvtuqq2", "ps pd")
    each("evex", "cvtss2 cvttss2 cvtsd2 cvttsd2", "usi")
    each("evex", "padd psub", "b w d q sb sw usb usw"); each("evex", "pmul", "lw hw huw udq dq ld lq hrsw")
    each("evex", "pavg", "b w"); each("evex", "pmin pmax", "ub uw ud uq sb sw sd sq"); each("evex", "pabs", "b w d q")
    each("evex", "psll psrl", "w d q dq"); each("evex", "psra", "w d q"); each("evex", "psllv psrlv psrav", "w d q")
    each("evex", "prol pror prolv prorv", "d q"); each("evex", "pack", "sswb ssdw uswb usdw")
    each("evex", "punpckl punpckh", "bw wd dq qdq"); each("evex", "pmovsx pmovzx", "bw bd bq wd wq dq")
    each("evex", "pextr pinsr", "b w d q")
    list("evex", "pmaddwd pmaddubsw psadbw pshufb pshufd pshufhw pshuflw palignr")
    each("evex", "pand pandn por pxor pternlog", "d q"); list("evex", "movdqa32 movdqa64")
    each("evex", "movdqu", "8 16 32 64"); each("evex", "pblendm ptestm ptestnm", "b w d q")
    each("evex", "blendm", "ps pd"); each("evex", "pbroadcast", "b w d q")
    each("evex", "pmovb2 pmovw2 pmovd2 pmovq2", "m"); each("evex", "pmovm2", "b w d q")
    each("evex", "pmov pmovs pmovus", "qb qw qd db dw wb"); each("evex", "align", "d q")
    each("evex", "perm permi2 permt2", "w d q ps pd")
    each("evex", "compress expand", "ps pd"); each("evex", "pcompress pexpand", "d q")
    each("evex", "gatherd gatherq scatterd scatterq", "ps pd")
    each("evex", "pgatherd pgatherq pscatterd pscatterq", "d q")
    each("evex", "insertf inserti extractf extracti", "32x4 64x2 32x8 64x4")
    each("evex", "broadcastf broadcasti", "32x2 32x4 64x2 32x8 64x4"); each("evex", "shuff shufi", "32x4 64x2")
    each("evex", "rcp14 rsqrt14 rndscale reduce range fixupimm getexp getmant scalef fpclass", "ps pd ss sd")
    list("evex", "dbpsadbw")
    each("mask", "kand kandn knot kor kxnor kxor kmov kadd kshiftl kshiftr ktest kortest", "b w d q")
    each("mask", "kunpck", "bw wd dq")

    # ---- AMX, and AVX-512 with bf16 ----
    list("tile", "ldtilecfg sttilecfg tilerelease tilezero tileloadd tileloaddt1 tilestored tdpbf16ps")
    list("bf16", "cvtne2ps2bf16 cvtneps2bf16 dpbf16ps")

    split("sse2 avx avx2 avx512 amx", level_names, " ")
    for (i = 1; i <= 5; i++) level_number[level_names[i]] = i - 1
}

# A comparison's predicate may stand in its name: cmpltps, vcmpnge_uqsd, vpcmpnequd.
function plain(name) {
    if (name ~ /^cmp[a-z_]+[ps][sd]$/ && name !~ /^cmps[dq]?$/) return "cmp" substr(name, length(name) - 1)
    return name
}
function fma(name) { return name ~ /^f(n?m(add|sub)|maddsub|msubadd)(132|213|231)[ps][sd]$/ }

function old_level(name, operands) {
    if (name == "pextrw" && operands ~ /\[/) return 1 # to memory: SSE4.1
    name = plain(name)
    if (("old", name) in known || ("float", name) in known || ("any", name) in known || ("int", name) in known ||
        ("mmx", name) in known) return 0
    if (("later", name) in known || ("later float", name) in known || ("later any", name) in known ||
        ("later int", name) in known) return 1
    return 9
}
function vex_level(name, operands,    base) {
    if (("mask", name) in known) return 3
    if (("tile", name) in known) return 4
    if (name !~ /^v/) return 9
    base = plain(substr(name, 2))
    if (base == "cvtph2ps" || base == "cvtps2ph") return 3 # F16C
    if (base == "broadcastss" || base == "broadcastsd") return operands ~ /\[/ ? 1 : 2
    if (("float", base) in known || ("later float", base) in known || ("any", base) in known ||
        ("later any", base) in known || ("avx", base) in known || base == "ldmxcsr" || base == "stmxcsr") return 1
    if (("int", base) in known || ("later int", base) in known) return operands ~ /ymm/ ? 2 : 1
    return ("avx2", base) in known || fma(base) ? 2 : 9
}
function evex_level(name,    base) {
    base = plain(substr(name, 2))
    if (name !~ /^v/) return 9
    if (("bf16", base) in known) return 4
    return ("evex", base) in known || fma(base) || base ~ /^pcmp(eq|lt|le|neq|nlt|nle|gt)?u?[bwdq]$/ ? 3 : 9
}

function level_of(bytes, name, operands) {
    while (bytes ~ /^(26|2e|36|3e|64|65|67) /) bytes = substr(bytes, 4)
    if (bytes ~ /^c[45] /) return vex_level(name, operands)
    if (bytes ~ /^62 /) return evex_level(name)
    return bytes ~ /^d5 / ? 9 : old_level(name, operands) # d5: REX2
}

# The level that the code may use: of an object its folder's, of a linked program its function's in the objects.
function allowed_here() {
    if (!linked) return object_level
    return name_of_function in function_level ? function_level[name_of_function] : 0
}
/^In archive / { archive = 1; next }
/file format/ {
    file = $1; sub(/:$/, "", file)
    object_level = 0; linked = file !~ /\.o$/
    if (match(file, /kernel-[a-z0-9]+\.dir\//)) object_level = level_number[substr(file, RSTART + 7, RLENGTH - 12)] + 0
    sub(/.*\.dir\//, "", file)
    files++
    next
}
/^[0-9a-f]+ <.*>:$/ {
    name_of_function = $2; gsub(/^<|>:$/, "", name_of_function)
    if (!linked && object_level > function_level[name_of_function] + 0) function_level[name_of_function] = object_level
    next
}
/^ *[0-9a-f]+:\t/ {
    split($0, part, "\t")
    text = part[3]
    while (text ~ /^(lock|rep|repz|repnz|data16|addr32|cs|ds|es|ss|fs|gs|notrack|bnd|rex[.WRXB]*) /)
        sub(/^[^ ]+ +/, "", text)
    name = text; sub(/ .*/, "", name)
    operands = substr(text, length(name) + 1); sub(/ *[#<].*/, "", operands)
    count++
    if (name == "tzcnt") tzcnt++
    if (name == "" ) next # a prefix by itself: the instruction follows
    # Guarded by OSXSAVE, which is asked first.
    if (name == "xgetbv" && (file ~ /^src\/machine\/cpuid\.c\.o$/ || (linked && name_of_function == "cpuid_read"))) next
    # SHA-256: the CPU is asked before that function is called.
    if (name ~ /^(sha256(rnds2|msg1|msg2)|pshufb|palignr|pblendw)$/ && name_of_function == "sha256_blocks_x86" &&
        (linked || file ~ /^src\/base\/sha256_x86\.c\.o$/)) next
    key = part[2] "\t" text
    if (!(key in needs)) needs[key] = level_of(part[2], name, operands)
    need = needs[key]
    if (need <= allowed_here()) next
    offences++
    if (offences <= 50)
        printf "%s: %s: %s: %s in code for %s\n", file, name_of_function, text,
            need == 9 ? "of no level" : "needs " level_names[need + 1], level_names[allowed_here() + 1]
}
END {
    if (offences > 50) printf "... and %d more\n", offences - 50
    if (!count) { print "disassembly: nothing was read"; exit 1 }
    printf "disassembly: %d instructions of %d files read, %d beyond their level, %d tzcnt (runs as bsf on old CPUs)\n",
        count, files, offences, tzcnt
    exit offences > 0
}
