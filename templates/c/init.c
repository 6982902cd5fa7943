/* PID 1, with the kernel's own nolibc.h in place of a libc. It must never end: that panics the kernel. */
int main(void) {
  static const char text[] = "Hello from C!\n";
  write(1, text, sizeof text - 1);
  for (;;)
    my_syscall0(__NR_pause);
}
