# `lib.mkTest` gives what a program makes or prints in its guest, and its build fails, with the reason, if the program ends in another way
# than it should. So does `lib.mkRustTest` if a test fails.
{ library, toolchain }:
let
  inherit (builtins) attrValues concatMap concatStringsSep elemAt mapAttrs;
  inherit (library.lib) mkTest mkRustTest;
  inherit (toolchain) busybox run textFile tools;

  # What succeeds, by name: the test, and the shell code that looks at its `result`.
  good = {
    # In the guest, root may do everything. Of that, Nix takes the contents, and whether a file may be executed.
    directory = {
      test.script = ''
        [ ! -e $out ]
        mkdir -p $out/deep/er "$out/a b"
        echo text >"$out/a b/*"
        printf '#!${busybox}/bin/busybox sh\necho it runs\n' >$out/deep/er/program
        chown 7:8 $out/deep/er/program
        chmod 4755 $out/deep/er/program
        ln -s ${busybox}/bin $out/link
        ln -s nowhere $out/dangling
        : >$out/secret
        chmod 0 $out/secret
        chmod 555 $out/deep/er $out/deep
        echo "this is not in it"
      '';
      look = ''
        [ "$(cat "$result/a b/*")" = text ]
        [ "$($result/deep/er/program)" = "it runs" ]
        [ "$(readlink $result/link)" = ${busybox}/bin ]
        [ "$(readlink $result/dangling)" = nowhere ]
        [ -f $result/secret ]
        [ "$(find $result | wc -l)" = 9 ]
      '';
    };
    file = {
      test.script = "mkdir mnt; mount -t tmpfs none mnt; echo $out >mnt/file; cp mnt/file $out";
      look = ''[ "$(cat $result)" = "$result" ]'';
    };
    # Only this refers to the text, so Nix has found the reference.
    reference = {
      test.script = "ln -s ${textFile "text" "${tools}"} $out";
      look = ''[ "$(cat $result)" = ${tools} ]'';
    };
    nothing = {
      test = { program = "${tools}/bin/printf"; args = [ ''%s\n'' "it's" "a  b" "" "$out" ]; };
      look = ''[ "$(tr '\n' , <$result)" = "it's,a  b,,\$out," ]'';
    };
    surroundings = {
      test = { script = ''echo "$A,$PATH,$(id -u),$#,$1,$(ls)"; env''; args = [ "x y" ]; env = { A = "it's"; PATH = "${busybox}/bin:${tools}/bin"; }; };
      look = ''
        head -n 1 $result | grep -qxF "it's,${busybox}/bin:${tools}/bin,0,1,x y,"
        if grep -E '^(command|run|status|wanted|share)=' $result; then exit 1; fi
      '';
    };
    status = {
      test = { script = "echo out >$out; exit 7"; status = 7; };
      look = ''[ "$(cat $result)" = out ]'';
    };
    signal = {
      test = { script = "kill -11 $$"; status = 139; };
      look = ''[ ! -s $result ]'';
    };
    panic = {
      test = { script = "poweroff -f; sleep 100"; status = 250; };
      look = ''[ ! -s $result ]'';
    };
    program = {
      test.program = toolchain.program "hello" "echo hello\n" // { meta.mainProgram = "hello"; };
      look = ''[ "$(cat $result)" = hello ]'';
    };
  };

  # What must not build, and what is said.
  bad = {
    status = { test.script = "echo this is why >&2; exit 3"; says = [ "this is why" "test: exit status 3, and not 0" ]; };
    success = { test = { name = "mine"; script = "true"; status = 3; }; says = [ "mine: exit status 0, and not 3" ]; };
    missing = { test.program = "${tools}/bin/no-such-program"; says = [ "${tools}/bin/no-such-program: not found" "test: exit status 127, and not 0" ]; };
    timeout = { test = { script = "sleep 100"; timeout = 3; }; says = [ "boot: the program did not end within the 3 s of --timeout" ]; };
    powers_off = { test.script = "sleep 0.3; poweroff -f; sleep 100"; says = [ "boot: the guest was switched off before the program ended" "exit status 250" ]; };
    # A file of sysfs is shorter than it says. tar's status 1 is not mistaken for the program's.
    unreadable = { test = { script = ": >$out; mount -o bind /sys/class/net/lo/mtu $out; exit 1"; status = 1; }; says = [ "test: the guest could not pass on" ]; };
    kernel = { test = { script = "true"; kernel = toolchain.textFile "kernel" "no kernel"; }; says = [ "cannot use it as the kernel" ]; };
  };

  # The template, with room for one file more than its test wants.
  wrongCrate = run "wrong-crate" { src = ../../templates/test; } (builtins.toFile "wrong-crate.sh" ''
    cp -r $src $out
    chmod -R u+w $out
    sed -i 's/64 [*] 1024/128 * 1024/' $out/tests/scratch.rs
  '');
  badRust = {
    test = {
      test.src = wrongCrate;
      says = [ "test a_full_one_takes_no_more ... FAILED" "called `Result::unwrap_err()` on an `Ok` value" "test nothing_of_it_stays ... ok" ];
    };
  };

  ofTarget = target:
    let
      build = function: test: function ({ inherit target; } // test);
      # A derivation that builds if that of the test does not: it runs the same builder with the same variables.
      refused = function: { test, says }:
        let attributes = (build function test).drvAttrs; in
        run attributes.name
          (removeAttrs attributes [ "args" "builder" "system" ] // {
            builderScript = elemAt attributes.args 1;
            says = concatStringsSep "\n" says + "\n";
            passAsFile = [ "says" ];
          })
          (builtins.toFile "refused.sh" ''
            result=$out
            export out=$NIX_BUILD_TOP/result
            if sh -e $builderScript >log 2>&1; then cat log; echo "it builds"; exit 1; fi
            while IFS= read -r line; do grep -F -e "$line" log || { cat log; echo "it does not say: $line"; exit 1; }; done <$saysPath
            [ ! -e $out ]
            cp log $result
          '');
      looked = name: { test, look }: run "looked-${name}" { result = build mkTest test; inherit look; } (builtins.toFile "looked.sh" ''
        sh -e -c "$look" || { echo "$result is not as it should be:"; ls -lR $result; cat $result; exit 1; }
        touch $out
      '');
    in
    attrValues (mapAttrs looked good) ++ map (refused mkTest) (attrValues bad) ++ map (refused mkRustTest) (attrValues badRust);
in
run "mk-test"
{
  results = concatMap ofTarget [ "um" "x86_64" ];
}
  (builtins.toFile "mk-test.sh" "for result in $results; do cat $result; done | tee $out")
