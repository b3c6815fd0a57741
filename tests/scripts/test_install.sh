#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The installed library: in a folder that was moved after the installation, with copies of the
# examples elsewhere, through pkg-config and find_package, static and shared, from C and C++.
. "$(dirname "$0")/cli_test.sh"
build=$(cd "$build" && pwd)
res2net=$build/res2net
source=$(cd "$here/../.." && pwd)

setting() { # setting NAME: a value of the build's cache
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt" | head -n 1
}
skip() {
    echo "SKIPPED: $*"
    exit 77
}
[ -z "$(setting RES2NET_SANITIZE)" ] || skip "a build with sanitizers is not for installing"
[ "$(setting RES2NET_SHARED)" = ON ] || skip "this build has no shared library"
command -v pkg-config >/dev/null || skip "pkg-config is not installed"
needs png embedded_model
cc=$(setting CMAKE_C_COMPILER)
cxx=$(setting CMAKE_CXX_COMPILER)
picture=$source/models/sample.png
strict="-Wall -Wextra -Werror -Wpedantic"

# ---- install, then move what was installed and the sources
expect 0 cmake --install "$build" --prefix "$work/first"
mkdir "$work/sources"
mv "$work/first" "$work/moved"
moved=$work/moved
cp "$source"/examples/classify_memory.c "$source"/examples/classify_memory.cpp "$work/sources"
cd "$work/sources" || exit 1
library=$(dirname "$(find "$moved" -name libres2net.a)")
pc=$library/pkgconfig

"$res2net" predict "$picture" --topk 1 --format json >answer.json
python3 - answer.json >wanted <<'END'
import json, struct, sys
best, = json.load(open(sys.argv[1]))[0]["top"]
score = struct.unpack("f", struct.pack("f", best["score"]))[0]
print(best["class_id"], best["label"], "%.9g" % score)
END
answers() { # answers PROGRAM NAME: it classifies the sample as predict does
    checks=$((checks + 1))
    "$1" <"$picture" >out 2>err || fail "$2: exit status $?: $(cat err)"
    is_same out wanted "$2 and predict"
    head -c 100 "$picture" >cut.png
    checks=$((checks + 1))
    status=0
    "$1" <cut.png >out 2>err || status=$?
    { [ "$status" -eq 3 ] && [ -s err ]; } || fail "$2: a cut picture: $status, $(cat err)"
}
needs_shared() { # needs_shared yes|no PROGRAM
    checks=$((checks + 1))
    found=no
    readelf -d "$2" | grep -q 'NEEDED.*libres2net' && found=yes
    [ "$found" = "$1" ] || fail "$2 needs the shared library: $found, not $1"
}

# ---- what is there
for file in bin/res2net include/res2net/res2net.h include/res2net/res2net.hpp \
    share/man/man1/res2net.1 share/man/man1/res2net-predict.1 share/man/man1/res2net-data-check.1 \
    share/bash-completion/completions/res2net share/zsh/site-functions/_res2net \
    share/fish/vendor_completions.d/res2net.fish share/doc/res2net/LICENSE; do
    checks=$((checks + 1))
    [ -s "$moved/$file" ] || fail "$file is not installed"
done
"$moved/bin/res2net" help | sed -n 's/^  \([a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' >verbs
checks=$((checks + 1))
[ "$(wc -l <verbs)" -ge 9 ] || fail "verbs: $(cat verbs)"
while read -r name; do
    checks=$((checks + 1))
    [ -s "$moved/share/man/man1/res2net-$(echo "$name" | tr ' ' -).1" ] || fail "no page of $name"
done <verbs
checks=$((checks + 1))
grep -rl "$work/first\|$build\|$source" "$moved/lib" "$moved/share" --include='*.pc' \
    --include='*.cmake' --include='*.1' >absolute && fail "paths of the build in $(cat absolute)"

checks=$((checks + 1)) # its threads outlive a dlclose()
readelf -d "$library/libres2net.so" | grep -q NODELETE || fail "the shared library can be unloaded"

# ---- pkg-config
export PKG_CONFIG_PATH="$pc"
version=$("$moved/bin/res2net" --version | cut -d' ' -f2)
checks=$((checks + 1))
[ "$(pkg-config --modversion res2net)" = "$version" ] || fail "res2net.pc is not of version $version"
checks=$((checks + 1))
case $(pkg-config --libs res2net) in
*jpeg* | *png* | *yaml*) fail "users of the shared library are told its own libraries" ;;
esac
# shellcheck disable=SC2046,SC2086 # one word a flag
{
    expect 0 "$cc" -std=c11 $strict classify_memory.c -o pc_shared $(pkg-config --cflags --libs res2net)
    needs_shared yes pc_shared
    LD_LIBRARY_PATH=$library answers ./pc_shared "pkg-config, shared"
    # As people do it who want this one library in their program.
    mkdir alone
    cp "$library/libres2net.a" alone
    expect 0 "$cc" -std=c11 $strict classify_memory.c -o pc_static $(pkg-config --cflags res2net) \
        -Lalone $(pkg-config --static --libs res2net | sed "s|-L${pc}[^ ]*||")
    needs_shared no pc_static
    answers ./pc_static "pkg-config, static"
    expect 0 "$cxx" -std=c++17 $strict classify_memory.cpp -o pc_cpp $(pkg-config --cflags --libs res2net)
    LD_LIBRARY_PATH=$library answers ./pc_cpp "pkg-config, C++17"
}

# ---- nothing shared at all, where the other libraries have archives
# shellcheck disable=SC2046,SC2086
if "$cc" -std=c11 $strict classify_memory.c -static -o all_static \
    $(pkg-config --static --cflags --libs res2net) 2>err; then
    answers ./all_static "everything static"
else
    echo "not tried: a program with nothing shared: $(head -n 1 err)"
fi

# ---- find_package
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.22)
project(consumer C CXX)
find_package(res2net 0.1 REQUIRED COMPONENTS static shared)
foreach(kind static shared res2net)
    add_executable(find_${kind} classify_memory.c)
    target_link_libraries(find_${kind} PRIVATE res2net::${kind})
endforeach()
add_executable(find_cpp classify_memory.cpp)
target_compile_features(find_cpp PRIVATE cxx_std_17)
target_link_libraries(find_cpp PRIVATE res2net::res2net)
END
configure() { # configure FOLDER ARGUMENT...
    folder=$1
    shift
    cmake -S . -B "$folder" -DCMAKE_PREFIX_PATH="$moved" -DCMAKE_C_COMPILER="$cc" \
        -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_C_FLAGS="$strict" -DCMAKE_CXX_FLAGS="$strict" "$@"
}
expect 0 configure found
expect 0 cmake --build found
needs_shared no found/find_static
for kind in shared res2net cpp; do
    needs_shared yes found/find_$kind
done
for kind in static shared res2net cpp; do
    answers found/find_$kind "find_package, $kind"
done
if grep -q '"jpeg": true' "$work/doctor.json"; then # without what the static one needs
    status=0
    configure lacking -DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON >"$work/out" 2>"$work/err" || status=$?
    checks=$((checks + 1))
    [ "$status" -ne 0 ] || fail "the static library was found without libjpeg"
    says "needs what is not found here: libjpeg"
    sed 's/static shared/shared/; s/foreach(kind .*/foreach(kind shared)/' CMakeLists.txt >shared.txt
    mkdir shared
    sed 's| classify_memory| ../classify_memory|' shared.txt >shared/CMakeLists.txt
    expect 0 cmake -S shared -B shared/build -DCMAKE_PREFIX_PATH="$moved" \
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON
fi
sed -i 's/ COMPONENTS static shared//; s/foreach(kind .*/foreach(kind res2net)/' CMakeLists.txt
expect 0 configure preferred -DBUILD_SHARED_LIBS=OFF
expect 0 cmake --build preferred
needs_shared no preferred/find_res2net
sed -i 's/res2net 0.1/res2net 0.2/' CMakeLists.txt
status=0
configure newer >"$work/out" 2>"$work/err" || status=$?
checks=$((checks + 1))
[ "$status" -ne 0 ] || fail "version 0.2 was found"

finish
