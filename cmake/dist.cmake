# The program that `make dist` delivers (tools/dist; docs/decisions/0012-static-musl.md): static, over musl, with no
# path of this tree in it. Configured with CMAKE_C_COMPILER=musl-gcc.
set(CMAKE_C_FLAGS_RELEASE "-O2") # it gets stripped
add_compile_options(-ffile-prefix-map=${CMAKE_BINARY_DIR}=build -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)

# musl-gcc sees musl's headers only. The kernel's and zlib's are of no C library; they are shown to it one by one.
set(dist_include ${CMAKE_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${dist_include})
foreach(header linux asm asm-generic zlib.h zconf.h)
    unset(header_path CACHE)
    find_path(header_path ${header} PATHS /usr/include /usr/include/x86_64-linux-gnu NO_DEFAULT_PATH)
    if(NOT header_path)
        message(FATAL_ERROR "no ${header} below /usr/include: install linux-libc-dev and zlib1g-dev")
    endif()
    file(CREATE_LINK ${header_path}/${header} ${dist_include}/${header} SYMBOLIC)
endforeach()
unset(header_path CACHE)
set(ZLIB_INCLUDE ${dist_include} CACHE PATH "" FORCE)
find_library(ZLIB_LIBRARY NAMES libz.a REQUIRED PATHS /usr/lib/x86_64-linux-gnu) # never the shared one

# musl gives a thread 128 KB of stack where the program does not ask for more; 8 MB is what it has with glibc.
add_link_options(-static -Wl,-z,stack-size=8388608 -Wl,-z,noexecstack -Wl,--build-id=none)
