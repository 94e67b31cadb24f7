// Style and script of the page, report.css and report.js beside this file: the assembler puts their bytes between two
// symbols (cmake/report_assets.cmake tells it where they are).
#include "report/parts.h"

#define ASSET(name, file)                                                                                              \
    __asm__(".pushsection .rodata\n.globl report_" #name "\n.hidden report_" #name "\nreport_" #name ":\n"             \
            ".incbin \"" file "\"\n"                                                                                   \
            ".globl report_" #name "_end\n.hidden report_" #name "_end\nreport_" #name                                 \
            "_end:\n.byte 0\n.popsection\n");                                                                          \
    extern const char report_##name[] __attribute__((visibility("hidden")));                                           \
    extern const char report_##name##_end[] __attribute__((visibility("hidden")));
ASSET(style, "report.css")
ASSET(script, "report.js")
#undef ASSET

Asset asset_style(void) { return (Asset){report_style, report_style_end}; }
Asset asset_script(void) { return (Asset){report_script, report_script_end}; }
