# Boots the example `attached` on $machine, in an empty directory, and compares the bytes on both sides.

head -c 1000000 /dev/urandom >bytes
mkdir given taken served
cp bytes given/
cp bytes served/
# Not a multiple of a page, and the second disk is the larger one.
head -c 66048 /dev/urandom >first
head -c 1000448 /dev/urandom >second
cp first first.before
cp second second.before
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }

httpd -f -p 127.0.0.1:8081 -h served &
server=$!
# The guest has a page as soon as its own server runs.
{
  until wget -q -O page http://127.0.0.1:8080/page; do sleep 0.2; done
  echo 'the host has the page' >taken/done
} 2>/dev/null &
reader=$!
trap 'kill $server $reader 2>/dev/null || :' EXIT

boot --accel tcg --machine "$machine" \
  --net --forward 8080:80 --disk first --disk second:rw --share given --share taken:out:rw \
  --timeout 300 --log console </dev/null
wait "$reader"

# What the guest has read, and what it has written.
grep "^first disk: $(sum first)" console
grep "^second disk: $(sum second.before)" console
grep "^share: $(sum bytes)" console
grep "^network: $(sum bytes)" console
grep '^share: it cannot be changed' console
[ "$(cat page)" = 'a page of the guest' ]
cmp bytes taken/bytes
# Only the second disk keeps what the guest wrote to both.
cmp first first.before
[ "$(head -c 12 second)" = 'by the guest' ]
[ "$(wc -c <second)" = 1000448 ]
