# The picture in docs/how-it-works.md is of the flake as it is.
{ graph, toolchain }:
toolchain.run "graph"
{
  inherit (graph) file;
  document = ../docs/how-it-works.md;
}
  (builtins.toFile "graph.sh" ''
    sed -n '/^```mermaid$/,/^```$/p' $document >shown
    diff shown $file || { echo "docs/how-it-works.md has (-), the flake has (+): nix run .#graph writes it anew"; exit 1; }
    cp $file $out
  '')
