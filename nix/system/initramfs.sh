# Packs what is in file $wordsPath, words for a shell, and the closures whose graphs Nix has written to the files $graphs.
words=$(cat "$wordsPath")
for graph in $graphs; do words="$words --closure $graph"; done
eval "packer create \$out --compress \$compress $words"
