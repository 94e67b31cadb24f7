# What `stent demo` works on is built in: the list that src/app/demo_data.c includes, and where the assembler finds the
# files. Names are relative, so that no path of this tree gets into the object.
set(demo_folder ${CMAKE_SOURCE_DIR}/examples/phantom)
file(GLOB demo_files RELATIVE ${demo_folder} CONFIGURE_DEPENDS
    ${demo_folder}/*.onnx ${demo_folder}/*.json ${demo_folder}/volume/*.tif)
set(demo_list "")
set(demo_paths "")
set(demo_number 0)
foreach(file IN LISTS demo_files)
    string(APPEND demo_list "DEMO_FILE(${demo_number}, \"${file}\")\n")
    list(APPEND demo_paths ${demo_folder}/${file})
    math(EXPR demo_number "${demo_number} + 1")
endforeach()
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/generated/demo_files.def CONTENT "${demo_list}")
set_source_files_properties(src/app/demo_data.c PROPERTIES
    COMPILE_OPTIONS "-I${CMAKE_BINARY_DIR}/generated;-Wa,-I${demo_folder}"
    OBJECT_DEPENDS "${demo_paths};${CMAKE_BINARY_DIR}/generated/demo_files.def")
