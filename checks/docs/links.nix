# Every link in a document to something in the repository leads there, to a heading, too; and README.md leads to every document.
{ repositoryFiles, toolchain }:
let
  inherit (builtins) attrNames concatMap concatStringsSep readDir toFile;
  # What is below a directory, by its path from there. Names only, so that a change in a file is no reason to look again.
  below = directory:
    let entries = readDir directory; in
    concatMap
      (name: [ name ] ++ (if entries.${name} == "directory" then map (path: "${name}/${path}") (below (directory + "/${name}")) else [ ]))
      (attrNames entries);
in
toolchain.run "links"
{
  documents = repositoryFiles "documents" [ "README.md" "CONTRIBUTING.md" "CHANGELOG.md" "docs" ];
  there = toFile "there" (concatStringsSep "\n" (below ../../.) + "\n");
  links = ./links.awk;
}
  (toFile "links.sh" ''
    cd $documents
    find . -name '*.md' | sed 's#^[.]/##' | sort | xargs awk -v there=$there -f $links >$out
    [ -s $out ]
  '')
