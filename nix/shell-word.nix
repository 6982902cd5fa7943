# TEXT as one word of a POSIX shell.
text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'"
