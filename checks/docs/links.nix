# Every link from a document into the repository leads to a file or a heading, and README.md leads to every document.
{ repositoryFiles, toolchain }:
let
  inherit (builtins) attrNames concatMap concatStringsSep readDir toFile;
  # The paths of everything below a directory. Only names, so that a change inside a file does not run the check again.
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
