# The same guest gets the same verdict, each time: guests that write the expected text, and what becomes of them then.
# For a script that sets `times` and `jobs`, has `boot` and `packer` in PATH, and sources this and broken/make.sh.

# Boots a guest of that init so often. Each time, boot has to say SENTENCE, or if there is none, that all is well.
# guest NAME INIT SENTENCE [OPTION...]
guest() {
  name=$1 sentence=$3
  compile "$2"
  pack init
  shift 3
  code=0
  boot --accel tcg --initrd initramfs --timeout 600 --repeat "$times" --jobs "$jobs" "$@" </dev/null >/dev/null 2>words || code=$?
  echo "$name: $(tail -n 1 words)"
  said=$(grep -c "^boot: number [0-9]*: ${sentence:-.}" words || true)
  expected="1 $times"
  [ -n "$sentence" ] || expected="0 0"
  [ "$code $said" = "$expected" ] || wrong "exit code $code, and $said of $times times: ${sentence:-a failure}"
}
wrong() { echo "  WRONG: $*"; head -n 20 words; failed=true; }

text='print("Hello, world!\n")'
failed=
guest returns "$text; exit(1)" "init exited with status 1: PID 1 must never exit"
guest "works, and returns" "$text; for (volatile int i = 0; i < 2000000; i++); exit(2)" "init exited with status 2: "
# Shorter than boot waits.
guest "sleeps, and returns" "$text; sleep_ms(15); exit(3)" "init exited with status 3: "
# All that is to be seen of the panic is the restart that follows it.
guest "returns silently" "$text; exit(1)" "the guest reset or powered off without a message from its kernel after " --append loglevel=0
guest waits "$text; wait_for_ever()" ""
guest "works for ever" "$text; for (;;)" ""
guest "writes for ever" "for (;;) $text" ""
guest restarts "$text; reboot(RESTART)" ""
[ -z "$failed" ]
