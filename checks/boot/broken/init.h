/* What the inits of broken.nix have instead of a libc: Linux's system calls, by their numbers, and how a program is entered. */
#define TIOCGWINSZ 0x5413

#if defined __x86_64__

static long call(long number, long a, long b, long c, long d, long e) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

/* Entered like a function, the stack is as C wants it. */
#define ENTER "call"
#define READ 0
#define WRITE 1
#define MMAP 9
#define IOCTL 16
#define NANOSLEEP 35
#define EXIT 60
#define WAIT4 61
#define GETPPID 110
#define REBOOT 169
#define fork() call(57, 0, 0, 0, 0, 0)
#define wait_for_ever() for (;;) call(34, 0, 0, 0, 0, 0) /* pause */

#else

/* The numbers that all newer architectures have in common. */
#define IOCTL 29
#define READ 63
#define WRITE 64
#define EXIT 93
#define NANOSLEEP 101
#define REBOOT 142
#define GETPPID 173
#define MMAP 222
#define WAIT4 260
#define fork() call(220, 17, 0, 0, 0, 0) /* clone, SIGCHLD */
#define wait_for_ever() for (;;) call(73, 0, 0, 0, 0, 0) /* ppoll */

#if defined __aarch64__
#define ENTER "bl"
#define SYSTEM_CALL "svc 0"
#define NUMBER "x8"
#define ARGUMENT(n) "x" #n
#elif defined __riscv
#define ENTER "call"
#define SYSTEM_CALL "ecall"
#define NUMBER "a7"
#define ARGUMENT(n) "a" #n
#endif

static long call(long number, long a, long b, long c, long d, long e) {
  register long which __asm__(NUMBER) = number;
  register long r0 __asm__(ARGUMENT(0)) = a;
  register long r1 __asm__(ARGUMENT(1)) = b;
  register long r2 __asm__(ARGUMENT(2)) = c;
  register long r3 __asm__(ARGUMENT(3)) = d;
  register long r4 __asm__(ARGUMENT(4)) = e;
  register long r5 __asm__(ARGUMENT(5)) = 0;
  __asm__ volatile(SYSTEM_CALL : "+r"(r0) : "r"(which), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5) : "memory");
  return r0;
}

#endif

#define print(text) call(WRITE, 1, (long)text, sizeof text - 1, 0, 0)
#define exit(status) call(EXIT, status, 0, 0, 0, 0)
#define wait_for_child() call(WAIT4, -1, 0, 0, 0, 0)
#define sleep_ms(n) call(NANOSLEEP, (long)(long[]){0, (n) * 1000000L}, 0, 0, 0, 0)
#define getppid() call(GETPPID, 0, 0, 0, 0, 0)
#define reboot(command) call(REBOOT, 0xfee1dead, 672274793, command, 0, 0)
#define RESTART 0x01234567
#define POWER_OFF 0x4321fedc
#define HALT 0xcdef0123

/* Takes memory, and uses it, until there is none. */
static void fill_memory(void) {
  for (;;) {
    volatile char *block = (char *)call(MMAP, 0, 1 << 20, 3, 0x22, -1); /* private and anonymous */
    for (int page = 0; page < 256; page++)
      block[page * 4096] = 1;
  }
}
