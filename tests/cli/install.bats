#!/usr/bin/env bats
# What `cmake --install` lays down can be found and linked by others: pkg-config and find_package(nepenthe).

setup_file() {
    export CMAKE_GENERATOR=Ninja # what the build itself needs; make may be absent
    export PREFIX="$BATS_FILE_TMPDIR/prefix"
    BUILD=$(dirname "$NEPENTHE")
    cmake --install "$BUILD" --prefix "$PREFIX" > "$BATS_FILE_TMPDIR/install.log"
}

@test "the installed program runs and finds its tables" {
    "$PREFIX/bin/nepenthe" version
    [ -f "$PREFIX/share/nepenthe/data/geometry_schematic.tsv" ]
    [ -f "$PREFIX/share/man/man1/nepenthe.1" ]
}

@test "pkg-config: a C program compiles, links and runs" {
    cat > "$BATS_TEST_TMPDIR/user.c" <<'C'
#include <nepenthe/core.h>
#include <stdio.h>
int main(void)
{
    nep_ctx *ctx = NULL;
    if (nep_ctx_create(NULL, &ctx) != NEP_OK)
        return 1;
    printf("%08x\n", (unsigned)nep_philox_u32(0, 0, 0));
    nep_ctx_free(ctx);
    return 0;
}
C
    pc=$(dirname "$(find "$PREFIX" -name nepenthe.pc)")
    flags=$(PKG_CONFIG_PATH="$pc" pkg-config --define-prefix --cflags --libs nepenthe)
    # the .pc holds the prefix of the build; --define-prefix moves it to where it lies
    cc "$BATS_TEST_TMPDIR/user.c" -o "$BATS_TEST_TMPDIR/user" $flags -I"$PREFIX/include" -L"$(dirname "$pc")"
    [ "$("$BATS_TEST_TMPDIR/user")" = "6627e8d5" ]
}

@test "find_package(nepenthe): a CMake project configures, builds and runs" {
    mkdir "$BATS_TEST_TMPDIR/project"
    cat > "$BATS_TEST_TMPDIR/project/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.20)
project(user LANGUAGES C)
find_package(nepenthe 0.1 REQUIRED)
add_executable(user user.c)
target_link_libraries(user nepenthe::nepenthe)
C
    printf '#include <nepenthe/core.h>\n#include <stdio.h>\nint main(void) { puts(nep_status_symbol(NEP_E_TRUNCATED)); return 0; }\n' \
        > "$BATS_TEST_TMPDIR/project/user.c"
    cmake -S "$BATS_TEST_TMPDIR/project" -B "$BATS_TEST_TMPDIR/out" -DCMAKE_PREFIX_PATH="$PREFIX"
    cmake --build "$BATS_TEST_TMPDIR/out"
    [ "$("$BATS_TEST_TMPDIR/out/user")" = "TRUNCATED" ]
}
