#!/bin/sh
# Other flakes can use this one: each template works from `nix flake init` to the boot or to `cargo test`, the library's tests build or
# fail, and it explains wrong arguments.
#
# This is no check of the flake, because the sandbox has no Nix. .ci/run runs it. It needs root, and a store in which the checks have
# been built.
# shellcheck disable=SC2016 # what looks like a shell's is Nix's
set -eu

repository=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/cases.sh
. "$repository/tests/cases.sh"

# --- the templates ---

# Begins each case in an empty directory.
prepare() { rm -rf "$scratch/own"; mkdir "$scratch/own"; cd "$scratch/own"; }
run() { status=0; "$@" >>"$log" 2>&1 </dev/null || status=$?; }
own() { command=$1; shift; run nix "$command" --override-input simplest-linux "git+file://$repository" "$@"; }

# template NAME TEXT: a flake that starts from template NAME boots, says TEXT, and its check can fail.
template() {
  begin "template $1"
  run nix flake init -t "git+file://$repository#$1"; exits 0
  run git init -q; run git add -A
  own run .#boot -- --accel tcg --settle 0.5; exits 0; says "boot: saw \"$2\""
  own build --no-link .#checks.x86_64-linux.boot; exits 0
  sed -i 's/expect = "/expect = "not /' flake.nix
  own run .#boot -- --accel tcg --stall 5; exits 124; says "not $2"
  end
}
template no_std "Hello from my own PID 1!"
template std "Hello from std, as PID 1!"
template c "Hello from C!"

begin "template test"
run nix flake init -t "git+file://$repository#test"; exits 0
run git init -q; run git add -A
own build .#checks.x86_64-linux.test; exits 0
own build; exits 0
own develop --command cargo test; exits 0; says "test a_full_one_takes_no_more ... ok"
sed -i 's/StorageFull/NotFound/' tests/scratch.rs
own develop --command cargo test; exits 101; says "test a_full_one_takes_no_more ... FAILED"
own build --print-build-logs .#checks.x86_64-linux.test; exits 1; says "left: StorageFull"
end

begin "lib.mkTest in a flake"
cat >flake.nix <<'NIX'
{
  outputs = { simplest-linux, ... }:
    let lib = simplest-linux.lib.x86_64-linux; in
    {
      packages.x86_64-linux.default = lib.mkTest { script = "mkdir mnt; mount -t tmpfs mine mnt; grep mine /proc/mounts >$out"; };
      packages.x86_64-linux.wrong = lib.mkTest { script = "mkdir mnt; mount -t nonsense mine mnt"; };
    };
}
NIX
run git init -q; run git add -A
own build; exits 0
grep -q "^mine [^ ]*/mnt tmpfs" result || wrong "$(cat result)"
own build .#wrong; exits 1; says "mount: mounting mine on mnt failed"; says "test: exit status 255, and not 0"
end

copy_repository "$scratch/simplest-linux"
alone() { XDG_CACHE_HOME=$scratch/cache run unshare --net "$@"; }

begin "a template is started from a copy of the repository as docs/lib.md says, without a network"
alone nix flake init -t "$copy"; exits 0
alone nix flake lock --override-input simplest-linux "$copy"; exits 0
alone nix run . -- --accel tcg; exits 0; says 'boot: saw "Hello from my own PID 1!"'
alone nix flake check; exits 0
end

# locked URL: the lock names URL and this content, and no other place.
in_copy archive --prefix=simplest-linux/ HEAD | gzip >"$scratch/simplest-linux.tar.gz"
content() { XDG_CACHE_HOME=$scratch/cache unshare --net nix eval --impure --raw --expr "(builtins.getFlake \"$1\").$2" 2>>"$log"; }
locked() {
  [ "$(sed -n 's/^ *"\(url\|path\)": "\(.*\)",*$/\2/p' flake.lock | sort -u)" = "$1" ] || wrong "the lock names: $(grep -E '"(url|path)"' flake.lock)"
  [ "$(content "path:$PWD" inputs.simplest-linux.narHash)" = "$(content "git+file://$copy" narHash)" ] || wrong "it has another content"
  case $(content "path:$PWD" inputs.simplest-linux.narHash) in sha256-*) ;; *) wrong "it has no content" ;; esac
}

begin "or from an archive's address, and the lock names that"
alone nix flake init -t "file://$scratch/simplest-linux.tar.gz#c"; exits 0
alone nix flake lock --override-input simplest-linux "file://$scratch/simplest-linux.tar.gz"; exits 0
locked "file://$scratch/simplest-linux.tar.gz"
end

begin "or by a name in the registry, which takes an empty global one if there is no network"
named() { alone env HOME="$scratch/home" "$@" --option flake-registry "$copy/nix/registry.json"; exits 0; }
named nix registry add simplest-linux "git+file://$copy"
named nix flake init -t simplest-linux#c
named nix flake lock
locked "file://$copy"
end

# --- what others pass ---

begin "packages as those of nixpkgs: as files, in a text, and with their closures; and a thousand files"
cat >flake.nix <<'NIX'
{
  outputs = { simplest-linux, ... }:
    let
      lib = simplest-linux.lib.x86_64-linux;
      package = lib.mkCInit { src = builtins.toFile "init.c" "int main(void) { return 0; }"; };
      many = builtins.listToAttrs (builtins.genList (n: { name = "/many/${toString n}"; value.text = "text ${toString n}\n"; }) 1000);
    in
    {
      packages.x86_64-linux.default = lib.mkInitramfs {
        init = "${package}/bin/init";
        files = many // { "/file" = "${package}/bin/init"; "/etc/start".text = "exec ${package}/bin/init\n"; };
        closures = [ package ];
        compress = "none";
      };
      package = package.outPath;
    };
}
NIX
run git init -q; run git add -A
own build; exits 0
package=$(nix eval --raw --override-input simplest-linux "git+file://$repository" .#package 2>>"$log")
for part in "exec $package/bin/init" "text 999" "${package#/}/bin/init"; do grep -aqF "$part" result || wrong "$part is not in it"; done
end

# --- names ---

begin "sources with blanks in their names"
mkdir "my files"
echo 'int main(void) { write(1, TEXT, sizeof TEXT - 1); for (;;) my_syscall0(__NR_pause); }' >"my init.c"
echo note >"my files/.a note"
cat >flake.nix <<'NIX'
{
  outputs = { simplest-linux, ... }:
    let lib = simplest-linux.lib.x86_64-linux; in
    {
      packages.x86_64-linux.default = lib.mkInitramfs {
        init = lib.mkCInit { src = ./. + "/my init.c"; flags = [ ''-DTEXT="it's a text\n"'' ]; };
        files."/my note" = ./. + "/my files/.a note";
        files."/more" = { tree = ./. + "/my files"; };
        compress = "none";
      };
    };
}
NIX
run git init -q; run git add -A
own build; exits 0
for part in "it's a text" "my note" "more/.a note"; do grep -aqF "$part" result || wrong "$part is not in it"; done
end

begin "a static program with glibc"
cat >flake.nix <<'NIX'
{
  outputs = { simplest-linux, ... }: {
    packages.x86_64-linux.default = simplest-linux.lib.x86_64-linux.mkCInit {
      src = builtins.toFile "init.c" "#include <stdio.h>\n#include <math.h>\nint main(int count, char **words) { printf(\"%.3f\\n\", sqrt(count + 1)); }";
      flags = [ "-lm" ];
      libc = "glibc";
    };
  };
}
NIX
run git init -q; run git add -A
own build; exits 0
[ "$(result/bin/init)" = 1.414 ] || wrong "$(result/bin/init)"
end

# --- the table of a flake's checks ---

begin "ci: a check that fails and one that passes, as a table, JUnit's XML and annotations for GitHub"
cat >flake.nix <<'NIX'
{
  outputs = { simplest-linux, ... }:
    let check = name: script: simplest-linux.lib.x86_64-linux.mkTest { inherit name script; }; in
    { checks.x86_64-linux = { good = check "good" "echo fine"; bad = check "bad" "echo '<50 % & more>'; exit 3"; }; };
}
NIX
run git init -q; run git add -A
run nix flake lock --override-input simplest-linux "git+file://$repository"
GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/summary run nix run "git+file://$repository#ci" -- \
  --test 'more=echo more than checks; exit 4' --test own=true --junit junit.xml
exits 1
says "checks: 3 passed, 2 failed"; says "more than checks"
says "::error title=check bad failed::"; says "<50 %25 & more>"
grep -q '^  <testcase name="good" time="[0-9]*"/>$' junit.xml || wrong "$(cat junit.xml)"
grep -qF '&lt;50 % &amp; more&gt;' junit.xml || wrong "$(cat junit.xml)"
grep -q '<testsuite .* tests="5" failures="2">' junit.xml || wrong "$(cat junit.xml)"
grep -q '^| bad | failed | ' summary || wrong "$(cat summary)"
run nix run "git+file://$repository#ci" -- --junit; exits 2; says "usage: ci"
end

# --- wrong arguments ---

# refused EXPRESSION WORDS: EXPRESSION, which uses `lib`, fails with an error that contains WORDS.
refused() {
  begin "$1"
  run nix eval --impure --expr "let lib = (builtins.getFlake \"git+file://$repository\").lib.x86_64-linux; in ($1).drvPath"
  [ "$status" != 0 ] || wrong "is taken"
  says "error: $2"
  end
}
prepare() { :; }
refused 'lib.mkKernel { fragment = [ ]; }' 'mkKernel: no argument `fragment`; it takes `fragments`, `src`, `target`'
refused 'lib.mkKernel { fragments = "smp"; }' 'mkKernel: argument `fragments` must be a list, each element a path'
refused 'lib.mkKernel { fragments = [ "nowhere" ]; }' 'mkKernel: no fragment `nowhere`; there are '
refused 'lib.mkKernel { target = "vax"; }' 'mkKernel: argument `target` must be one of `aarch64`, `riscv64`, `um`, `x86_64`; given: the string "vax"'
refused 'lib.mkInitramfs { }' 'mkInitramfs: argument `init` is missing: a path'
refused 'lib.mkInitramfs { init = 3; }' 'mkInitramfs: argument `init` must be a path, a derivation, or a string that is an absolute path; given: 3'
refused 'lib.mkInitramfs { init = /init; files.etc = /etc; }' 'mkInitramfs: files: `etc` is not an absolute path'
refused 'lib.mkInitramfs { init = /init; files."/a=b" = /etc; }' 'mkInitramfs: files: `/a=b` has a `=` in it'
refused 'lib.mkInitramfs { init = /init; files."/etc" = { }; }' 'mkInitramfs: files: `/etc` must be a path, or a set with one of '
refused 'lib.mkTest { }' 'mkTest: takes one of the arguments `program` and `script`'
refused 'lib.mkTest { program = lib.mkKernel { }; }' 'mkTest: argument `program` is a derivation without `meta.mainProgram`'
refused 'lib.mkTest { script = ""; status = 256; }' 'mkTest: argument `status` must be a whole number from 0 to 255; given: 256'
refused 'lib.mkTest { script = ""; target = "aarch64"; }' 'mkTest: argument `target` must be one of `um`, `x86_64`; given: the string "aarch64"'
refused 'lib.mkTest { script = ""; kernel = lib.mkKernel { fragments = [ "unpack" "run" ]; }; }' 'mkTest: argument `kernel` is for another target; make it with mkKernel { target = "um"; ... }'
refused 'lib.mkRustTest { }' 'mkRustTest: argument `src` is missing: a path'
refused 'lib.mkBootCheck { system = lib.mkKernel { }; }' 'mkBootCheck: argument `system` must be what mkSystem gives; given: a derivation'
refused 'lib.mkBootCheck "system"' 'mkBootCheck: takes a set of arguments; given: the string "system"'
refused 'lib.mkMatrix { kernels.k = /k; }' 'mkMatrix: takes one of the arguments `initramfs` and `commands`'
refused "lib.mkRustInit { src = $repository/nix/lint; }" "$repository/nix/lint: this package depends on crates; set the argument \`cratesHash\` to \"sha256-AAAA"
refused 'lib.mkMatrix { kernels = { }; initramfs = /init; }' 'mkMatrix: `kernels` and `machines` must not be empty'

summary downstream
