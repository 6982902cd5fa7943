/* The article's init, for nolibc: what the system here is measured against. */
int main(void) {
  write(1, "Hello, world!\n", 14);
  for (;;)
    sleep(1000);
}
