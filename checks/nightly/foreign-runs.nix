# `boot run` runs programs of the other architectures.
{ foreignRuns, toolchain }:
toolchain.run "foreign-runs" { results = map (run: run.check) (builtins.attrValues foreignRuns); } (builtins.toFile "foreign-runs.sh" "cat $results >$out")
