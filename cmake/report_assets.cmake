# Style and script of reports are built in: where the assembler finds what src/report/assets.c includes. Names are
# relative, so that no path of this tree gets into the object.
set(report_folder ${CMAKE_SOURCE_DIR}/src/report)
set_source_files_properties(src/report/assets.c PROPERTIES
    COMPILE_OPTIONS "-Wa,-I${report_folder}"
    OBJECT_DEPENDS "${report_folder}/report.css;${report_folder}/report.js")
